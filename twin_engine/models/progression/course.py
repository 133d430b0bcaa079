"""From the trend of a marker to its course, with and without a plan.

Everything is Gaussian on the scale that the marker is followed on, so that quantiles and the risk of lying
beyond a threshold at an instant are known in closed form; nothing is sampled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from twin_engine.equations.effects import Z95, MarkerEffect
from twin_engine.linear import Noise, Trend, foretold, normal_below

# Standard normal quantiles of the levels that a course tells.
QUANTILES = (
    (0.05, -1.6448536269514722),
    (0.25, -0.6744897501960817),
    (0.5, 0.0),
    (0.75, 0.6744897501960817),
    (0.95, 1.6448536269514722),
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan does to a marker: (value, SD) of a shift reached over ``years``, and of the slowing.

    The shift is on the scale that the marker is followed on. ``slowing`` is the share by which a decline is
    slower; a marker that does not decline is not slowed.
    """

    years: float
    shift: tuple[float, float]
    slowing: tuple[float, float]

    def ends(self) -> tuple[Change, ...]:
        """Return the change at the four corners of its 95 % intervals."""
        return tuple(
            Change(self.years, (shift, 0.0), (min(max(slowing, 0.0), 1.0), 0.0))
            for shift in _interval(self.shift)
            for slowing in _interval(self.slowing)
        )

    def exact(self) -> Change:
        """Return the change without its uncertainty."""
        return Change(self.years, (self.shift[0], 0.0), (self.slowing[0], 0.0))


@dataclass(frozen=True, slots=True)
class Normal:
    """A normal distribution."""

    mean: float
    spread: float

    def below(self, value: float) -> float:
        return normal_below(value, self.mean, self.spread)

    def quantile(self, standard: float) -> float:
        return self.mean + standard * self.spread


def changes(effects: Iterable[MarkerEffect], logarithmic: bool) -> tuple[Change, ...]:
    """Return effects on the scale that the marker is followed on.

    Raises
    ------
    ValueError
        If an effect is a share of a level that is not followed on the logarithmic scale, or the reverse.
    """
    return tuple(_change(effect, logarithmic) for effect in effects)


def _change(effect: MarkerEffect, logarithmic: bool) -> Change:
    if effect.relative != logarithmic:
        raise ValueError("the effect is not on the scale that the marker is followed on")
    shift, spread = effect.shift
    if logarithmic:
        shift, spread = math.log1p(shift), spread / (1 + shift)
    return Change(effect.years, (shift, spread), effect.slowing)


def level_at(trend: Trend, years: float, noise: Noise, plan: Iterable[Change] = ()) -> Normal:
    """Return the level ``years`` after the instant of ``trend``, where ``plan`` begins at that instant."""
    begun = tuple(plan)
    kept, squared = _kept(begun) if trend.slope < 0 else (1.0, 1.0)
    (level, cross), (_, slope) = trend.covariance.tolist()
    wandered = foretold(Trend(trend.mean, np.zeros((2, 2))), years, noise).covariance[0, 0]
    mean = trend.level + kept * trend.slope * years
    variance = level + 2 * kept * years * cross + squared * slope * years**2 + wandered
    variance += (squared - kept**2) * (trend.slope * years) ** 2
    for change in begun:
        reached = min(years / change.years, 1.0) if change.years else 1.0
        mean += reached * change.shift[0]
        variance += (reached * change.shift[1]) ** 2
    return Normal(mean, math.sqrt(max(float(variance), 0.0)))


def change_until(trend: Trend, years: float, noise: Noise, plan: Iterable[Change] = ()) -> Normal:
    """Return by how much the level changes in ``years``; how well the level is known plays no part."""
    sure = Trend(trend.mean, np.diag([0.0, float(trend.covariance[1, 1])]))
    moved = level_at(sure, years, noise, plan)
    return Normal(moved.mean - trend.level, moved.spread)


def _interval(estimate: tuple[float, float]) -> tuple[float, float]:
    value, spread = estimate
    return value - Z95 * spread, value + Z95 * spread


def _kept(plan: tuple[Change, ...]) -> tuple[float, float]:
    """Return mean and mean square of what the slowings of ``plan``, as independent, leave of a decline."""
    kept, squared = 1.0, 1.0
    for change in plan:
        left, spread = 1 - change.slowing[0], change.slowing[1]
        kept *= left
        squared *= left**2 + spread**2
    return kept, squared
