"""The patient filter along a record: what it would have foretold at each reading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.validate.glucose.protocol import DUE
from twin_engine.models.glucose.artefacts import ERROR
from twin_engine.models.glucose.filtering import Habits, Readings, begun, filtered, predicted
from twin_engine.models.glucose.following import DEFAULT_BASAL, DEFAULT_WEIGHT
from twin_engine.models.glucose.learned_features import DAY, Trace, usable
from twin_engine.models.glucose.minimal import Inputs, Person, appearance

Array = NDArray[np.float64]

_EATEN_IN = 10  # minutes
_LOST = 360  # minutes without a reading, after which the filter begins anew
_LONGEST = max(DUE)
_MEMORY = 4000  # minutes of a long-acting dose
_HELD = 1500  # minutes that a basal rate goes on without another


def foretold(trace: Trace, first: float) -> Array:
    """Return glucose (n, 2) from minute ``first`` on, nan before; the filter begins a week earlier.

    Weight is unknown (75 kg). Usual basal insulin is the median of the days of the week before, learned at
    midnight.
    """
    start = int(first - 7 * DAY) // DAY * DAY
    given = _Given(trace, start)
    rng = np.random.default_rng(1)
    found = np.full((len(trace.minutes), len(DUE)), np.nan)
    asked = usable(trace) & (trace.minutes >= first)
    ensemble, habits = None, Habits(Person(DEFAULT_WEIGHT, given.usual(start)))
    for i in np.flatnonzero(trace.minutes >= start).tolist():
        minute, value = int(trace.minutes[i]), trace.glucose[i : i + 1]
        habits = Habits(Person(DEFAULT_WEIGHT, given.usual(minute // DAY * DAY)))
        if ensemble is None or minute - ensemble.at > _LOST:
            ensemble = begun(habits, minute, float(value[0]))
        else:
            reading = Readings(np.array([minute]), value, (ERROR[0] + ERROR[1] * value) ** 2)
            inputs = given.between(ensemble.at, minute, habits.person.basal)
            ensemble = filtered(ensemble, habits, reading, inputs)
        if asked[i]:
            path = predicted(ensemble, habits, given.onward(minute, habits.person.basal), rng)
            found[i] = path[:, [due - 1 for due in DUE]].mean(axis=0)
    return found


class _Given:
    """Inputs by minutes from ``start``; a basal rate, once begun, goes on until the next is recorded."""

    def __init__(self, trace: Trace, start: int) -> None:
        self.trace, self.start = trace, start
        size = int(trace.minutes[-1]) - start + 2 * _LONGEST
        self.bolus, self.food = np.zeros(size), np.zeros(size + _EATEN_IN)
        for minute, amount in self._inside(trace.boluses.minutes, trace.boluses.amounts, size):
            self.bolus[minute] += amount
        for minute, amount in self._inside(trace.food.minutes, trace.food.amounts, size):
            self.food[minute : minute + _EATEN_IN] += amount / _EATEN_IN
        self.basal = self._rates(size)
        self.slow = np.zeros(size)
        for minute, amount in zip(trace.slow.minutes - start, trace.slow.amounts, strict=True):
            self._released(int(minute), float(amount))
        self._usual: dict[int, float] = {}

    def _inside(self, minutes: Array, amounts: Array, size: int) -> list[tuple[int, float]]:
        pairs = zip((minutes - self.start).astype(int).tolist(), amounts.tolist(), strict=True)
        return [one for one in pairs if 0 <= one[0] < size]

    def _rates(self, size: int) -> Array:
        at = np.arange(size) + self.start
        basal = self.trace.basal
        if not len(basal.minutes):
            return np.zeros(size)
        place = np.maximum(np.searchsorted(basal.minutes, at, side="right") - 1, 0)
        age = at - basal.minutes[place]
        return np.where((age >= 0) & (age < _HELD), basal.amounts[place] / 60, 0.0)

    def _released(self, minute: int, amount: float) -> None:
        first = max(minute, 0)
        n = min(_MEMORY, len(self.slow) - first)
        if minute > -_MEMORY and n > 0:
            self.slow[first : first + n] += appearance(
                np.array([amount]), np.array([float(minute - first)]), n
            )

    def usual(self, midnight: int) -> float:
        """Return usual basal insulin in U/min from the full days of the week before."""
        if midnight not in self._usual:
            end = max(midnight - self.start, 0)
            days = [
                float((self.basal + self.slow)[day : day + DAY].mean())
                for day in range(max(end - 7 * DAY, 0), end - DAY + 1, DAY)
            ]
            recorded = [one for one in days if one > 0]
            self._usual[midnight] = float(np.median(recorded)) if recorded else _needed()
        return self._usual[midnight]

    def between(self, begin: int, end: int, basal: float) -> Inputs:
        i, j = begin - self.start, end - self.start
        return Inputs.of(self.bolus[i:j] + self.basal[i:j], self.food[i:j], self._slow(i, j, basal))

    def onward(self, minute: int, basal: float) -> Inputs:
        """Return what goes on after ``minute``: the rate of now, what was begun to be eaten, slow insulin."""
        i = minute - self.start
        fast = np.full(_LONGEST, self.basal[i])
        fast[0] += self.bolus[i]
        food = self.food[i : i + _LONGEST] - self._later(i)
        slow = self._slow(i, i + _LONGEST, basal) - self._later_slow(minute)
        return Inputs.of(fast, np.maximum(food, 0.0), np.maximum(slow, 0.0))

    def _slow(self, i: int, j: int, basal: float) -> Array:
        recorded = self.basal[max(i - DAY, 0) : i + 1].any() or self.slow[i : i + 1].any()
        return self.slow[i:j] if recorded else np.full(j - i, basal)

    def _later(self, i: int) -> Array:
        """Return what meals begun after minute ``i`` add to the next hour: nobody knows of them yet."""
        at = self.trace.food.minutes - self.start
        later = np.zeros(_LONGEST + _EATEN_IN)
        for k in range(*np.searchsorted(at, (i + 1, i + _LONGEST)).tolist()):
            first = int(at[k]) - i
            later[first : first + _EATEN_IN] += self.trace.food.amounts[k] / _EATEN_IN
        return later[:_LONGEST]

    def _later_slow(self, minute: int) -> Array:
        at = self.trace.slow.minutes
        some = (at > minute) & (at < minute + _LONGEST)
        return appearance(self.trace.slow.amounts[some], at[some] - minute, _LONGEST)


def _needed() -> float:
    return DEFAULT_BASAL * DEFAULT_WEIGHT / DAY
