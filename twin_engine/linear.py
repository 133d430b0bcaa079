"""Linear markers: a level and a slope that wander, measured at irregular times with known error.

The model is the local linear trend in continuous time (Harvey 1989, doi 10.1017/CBO9781107049994; the filter
is Kalman 1960, doi 10.1115/1.3662552, the smoother Rauch, Tung and Striebel 1965, doi 10.2514/3.3166)::

    d level = slope dt + sqrt(noise.level) dW        value = level + error, error ~ N(0, variance)
    d slope =            sqrt(noise.slope) dW'

With no noise it is the random intercept and slope of a mixed model, and the filtered state its best linear
unbiased prediction. Observations are sorted first, so that their order of arrival changes no bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LEVEL = np.array([1.0, 0.0])
_EYE = np.eye(2)


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """What is known of level and slope at one instant: mean (2,) and covariance (2, 2)."""

    mean: Array
    covariance: Array

    @property
    def level(self) -> float:
        return float(self.mean[0])

    @property
    def slope(self) -> float:
        return float(self.mean[1])

    @property
    def spread(self) -> float:
        """Standard deviation of the level."""
        return math.sqrt(max(float(self.covariance[0, 0]), 0.0))


@dataclass(frozen=True, slots=True)
class Noise:
    """How fast level and slope wander: variance gained per unit of time."""

    level: float = 0.0
    slope: float = 0.0


@dataclass(frozen=True, slots=True)
class Observation:
    """A measured value with the variance of its error; None where nothing was measured at ``time``."""

    time: float
    value: float | None
    variance: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The filter's way through the observations, in the order of time.

    ``predicted`` knows the observations before, ``filtered`` also the one at the same place;
    ``log_likelihood`` is of all measured values under the prior.
    """

    observations: tuple[Observation, ...]
    predicted: tuple[Trend, ...]
    filtered: tuple[Trend, ...]
    log_likelihood: float


def foretold(trend: Trend, span: float, noise: Noise) -> Trend:
    """Return what is known ``span`` later, where nothing more is measured."""
    moved = _transition(span)
    return Trend(moved @ trend.mean, moved @ trend.covariance @ moved.T + _diffused(noise, span))


def updated(trend: Trend, value: float, variance: float) -> tuple[Trend, float]:
    """Return what is known after ``value``, and the log-density that ``trend`` gave it."""
    innovation = value - trend.level
    total = float(trend.covariance[0, 0]) + variance
    if not total > 0:
        raise ValueError("a level that is known exactly cannot be measured without error")
    gain = trend.covariance[:, 0] / total
    kept = _EYE - np.outer(gain, _LEVEL)
    # Joseph's form stays symmetric and positive where the short one loses both to rounding.
    covariance = kept @ trend.covariance @ kept.T + variance * np.outer(gain, gain)
    density = -0.5 * (math.log(2 * math.pi * total) + innovation**2 / total)
    return Trend(trend.mean + gain * innovation, covariance), density


def filtered(prior: Trend, start: float, observations: Iterable[Observation], noise: Noise) -> Path:
    """Return the path of the filter from ``prior`` at ``start`` through ``observations``.

    Raises
    ------
    ValueError
        If an observation is before ``start``.
    """
    ordered = tuple(sorted(observations, key=_order))
    trend, now, total = prior, start, 0.0
    predicted: list[Trend] = []
    known: list[Trend] = []
    for each in ordered:
        if each.time < now:
            raise ValueError("an observation is before the start")
        trend, now = foretold(trend, each.time - now, noise), each.time
        predicted.append(trend)
        if each.value is not None:
            trend, density = updated(trend, each.value, each.variance)
            total += density
        known.append(trend)
    return Path(ordered, tuple(predicted), tuple(known), total)


def smoothed(path: Path) -> tuple[Trend, ...]:
    """Return what is known at each observation from all of them, also the later ones."""
    known = list(path.filtered)
    times = [each.time for each in path.observations]
    for place in range(len(known) - 2, -1, -1):
        before, ahead = path.filtered[place], path.predicted[place + 1]
        moved = _transition(times[place + 1] - times[place])
        # The pseudo-inverse: a slope without variance makes the covariance singular.
        gain = before.covariance @ moved.T @ np.linalg.pinv(ahead.covariance, hermitian=True)
        later = known[place + 1]
        known[place] = Trend(
            before.mean + gain @ (later.mean - ahead.mean),
            before.covariance + gain @ (later.covariance - ahead.covariance) @ gain.T,
        )
    return tuple(known)


def below(trend: Trend, threshold: float) -> float:
    """Return the probability that the level lies below ``threshold``."""
    return normal_below(threshold, trend.level, trend.spread)


def normal_below(value: float, mean: float, spread: float) -> float:
    """Return the normal distribution function, a step where ``spread`` is 0."""
    if spread == 0:
        return float(mean < value)
    return 0.5 * math.erfc((mean - value) / (spread * math.sqrt(2)))


def _order(observation: Observation) -> tuple[Any, ...]:
    absent = observation.value is None
    return observation.time, absent, 0.0 if absent else observation.value, observation.variance


def _transition(span: float) -> Array:
    return np.array([[1.0, span], [0.0, 1.0]])


def _diffused(noise: Noise, span: float) -> Array:
    mixed = noise.slope * span**2 / 2
    return np.array([[noise.level * span + noise.slope * span**3 / 3, mixed], [mixed, noise.slope * span]])
