"""Following one person: the filter over the last week, resumed from where nothing has changed.

The week begins at midnight UTC seven days ago. At the last two sixth hours a checkpoint keeps the ensemble
together with a digest of everything that went into it (``estimation``). An update goes on from the last one
whose digest still holds: late, changed and withdrawn data are met by going back before them. So the ensemble
follows from evidence and time alone, whatever was known before.

A person's usual basal insulin is the mean of the full days before today: it changes once a day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from twin_engine.estimation import Checkpoint, boundaries, carried, digests
from twin_engine.models.glucose import artefacts
from twin_engine.models.glucose.filtering import Ensemble, Habits, Readings, begun, filtered
from twin_engine.models.glucose.minimal import LONGEST_DELAY, Array, Inputs, Person, appearance
from twin_engine.models.glucose.record import Given, Grid
from twin_engine.models.glucose.record import Readings as Recorded

DAYS = 7
MEMORY = timedelta(hours=36)  # of long-acting insulin
PIECE = 360  # minutes
KEPT = 2  # checkpoints: a reading later than twelve hours is rare enough to go back a week for
MEMBERS = 64
DEFAULT_WEIGHT = 75.0  # kg
# Half of 0.5 U/kg a day, the usual beginning (ADA Standards of Care 2024, doi:10.2337/dc24-S009).
DEFAULT_BASAL = 0.25  # U/kg/d
_DAY = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Followed:
    """Where the filter stands, and from where it may go on."""

    at: int
    members: Array
    recent: Array
    weight: float
    basal: float
    checkpoints: tuple[Checkpoint, ...]

    @property
    def ensemble(self) -> Ensemble:
        """Return the ensemble."""
        return Ensemble(self.at, self.members, self.recent)

    @property
    def habits(self) -> Habits:
        """Return whom the ensemble is of."""
        return Habits(Person(self.weight, self.basal))


def week(at: datetime) -> Grid:
    """Return the grid of the week before ``at``."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Grid(midnight - timedelta(days=DAYS), at)


def followed(
    recorded: Recorded, given: Given, grid: Grid, weight: float | None, before: Iterable[Checkpoint]
) -> Followed | None:
    """Return where the filter stands at the end of ``grid``; None before the first reading."""
    if not len(recorded.minutes):
        return None
    kilograms = DEFAULT_WEIGHT if weight is None else weight
    basal = _usual(given, kilograms)
    habits = Habits(Person(kilograms, basal))
    start = int((grid.start - _EPOCH) / timedelta(minutes=1))
    inputs = _inputs(given, grid.minutes, basal)
    cgm = _trusted(recorded, start)
    return _Track(habits, start, inputs, cgm).run(before)


def onward(given: Given, grid: Grid, minutes: int, basal: float) -> Inputs:
    """Return inputs from the end of ``grid`` on: basal insulin goes on as it is, and nothing is eaten."""
    n = grid.minutes
    running = given.basal[-1] if n and given.basal[-120:].any() else 0.0
    slow = _slow(given, n + minutes, basal)[n:]
    return Inputs.of(np.full(minutes, running), np.zeros(minutes), slow)


def _usual(given: Given, weight: float) -> float:
    """Return basal insulin of the full days of the week in U/min, as far as any is recorded."""
    whole = DAYS * _DAY
    pumped = given.basal[:whole]
    slow = _appeared(given, whole)
    days = (pumped + slow).reshape(DAYS, _DAY).sum(axis=1)
    recorded = days[days > 0]
    if len(recorded):
        return float(np.median(recorded)) / _DAY
    return DEFAULT_BASAL * weight / _DAY


def _inputs(given: Given, minutes: int, basal: float) -> Inputs:
    return Inputs.of(given.fast, given.food, _slow(given, minutes, basal))


def _slow(given: Given, minutes: int, basal: float) -> Array:
    """Return what appears of long-acting insulin; the usual need where no basal insulin is recorded."""
    if not len(given.slow) and not given.basal.any():
        return np.full(minutes, basal)
    return _appeared(given, minutes)


def _appeared(given: Given, minutes: int) -> Array:
    if not len(given.slow):
        return np.zeros(minutes)
    return appearance(given.slow, given.slow_at, minutes)


def _trusted(recorded: Recorded, start: int) -> Readings:
    minutes = recorded.minutes.astype(np.int64) + start
    return Readings(minutes, recorded.values, artefacts.variance(recorded.minutes, recorded.values))


@dataclass(frozen=True, slots=True)
class _Track:
    """The filter's way over one week, from minute ``start`` since 1970 on."""

    habits: Habits
    start: int
    inputs: Inputs
    cgm: Readings

    @property
    def end(self) -> int:
        """Return the minute after the last input."""
        return self.start + len(self.inputs.insulin)

    def run(self, before: Iterable[Checkpoint]) -> Followed:
        """Follow from the last checkpoint that still holds."""
        known = tuple(before)
        wanted = (*boundaries(int(self.cgm.minutes[0]), self.end, PIECE, KEPT), self.end)
        named = digests(self._context(), *self._used(), [*wanted, *(one.time for one in known)])
        *kept, last = carried(known, wanted, named, self._first, self._advance)
        person = self.habits.person
        recent = self._recent(self.end)
        return Followed(self.end, last.members, recent, person.weight, person.basal, tuple(kept))

    def _first(self) -> tuple[int, Array]:
        at = int(self.cgm.minutes[0])
        return at, begun(self.habits, at, float(self.cgm.glucose[0]), MEMBERS).members

    def _advance(self, at: int, members: Array, until: int) -> Array:
        here = (self.cgm.minutes > at) & (self.cgm.minutes <= until)
        cgm = Readings(self.cgm.minutes[here], self.cgm.glucose[here], self.cgm.variance[here])
        i, j, whole = at - self.start, until - self.start, self.inputs
        piece = Inputs(whole.insulin[i:j], whole.carbohydrates[i:j], whole.slow[i:j], whole.parts[i:j])
        return filtered(Ensemble(at, members, self._recent(at)), self.habits, cgm, piece).members

    def _recent(self, at: int) -> Array:
        """Return fast-acting insulin and food (2, 60) of the hour before; the usual before the week."""
        hour = np.zeros((2, LONGEST_DELAY))
        hour[0] = self.habits.person.basal
        done = np.stack((self.inputs.insulin, self.inputs.carbohydrates))[:, : at - self.start]
        return np.concatenate((hour, done), axis=1)[:, -LONGEST_DELAY:]

    def _context(self) -> bytes:
        """Return what goes in at the beginning."""
        person = self.habits.person
        first = float(self.cgm.minutes[0]), float(self.cgm.glucose[0])
        return repr((self.start, person.weight, person.basal, first)).encode()

    def _used(self) -> tuple[NDArray[np.int64], Array]:
        """Return what goes in by the end of each minute: its inputs, and the reading then."""
        times = np.arange(self.start + 1, self.end + 1, dtype=np.int64)
        rows = np.zeros((len(times), 5))
        rows[:, 0], rows[:, 1], rows[:, 2] = self.inputs.insulin, self.inputs.carbohydrates, self.inputs.slow
        at = self.cgm.minutes - self.start - 1
        rows[at[at >= 0], 3], rows[at[at >= 0], 4] = self.cgm.glucose[at >= 0], self.cgm.variance[at >= 0]
        return times, rows
