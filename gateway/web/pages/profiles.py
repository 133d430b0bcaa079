"""The ambulatory glucose profile: two weeks as one day, drawn, with the shares of time in five ranges.

It covers the days of the model's own summary, so that drawing and numbers are of the same readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np

from gateway.operations.portrait import Told
from gateway.web.pages.axes import Point, Scale, Tick, band, line, x
from twin_engine.models.glucose.metrics import PERCENTILES, SLOT, Array, profile
from twin_engine.models.glucose.record import SENSOR, Grid, readings
from twin_engine.twin import Evidence, Forecast, Item, Subject, Summary

WHOLE = 400.0  # width of the bar of shares
_ACTIVE = "sensor-active"
# The five ranges of the consensus, the lowest first (Battelino 2019, doi:10.2337/dci19-0028).
RANGES = ("time-below-54", "time-below-70", "time-in-range", "time-above-180", "time-above-250")
_EVERY = 3  # hours
_NOBODY = Subject(None, None, deceased=False, source="")


@dataclass(frozen=True, slots=True)
class Share:
    """One range: its name, its share in per cent, and where its part of the bar lies."""

    name: str
    percent: float
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What a template draws. ``days`` have readings, of those from ``start`` to ``end``.

    ``bands`` are polygons, the widest first, ``median`` lines; both are broken where a time of day has no
    readings. ``active`` is the share of time with readings, in per cent.
    """

    start: datetime
    end: datetime
    days: int
    active: float
    bands: tuple[str, ...]
    median: tuple[str, ...]
    limits: tuple[Tick, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    shares: tuple[Share, ...]
    words: str


def controlled(told: Iterable[Told]) -> Told | None:
    """Return the answer that says how glucose was controlled, or why that cannot be said."""
    return next((one for one in told if one.answer.family == "glucose-control"), None)


def drawn(told: Told | None, items: Iterable[Item], zone: tzinfo | None = None) -> Profile | None:
    """Return the profile in ``zone``, else that of this server; None where the model gives no numbers."""
    summaries = told.answer.summaries if told and isinstance(told.answer, Forecast) else ()
    numbers = {one.name: one for one in summaries}
    if not {_ACTIVE, *RANGES} <= numbers.keys():
        return None
    active = numbers[_ACTIVE]
    recorded = readings(Evidence.of(_NOBODY, items), Grid(active.start, active.end))
    times = [active.start + timedelta(minutes=minute) for minute in recorded.minutes.tolist()]
    if not times:
        return None
    rows = profile(times, recorded.values, zone)
    known = rows[~np.isnan(rows).any(axis=1)]
    scale = Scale.over(SENSOR, known.ravel().tolist())
    return Profile(
        start=active.start,
        end=active.end,
        days=len({at.astimezone(zone).date() for at in times}),
        active=active.value,
        bands=tuple(_bands(rows, scale)),
        median=tuple(line(_points(rows, run, 2, scale)) for run in _runs(rows)),
        limits=scale.limits(SENSOR),
        across=tuple(Tick(x(hour / 24), f"{hour:02}:00") for hour in range(0, 25, _EVERY)),
        up=scale.ticks(),
        shares=_shares(numbers),
        words=_words(rows),
    )


def _runs(rows: Array) -> list[list[int]]:
    """Return the quarter hours with readings, in runs without a gap."""
    found: list[list[int]] = []
    for slot in np.flatnonzero(~np.isnan(rows[:, 0])).tolist():
        if found and found[-1][-1] == slot - 1:
            found[-1].append(slot)
        else:
            found.append([slot])
    return found


def _points(rows: Array, run: Sequence[int], which: int, scale: Scale) -> list[Point]:
    return [(x((slot + 0.5) / len(rows)), scale.y(float(rows[slot, which]))) for slot in run]


def _bands(rows: Array, scale: Scale) -> Iterable[str]:
    last = len(PERCENTILES) - 1
    for outer in range(last // 2):
        for run in _runs(rows):
            yield band(_points(rows, run, last - outer, scale), _points(rows, run, outer, scale))


def _shares(numbers: dict[str, Summary]) -> tuple[Share, ...]:
    found, before = [], 0.0
    for name in RANGES:
        width = numbers[name].value / 100 * WHOLE
        found.append(Share(name, numbers[name].value, round(before, 1), round(width, 1)))
        before += width
    return tuple(found)


def _words(rows: Array) -> str:
    middle = rows[:, 2]
    highest, lowest = int(np.nanargmax(middle)), int(np.nanargmin(middle))
    return (
        f"the middle is highest about {_clock(highest)}, {middle[highest]:.0f}, "
        f"and lowest about {_clock(lowest)}, {middle[lowest]:.0f}"
    )


def _clock(slot: int) -> str:
    minutes = slot * SLOT
    return f"{minutes // 60:02}:{minutes % 60:02}"
