"""What is recorded and goes on: insulin that is still to act, the rate of the pump, food being eaten.

Insulin on board is what of each dose is still to act, by the exponential curve of D. Maksimovic
(https://github.com/LoopKit/Loop/issues/388#issuecomment-317938473) as Loop and oref0 use it for adults: a
peak at 75 minutes, all over after six hours. With the activity S / tau^2 t (1 - t / td) exp(-t / tau)::

    tau = tp (1 - tp / td) / (1 - 2 tp / td)    a = 2 tau / td    S = 1 / (1 - a + (1 + a) exp(-td / tau))
    share(t) = 1 - S (1 - a) ((t^2 / (tau td (1 - a)) - t / tau - 1) exp(-t / tau) + 1)

Of a pump, only what goes beyond the usual rate is on board; what it withheld earns nothing.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from twin_engine.models.glucose.record import EATEN_IN, FAST, Given, Grid, given
from twin_engine.models.glucose.state import Underway
from twin_engine.screening import CLOCK_SKEW
from twin_engine.twin import Dose, Evidence

PEAK, LASTS = 75.0, 360.0  # minutes
DAY = 1440
HEARD = 120  # minutes: a pump that says nothing for longer is not known to run
_MINUTE = timedelta(minutes=1)
_SOON = timedelta(minutes=EATEN_IN) + CLOCK_SKEW


def share(minutes: np.ndarray) -> np.ndarray:
    """Return the share of a dose still to act ``minutes`` (n,) after it; all of one that is to come."""
    tau = PEAK * (1 - PEAK / LASTS) / (1 - 2 * PEAK / LASTS)
    a = 2 * tau / LASTS
    s = 1 / (1 - a + (1 + a) * np.exp(-LASTS / tau))
    t = np.clip(minutes, 0.0, LASTS)
    acted = s * (1 - a) * ((t**2 / (tau * LASTS * (1 - a)) - t / tau - 1) * np.exp(-t / tau) + 1)
    return np.asarray(1 - acted)


def on_board(bolus: np.ndarray, basal: np.ndarray, usual: float) -> float:
    """Return insulin on board in U at the end of the minutes (n,) of ``bolus`` and ``basal``, U/min.

    ``usual`` is the rate in U/min beyond which basal insulin counts; 0 where there is no pump.
    """
    left = share(np.arange(len(bolus), 0, -1))
    return float(bolus @ left + max((basal - usual) @ left, 0.0))


def underway(evidence: Evidence, grid: Grid, usual: float) -> Underway | None:
    """Return what goes on at the end of ``grid``; None where no insulin is on record for a day.

    A bolus at this very minute, or by a clock that runs ahead, is on board. ``usual`` is the rate of all
    basal insulin in U/min.
    """
    now = grid.start + grid.minutes * _MINUTE
    around = Grid(now - DAY * _MINUTE, now + _SOON)
    known = given(evidence, around, timedelta())
    total = float(known.fast[:DAY].sum() + known.bolus[DAY:].sum() + _slow(known))
    if not total > 0:
        return None
    pumped = bool(known.basal[:DAY].any())
    heard = bool(known.basal[DAY - HEARD : DAY].any())
    bolus = known.bolus[:DAY].copy()
    bolus[-1] += known.bolus[DAY:].sum()
    return Underway(
        on_board=on_board(bolus, known.basal[:DAY], usual if pumped else 0.0),
        day=total,
        pumped=pumped,
        rate=float(known.basal[DAY - 1]) * 60 if heard else None,
        bolus_at=max((dose.time for dose in evidence.doses if _bolus(dose, around)), default=None),
        eating=known.food[DAY:],
    )


def _slow(known: Given) -> float:
    return float(known.slow[known.slow_at <= DAY].sum())


def _bolus(dose: Dose, around: Grid) -> bool:
    return dose.substance == FAST and dose.until is None and dose.amount > 0 and around.holds(dose.time)
