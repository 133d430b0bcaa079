"""Whether what was foretold of glucose happened, as far as the sensor tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from twin_engine.models.glucose.foretelling import LASTING, STEP
from twin_engine.models.glucose.minimal import Array
from twin_engine.models.glucose.record import Grid, readings
from twin_engine.twin import Evidence, Forecast, Risk

SEEN = 0.7  # of the period must have readings, or nothing follows from there being no event


def happened(evidence: Evidence, forecast: Forecast, at: datetime) -> Mapping[Risk, bool]:
    """Return of each risk whose period is over whether glucose was beyond its limit for 15 minutes."""
    found = {risk: _event(evidence, forecast.at, risk) for risk in forecast.risks if _over(risk, at)}
    return {risk: told for risk, told in found.items() if told is not None}


def _over(risk: Risk, at: datetime) -> bool:
    return risk.probability is not None and risk.until is not None and risk.until <= at


def _event(evidence: Evidence, start: datetime, risk: Risk) -> bool | None:
    _, side, limit, _ = risk.outcome.split("-")
    until = risk.until or start
    recorded = readings(evidence, Grid(start, until))
    beyond = recorded.values < float(limit) if side == "below" else recorded.values > float(limit)
    if _lasts(recorded.minutes, beyond):
        return True
    span = (until - start) / timedelta(minutes=1)
    covered = len(set((recorded.minutes // (3 * STEP)).tolist())) * 3 * STEP
    return False if covered >= SEEN * span else None


def _lasts(minutes: Array, beyond: NDArray[np.bool_]) -> bool:
    """Tell whether ``beyond`` holds at every reading from one to another that is two steps later."""
    began: float | None = None
    for minute, out in zip(minutes.tolist(), beyond.tolist(), strict=True):
        if not out:
            began = None
        elif began is None:
            began = minute
        elif minute - began >= (LASTING - 1) * STEP:
            return True
    return False
