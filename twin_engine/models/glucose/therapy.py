"""Basal-bolus therapy of people of the UVA/Padova model, found by trying it on them.

The carbohydrate ratio is the one at which a test meal with its bolus ends where it began; the correction
factor is how far glucose falls at most after a test dose, for each unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twin_engine.models.glucose.uva_padova import FAST, Array, Patients, basal_rate, basal_state, simulate

MEAL_A_KG = 0.7  # g/kg: 50 g of an adult of 70 kg
MEAL_ENDS = 360  # min
TEST_DOSE = 120  # min of basal insulin
FALL_ENDS = 480  # min
# g/U, wider than the carbohydrate ratios in use.
RATIOS = (0.5, 200.0)
BISECTIONS = 16


@dataclass(frozen=True, slots=True)
class Therapy:
    """Settings of each person, all of shape (n,)."""

    basal: Array  # U/h
    carbohydrate_ratio: Array  # g/U
    correction_factor: Array  # mg/dL per U

    def chosen(self, which: np.ndarray) -> Therapy:
        return Therapy(self.basal[which], self.carbohydrate_ratio[which], self.correction_factor[which])


def found(people: Patients) -> Therapy:
    """Return the settings that suit each person."""
    return Therapy(60 * basal_rate(people), carbohydrate_ratio(people), correction_factor(people))


def carbohydrate_ratio(people: Patients) -> Array:
    """Return grams that one unit covers; an end of RATIOS where none does within it."""
    meal = MEAL_A_KG * people["BW"]

    def above(ratio: Array) -> Array:
        """Return by how much glucose exceeds the basal one in the end."""
        return np.asarray(_course(people, meal, meal / ratio, MEAL_ENDS)[:, -1] - people["Gb"])

    return np.asarray(np.exp(_root(lambda log_ratio: above(np.exp(log_ratio)), len(people))))


def correction_factor(people: Patients) -> Array:
    """Return the greatest fall of glucose after a small dose, mg/dL per U."""
    dose = TEST_DOSE * basal_rate(people)
    lowest = _course(people, np.zeros(len(people)), dose, FALL_ENDS).min(axis=1)
    return np.asarray((people["Gb"] - lowest) / dose)


def _course(people: Patients, meal: Array, bolus: Array, minutes: int) -> Array:
    carbohydrate = np.zeros((len(people), minutes))
    insulin = np.repeat(basal_rate(people)[:, None], minutes, axis=1)
    carbohydrate[:, 0] += meal
    insulin[:, 0] += bolus
    return simulate(people, basal_state(people), carbohydrate, insulin, FAST)[0]


def _root(rising: Callable[[Array], Array], n: int) -> Array:
    """Return where n rising functions of the logarithm of the ratio are zero, by bisection."""
    lows, highs = (np.full(n, end) for end in np.log(RATIOS))
    for _ in range(BISECTIONS):
        middle = (lows + highs) / 2
        below = rising(middle) < 0
        lows, highs = np.where(below, middle, lows), np.where(below, highs, middle)
    return np.asarray((lows + highs) / 2)
