"""How glucose was controlled: the metrics that the international consensus asks for.

All shares are of readings, in percent; glucose is in mg/dL. Two weeks with readings at 70 % of the times are
what the consensus asks for before any of this is said.

References
----------
.. [1] Battelino T et al. Diabetes Care 2019;42:1593-1603. doi:10.2337/dci19-0028
.. [2] Battelino T et al. Lancet Diabetes Endocrinol 2023;11:42-57. doi:10.1016/S2213-8587(22)00319-9
.. [3] Bergenstal RM et al. Diabetes Care 2018;41:2275-2280. doi:10.2337/dc18-1581
.. [4] Klonoff DC et al. J Diabetes Sci Technol 2023;17:1226-1242. doi:10.1177/19322968221085273
.. [5] Kovatchev BP et al. Diabetes Care 1997;20:1655-1658. doi:10.2337/diacare.20.11.1655
.. [6] Kovatchev BP et al. Diabetes Care 2006;29:2433-2438. doi:10.2337/dc06-1085
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Grade = Literal["minimal", "low", "moderate", "high"]

VERY_LOW, LOW, HIGH, VERY_HIGH = 54.0, 70.0, 180.0, 250.0  # mg/dL [1]_
DAYS = 14
ENOUGH = 0.7  # of the quarter hours of two weeks
SLOT = 15  # minutes
LASTING = 15.0  # minutes: from then on it is an episode, and after as long it is over [1]_
EACH = 5.0  # minutes that a reading stands for: three readings of most sensors are 15 minutes
UNSEEN = 30.0  # minutes without a reading end an episode: nobody knows how it went on
PERCENTILES = (5, 25, 50, 75, 95)
# The upper ends of the grades of risk by the low blood glucose index [6]_.
_GRADES: tuple[tuple[float, Grade], ...] = ((1.1, "minimal"), (2.5, "low"), (5.0, "moderate"))


@dataclass(frozen=True, slots=True)
class Metrics:
    """Consensus metrics of ``readings`` readings; shares and ``cv`` in percent.

    ``very_low`` is below 54 mg/dL, ``low`` 54 to below 70, ``in_range`` 70 to 180, ``high`` above 180 to 250,
    ``very_high`` above 250. ``gmi`` is the glucose management indicator in percent of HbA1c, ``gri`` the
    glycaemia risk index (0 to 100), ``lbgi`` and ``hbgi`` the low and high blood glucose indices.
    """

    readings: int
    mean: float
    sd: float
    cv: float
    very_low: float
    low: float
    in_range: float
    high: float
    very_high: float
    gmi: float
    gri: float
    lbgi: float
    hbgi: float


@dataclass(frozen=True, slots=True)
class Episode:
    """Glucose below a limit from ``start`` to ``end`` (minutes, first and last reading below); ``lowest``."""

    start: float
    end: float
    lowest: float


def metrics(values: ArrayLike) -> Metrics:
    """Return the metrics of ``values`` (n,), at least two, all above zero."""
    g = np.asarray(values, float)
    if len(g) < 2 or not np.all(g > 0):
        raise ValueError("metrics need two readings or more, all above zero")
    edges = (g < VERY_LOW, g < LOW, g <= HIGH, g <= VERY_HIGH)
    below = [0.0, *(100 * float(np.mean(edge)) for edge in edges), 100.0]
    mean, sd = float(np.mean(g)), float(np.std(g, ddof=1))
    lbgi, hbgi = risk_indices(g)
    very_low, low, within, high, very_high = np.diff(below).tolist()
    risk = gri(very_low, low, high, very_high)
    return Metrics(
        len(g), mean, sd, 100 * sd / mean, very_low, low, within, high, very_high, gmi(mean), risk, lbgi, hbgi
    )


def gmi(mean: float) -> float:
    """Return the glucose management indicator in percent [3]_ for a mean in mg/dL."""
    return 3.31 + 0.02392 * mean


def gri(very_low: float, low: float, high: float, very_high: float) -> float:
    """Return the glycaemia risk index [4]_ of shares in percent, 100 at most."""
    return min(3.0 * very_low + 2.4 * low + 1.6 * very_high + 0.8 * high, 100.0)


def risk_indices(values: ArrayLike) -> tuple[float, float]:
    """Return LBGI and HBGI [5]_ [6]_: means over all readings, those of the other side counting as none.

    A known program averages over the readings of each side alone, which about doubles both.
    """
    f = 1.509 * (np.log(np.asarray(values, float)) ** 1.084 - 5.381)
    return float(np.mean(10 * np.minimum(f, 0) ** 2)), float(np.mean(10 * np.maximum(f, 0) ** 2))


def grade(lbgi: float) -> Grade:
    """Return the grade of the risk of severe hypoglycaemia [6]_."""
    return next((name for upper, name in _GRADES if lbgi <= upper), "high")


def sufficiency(minutes: ArrayLike, start: float, end: float) -> float:
    """Return the share of quarter hours from ``start`` to ``end`` that have a reading."""
    at = np.asarray(minutes, float)
    inside = at[(at >= start) & (at < end)]
    return len(np.unique((inside - start) // SLOT)) / ((end - start) / SLOT)


def profile(times: Sequence[datetime], values: ArrayLike, zone: tzinfo | None) -> Array:
    """Return the ambulatory glucose profile (96, 5): percentiles of each quarter hour of the day in ``zone``.

    ``times`` are aware; without a ``zone`` it is that of this machine. Where there is no reading it is nan.
    """
    clock = np.array([_slot(one.astimezone(zone)) for one in times])
    g = np.asarray(values, float)
    rows = np.full((24 * 60 // SLOT, len(PERCENTILES)), np.nan)
    for slot in np.unique(clock).tolist():
        rows[slot] = np.percentile(g[clock == slot], PERCENTILES)
    return rows


def _slot(local: datetime) -> int:
    return (local.hour * 60 + local.minute) // SLOT


def episodes(minutes: ArrayLike, values: ArrayLike, below: float) -> tuple[Episode, ...]:
    """Return the episodes of glucose ``below`` a limit; ``minutes`` (n,) rise.

    An episode has readings below the limit over 15 minutes or more, and is over when glucose was at the limit
    or above for 15 minutes [1]_, or when nothing was seen for half an hour.
    """
    at, g = np.asarray(minutes, float), np.asarray(values, float)
    return tuple(one for one in _runs(at, g, below) if one.end - one.start + EACH >= LASTING)


def _runs(at: Array, g: Array, below: float) -> Iterator[Episode]:
    running: Episode | None = None
    last = -np.inf
    for minute, value in zip(at.tolist(), g.tolist(), strict=True):
        if running and (minute - last > UNSEEN or (value >= below and minute - running.end > LASTING)):
            yield running
            running = None
        if value < below:
            running = Episode(
                running.start if running else minute, minute, min(value, running.lowest) if running else value
            )
        last = minute
    if running:
        yield running
