"""What every single answer of a model must hold, whatever the evidence."""

from __future__ import annotations

import math
from datetime import datetime

from twin_engine.twin import Forecast, Refusal, Risk, Trajectory


class Nonconformance(Exception):
    """A model breaks the contract; the text says which law and how."""


def refusal_holds(refusal: Refusal) -> None:
    """A refusal states its reasons, and a retry after it."""
    if not refusal.reasons or any(not reason.text.strip() for reason in refusal.reasons):
        raise Nonconformance("refusal: a refusal states its reasons")
    if refusal.retry is not None and refusal.retry <= refusal.at:
        raise Nonconformance("refusal: retry is not after the refusal")


def forecast_holds(forecast: Forecast) -> None:
    """A forecast expires later, says something and holds finite numbers."""
    if not forecast.expires > forecast.at:
        raise Nonconformance("expiry: a forecast expires after it is made")
    if not forecast.risks or not forecast.rationale.strip():
        raise Nonconformance("forecast: risks and a rationale are stated")
    weights = [part.weight for part in forecast.contributions]
    if not all(math.isfinite(number) for number in (*weights, forecast.score or 0.0)):
        raise Nonconformance("forecast: a score or weight is not finite")
    for risk in forecast.risks:
        _risk_holds(risk, forecast.at)


def _risk_holds(risk: Risk, at: datetime) -> None:
    if risk.probability is None and not risk.qualitative:
        raise Nonconformance("risk: neither a probability nor a grade")
    numbers = [number for number in (risk.low, risk.probability, risk.high) if number is not None]
    if not all(0 <= number <= 1 for number in numbers):
        raise Nonconformance("risk: a probability is outside 0 to 1")
    if numbers != sorted(numbers):
        raise Nonconformance("risk: a probability is outside its interval")
    if risk.until is not None and risk.until <= at:
        raise Nonconformance("risk: the period ends before it begins")


def path_holds(path: Trajectory) -> None:
    """A path starts now, goes forward and is finite."""
    if (
        not path.times
        or path.times[0] != 0
        or any(b <= a for a, b in zip(path.times, path.times[1:], strict=False))
    ):
        raise Nonconformance("simulation: times are to rise from 0")
    if not path.values or any(len(values) != len(path.times) for values in path.values.values()):
        raise Nonconformance("simulation: each value needs one number a time")
    if not all(math.isfinite(value) for values in path.values.values() for value in values):
        raise Nonconformance("simulation: a value is not finite")
