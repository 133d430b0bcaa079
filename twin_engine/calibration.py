"""How good forecasts were, once their outcomes are known; and what a model promises of that.

Scores are proper [1]_: nobody gains by foretelling something else than what they believe. All are losses.

References
----------
.. [1] Gneiting T, Raftery AE. J Am Stat Assoc 2007;102:359-378. doi:10.1198/016214506000001437
.. [2] Ferro CAT. Q J R Meteorol Soc 2014;140:1917-1923. doi:10.1002/qj.2270
.. [3] Cox DR. Biometrika 1958;45:562-565. doi:10.1093/biomet/45.3-4.562
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin_engine.twin import Evidence, Forecast, Risk

Floats = NDArray[np.float64]

TENTHS = tuple(part / 10 for part in range(11))
_STEPS = 50  # of Newton's method, which needs fewer than ten where there is a maximum
_STEEP = 30.0  # a coefficient beyond this: the outcomes are told apart wholly, and there is no maximum


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model promises of its forecasts; one that drifts outside is shown to nobody.

    ``coverage`` is how often a value may lie inside its central interval of level ``level``; ``ratio`` how
    many events may happen for each that was foretold; None promises nothing. ``error`` is the chance that a
    model that keeps its promise is ever called drifting at one site.
    """

    coverage: tuple[float, float] | None = None
    ratio: tuple[float, float] | None = None
    level: float = 0.9
    error: float = 0.01


@runtime_checkable
class Limited(Protocol):
    """A model that declares what it promises; one that does not is only scored."""

    @property
    def limits(self) -> Limits: ...


@runtime_checkable
class Scored(Protocol):
    """A model that can tell whether what it foretold happened."""

    def outcomes(self, evidence: Evidence, forecast: Forecast, at: datetime) -> Mapping[Risk, bool]:
        """Return of each risk of ``forecast`` whose period is over at ``at`` whether it happened.

        A risk of which ``evidence`` does not tell is left out. Of the forecast only family, instants, risks
        and courses were kept.
        """


def brier(probability: ArrayLike, happened: ArrayLike) -> Floats:
    """Return the squared error of each probability."""
    return np.asarray((np.asarray(probability, float) - np.asarray(happened, float)) ** 2, np.float64)


def pinball(quantile: ArrayLike, value: ArrayLike, level: ArrayLike) -> Floats:
    """Return the loss of each ``quantile`` of ``level``, in the unit of ``value``."""
    error = np.asarray(value, float) - np.asarray(quantile, float)
    return np.asarray(np.maximum(np.asarray(level) * error, (np.asarray(level) - 1) * error), np.float64)


def crps(ensemble: ArrayLike, value: ArrayLike, *, fair: bool = False) -> Floats:
    """Return the continuous ranked probability score of ``ensemble`` (..., m) at ``value`` (...).

    ``fair`` scores the distribution from which the members are drawn [2]_; it needs two of them.
    """
    x = np.sort(np.asarray(ensemble, float), axis=-1)
    m = x.shape[-1]
    spread = ((2 * np.arange(m) - m + 1) * x).sum(axis=-1)
    error = np.abs(x - np.asarray(value, float)[..., None]).mean(axis=-1)
    return np.asarray(error - spread / (m * (m - 1) if fair else m * m), float)


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often intervals held their values, and how wide they are."""

    coverage: float
    width: float


def intervals(low: ArrayLike, high: ArrayLike, value: ArrayLike) -> Intervals:
    """Return coverage and mean width of the intervals ``low``..``high``, both ends included."""
    lower, upper, y = (np.asarray(part, float) for part in (low, high, value))
    return Intervals(float(((lower <= y) & (y <= upper)).mean()), float((upper - lower).mean()))


@dataclass(frozen=True, slots=True)
class Bin:
    """Forecasts of like probability: how many, their mean probability, the share that happened."""

    count: int
    foretold: float
    happened: float


def reliability(
    probability: ArrayLike, happened: ArrayLike, edges: tuple[float, ...] = TENTHS
) -> tuple[Bin, ...]:
    """Return the bins of a reliability diagram that hold forecasts; the last edge belongs to the last bin."""
    p, y = np.asarray(probability, float), np.asarray(happened, float)
    place = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, len(edges) - 2)
    return tuple(
        Bin(int(mine.sum()), float(p[mine].mean()), float(y[mine].mean()))
        for mine in (place == index for index in np.unique(place))
    )


def expected_observed(probability: ArrayLike, happened: ArrayLike) -> float:
    """Return how many events were foretold for each that happened; infinite where none did."""
    observed = float(np.sum(np.asarray(happened, float)))
    return float(np.sum(np.asarray(probability, float))) / observed if observed else float("inf")


@dataclass(frozen=True, slots=True)
class Line:
    """Cox's calibration line [3]_: log-odds of what happened on log-odds foretold.

    ``in_the_large`` is the intercept with the slope held at 1. Perfect are 0, 1 and 0.
    """

    intercept: float
    slope: float
    in_the_large: float


def line(probability: ArrayLike, happened: ArrayLike, weight: ArrayLike = 1.0) -> Line | None:
    """Return the calibration line by maximum likelihood; None where there is none.

    ``happened`` may be shares, with the number of forecasts behind each as ``weight``. There is no line where
    everything or nothing happened, where probabilities tell the outcomes apart wholly, or are 0 or 1.
    """
    p, y, w = np.broadcast_arrays(*(np.asarray(part, float) for part in (probability, happened, weight)))
    if p.size == 0 or ((p <= 0) | (p >= 1)).any():
        return None
    logit = np.log(p / (1 - p))
    both = _logistic(np.column_stack([np.ones_like(logit), logit]), np.zeros_like(logit), y, w)
    alone = _logistic(np.ones((logit.size, 1)), logit, y, w)
    if both is None or alone is None:
        return None
    return Line(float(both[0]), float(both[1]), float(alone[0]))


def _logistic(x: Floats, offset: Floats, y: Floats, w: Floats) -> Floats | None:
    """Return the coefficients (k,) of a logistic regression of ``y`` on ``x`` (n, k), by Newton's method."""
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        mean = 1 / (1 + np.exp(-np.clip(offset + x @ beta, -500, 500)))
        information = (x * (w * mean * (1 - mean))[:, None]).T @ x
        if np.linalg.matrix_rank(information) < beta.size:
            return None
        step = np.asarray(np.linalg.solve(information, x.T @ (w * (y - mean))), np.float64)
        beta = beta + step
        if np.abs(beta).max() > _STEEP:
            return None
        if np.abs(step).max() < 1e-10:
            return beta
    return None
