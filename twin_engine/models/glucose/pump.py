"""What delivers insulin: devices give doses in steps, and no more than they can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin_engine.models.glucose.uva_padova import Array


class Device(Protocol):
    """Turns what is ordered into what is delivered."""

    def basal(self, ordered: Array) -> Array:
        """Return U/h."""

    def bolus(self, ordered: Array) -> Array:
        """Return U."""


@dataclass(frozen=True, slots=True)
class Pump:
    """A pump; the defaults are those of common ones: steps of 0.05 U and 0.05 U/h, at most 30 of either."""

    basal_step: float = 0.05  # U/h
    basal_most: float = 30.0
    bolus_step: float = 0.05  # U
    bolus_most: float = 30.0

    def basal(self, ordered: Array) -> Array:
        return _delivered(ordered, self.basal_step, self.basal_most)

    def bolus(self, ordered: Array) -> Array:
        return _delivered(ordered, self.bolus_step, self.bolus_most)


@dataclass(frozen=True, slots=True)
class Pen:
    """Pens: boluses in half units, and a long-acting insulin once a day, taken to act evenly over the day.

    No insulin acts evenly, and the model of the body knows only rapid-acting insulin: an approximation.
    """

    step: float = 0.5  # U
    bolus_most: float = 60.0
    long_acting_step: float = 1.0  # U/day
    long_acting_most: float = 80.0

    def basal(self, ordered: Array) -> Array:
        return _delivered(24 * ordered, self.long_acting_step, self.long_acting_most) / 24

    def bolus(self, ordered: Array) -> Array:
        return _delivered(ordered, self.step, self.bolus_most)


def _delivered(ordered: Array, step: float, most: float) -> Array:
    return np.clip(np.round(ordered / step) * step, 0.0, most)
