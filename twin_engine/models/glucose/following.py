"""Following one person: the filter over the last week, resumed from where nothing has changed.

The week begins at midnight UTC seven days ago. It is cut into pieces of six hours; at the end of each piece a
checkpoint keeps the ensemble together with a digest of everything that went into it. An update goes on from
the last checkpoint whose digest still holds: late, changed and withdrawn data are met by going back before
them. So the ensemble follows from evidence and time alone, whatever was known before.

A person's usual basal insulin is the mean of the full days before today: it changes once a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from twin_engine.models.glucose import artefacts
from twin_engine.models.glucose.filtering import Ensemble, Habits, Readings, begun, filtered
from twin_engine.models.glucose.minimal import Array, Inputs, Person, appearance
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
class Checkpoint:
    """The ensemble at minute ``at`` since 1970, and the digest of all that went into it."""

    at: int
    digest: str
    members: Array
    recent: Array


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
    track = _Track(habits, start, inputs, cgm, f"{kilograms!r} {basal!r}")
    return track.run({one.digest: one for one in before})


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
    """The filter's way over one week."""

    habits: Habits
    start: int
    inputs: Inputs
    cgm: Readings
    person: str

    def run(self, known: dict[str, Checkpoint]) -> Followed:
        """Follow the pieces from the last one whose beginning is ``known``."""
        ends = self._ends()
        digests = self._digests(ends)
        resumed = max((n for n, digest in enumerate(digests[:-1]) if digest in known), default=None)
        found: list[Checkpoint] = []
        ensemble = self._first() if resumed is None else _ensemble(known[digests[resumed]])
        if resumed is not None:
            found = [known[digest] for digest in digests[: resumed + 1] if digest in known]
        for n in range(0 if resumed is None else resumed + 1, len(ends)):
            ensemble = filtered(ensemble, self.habits, *self._piece(ensemble.at, ends[n]))
            found.append(Checkpoint(ensemble.at, digests[n], ensemble.members, ensemble.recent))
        last, person = found[-1], self.habits.person
        whole = tuple(one for one in found[:-1] if (one.at - self.start) % PIECE == 0)[-KEPT:]
        return Followed(last.at, last.members, last.recent, person.weight, person.basal, whole)

    def _ends(self) -> list[int]:
        """Return where pieces end: every six hours, and at last where the inputs do."""
        first = int(self.cgm.minutes[0])
        end = self.start + len(self.inputs.insulin)
        whole = range(self.start + PIECE, end, PIECE)
        return [*(one for one in whole if one > first), end]

    def _first(self) -> Ensemble:
        return begun(self.habits, int(self.cgm.minutes[0]), float(self.cgm.glucose[0]), MEMBERS)

    def _digests(self, ends: list[int]) -> list[str]:
        """Return for each end the digest of all that went in before it."""
        first = self.cgm.minutes[0], self.cgm.glucose[0]
        running = hashlib.sha256(f"{self.start} {self.person} {first!r}".encode())
        digests, at = [], self.start
        for end in ends:
            readings, inputs = self._piece(at, end)
            for part in (readings.minutes, readings.glucose, readings.variance):
                running.update(part.tobytes())
            for part in (inputs.insulin, inputs.carbohydrates, inputs.slow):
                running.update(part.tobytes())
            digests.append(running.hexdigest())
            at = end
        return digests

    def _piece(self, begin: int, end: int) -> tuple[Readings, Inputs]:
        """Return what happens from ``begin`` to ``end``; a reading at the seam is of the earlier piece."""
        at = self.cgm.minutes
        here = (at > begin) & (at <= end)
        cgm = Readings(at[here], self.cgm.glucose[here], self.cgm.variance[here])
        i, j = begin - self.start, end - self.start
        whole = self.inputs
        return cgm, Inputs(whole.insulin[i:j], whole.carbohydrates[i:j], whole.slow[i:j], whole.parts[i:j])


def _ensemble(checkpoint: Checkpoint) -> Ensemble:
    return Ensemble(checkpoint.at, checkpoint.members, checkpoint.recent)
