"""Who is tested, when, and on what: the same for every forecaster.

The last fifth of each person's days is the test. A forecast is made at every reading of it with an hour of
readings before, and scored against the reading that is due 30 and 60 minutes later, within 2.5 minutes; no
value between readings is ever a truth. What is learned of people is learned of those in other folds. Of the
person, a forecaster may use what was known at the forecast: all of it was recorded at or before that minute.
Nothing is announced in these records, so food and insulin to come are unknown to all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin_engine.models.glucose.learned_features import Trace, usable

Array = NDArray[np.float64]

DUE = (30, 60)  # minutes
NEAR = 2.5  # minutes
TESTED, WARM = 0.8, 0.6  # of the days: where the test begins, and where intervals begin to learn
FOLDS = 4


@dataclass(frozen=True, slots=True)
class Person:
    """A record, with the truth (n, 2) due after each reading (nan where none is), and who is learned from."""

    name: str
    trace: Trace
    truth: Array
    others: tuple[Trace, ...]

    @property
    def begin(self) -> float:
        """Minute at which the test begins."""
        return self.after(TESTED)

    def after(self, share: float) -> float:
        """Minute by which a share of the record is over."""
        at = self.trace.minutes
        return float(at[0] + share * (at[-1] - at[0]))

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Forecasts (n,) that are tested; a truth may still be missing."""
        return usable(self.trace) & (self.trace.minutes >= self.begin)


def enrolled(records: dict[str, Trace], folds: int = FOLDS) -> list[Person]:
    """Return everybody, in folds by turns; whoever shares a fold is not learned from."""
    names = sorted(records)
    return [
        Person(
            name,
            records[name],
            _truth(records[name]),
            tuple(records[other] for j, other in enumerate(names) if (i - j) % folds),
        )
        for i, name in enumerate(names)
    ]


def _truth(trace: Trace) -> Array:
    at = trace.minutes
    due = at[:, None] + np.array(DUE)
    after = np.searchsorted(at, due)
    before, after = np.maximum(after - 1, 0), np.minimum(after, len(at) - 1)
    nearest = np.where(np.abs(at[before] - due) <= np.abs(at[after] - due), before, after)
    return np.where(np.abs(at[nearest] - due) <= NEAR, trace.glucose[nearest], np.nan)


def macro(people: Sequence[Person], forecasts: dict[str, Array]) -> dict[str, Array]:
    """Return root mean square and mean absolute errors of each person: (2, 2), errors by horizons."""
    found = {}
    for person in people:
        error = (forecasts[person.name] - person.truth)[person.scored]
        found[person.name] = np.array(
            [np.sqrt(np.nanmean(error**2, axis=0)), np.nanmean(np.abs(error), axis=0)]
        )
    return found
