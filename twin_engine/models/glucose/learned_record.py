"""From evidence to the record that forecasts learn from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np

from twin_engine.models.glucose.learned_features import DAY, Array, Events, Trace, single
from twin_engine.models.glucose.record import Given, Grid, given, readings
from twin_engine.twin import Evidence

DAYS = 120  # a day that long ago counts a quarter (``learned.FADES``)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def traced(evidence: Evidence, at: datetime, zone: tzinfo = UTC) -> Trace:
    """Return the record of the days before ``at``, on the clock that ``zone`` has at ``at``."""
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    grid = Grid((midnight - timedelta(days=DAYS)).astimezone(UTC), at)
    first = (grid.start - _EPOCH) / _MINUTE + (at.astimezone(zone).utcoffset() or timedelta()) / _MINUTE
    recorded = readings(evidence, grid)
    inputs = given(evidence, grid, timedelta(days=3))
    minutes, glucose = single(recorded.minutes + first, recorded.values)
    return Trace(
        minutes,
        glucose,
        boluses=_given_at(inputs.bolus, first),
        food=_begun(inputs.food, first),
        basal=_changed(inputs, first),
        slow=_sorted(inputs.slow_at + first, inputs.slow),
    )


def _given_at(amounts: Array, first: float) -> Events:
    minutes = np.flatnonzero(amounts)
    return Events(minutes.astype(np.float64) + first, amounts[minutes])


def _begun(rate: Array, first: float) -> Events:
    """Return what was eaten in one go, at the minute in which it began."""
    eaten = rate > 0
    begins = np.flatnonzero(eaten & ~np.concatenate(([False], eaten[:-1])))
    if not len(begins):
        return Events()
    return Events(begins.astype(np.float64) + first, np.add.reduceat(rate, begins))


def _changed(inputs: Given, first: float) -> Events:
    """Return basal rates in U/h at the minutes at which they begin, and once a day while they go on."""
    rate = inputs.basal
    known = np.flatnonzero(rate)
    if not len(known):
        return Events()
    fresh = np.concatenate(([True], np.diff(rate) != 0)) | (np.arange(len(rate)) % DAY == 0)
    minutes = np.flatnonzero(fresh)
    minutes = minutes[minutes >= known[0]]
    return Events(minutes.astype(np.float64) + first, 60 * rate[minutes])


def _sorted(minutes: Array, amounts: Array) -> Events:
    order = np.argsort(minutes, kind="stable")
    return Events(minutes[order], amounts[order])
