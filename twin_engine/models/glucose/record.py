"""What the record says of glucose, insulin and food, laid out on a grid of minutes.

The same thing is often told twice: by the sensor and by the pump that shows it, by the pump and by the
person's diary. Readings of one minute are one reading, their mean. Boluses, and meals, of the same amount
within five minutes are one. Where two basal rates cover a minute, the one that began last holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from twin_engine.screening import CLOCK_SKEW
from twin_engine.twin import Dose, Evidence, Measurement, Series

Array = NDArray[np.float64]

FAST, LONG = "fast-acting-insulin", "long-acting-insulin"
FOOD = "carbohydrate-intake"
SENSOR = "interstitial-glucose"

LISTED = 300  # references: a day of readings; a resource that lists thousands is of use to nobody
SAME = 5.0  # minutes: two records of the same amount this close are of the same bolus or meal
EATEN_IN = 10  # minutes over which a meal is eaten; the record gives its beginning only
TAKEN = (20.0, 600.0)  # mg/dL: no sensor shows what lies beyond
LOWEST, HIGHEST = 40.0, 400.0  # mg/dL: what sensors show as LO and HI lies beyond these


@dataclass(frozen=True, slots=True)
class Readings:
    """Glucose in mg/dL at ``minutes`` after the start of the grid, both (n,), rising, one a minute.

    ``sources`` are of everything that went in, the newest last.
    """

    minutes: Array
    values: Array
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """Inputs of each minute (n,): fast-acting insulin as ``bolus`` and ``basal`` in U/min, food in g/min.

    ``slow`` are doses (k,) of long-acting insulin in U, each at its minute in ``slow_at``, which is negative
    before the grid. ``sources`` are of everything that went in.
    """

    bolus: Array
    basal: Array
    food: Array
    slow: Array
    slow_at: Array
    sources: tuple[str, ...]

    @property
    def fast(self) -> Array:
        """Return fast-acting insulin of both kinds (n,) in U/min."""
        return self.bolus + self.basal


@dataclass(frozen=True, slots=True)
class Grid:
    """Minutes from ``start`` to ``at``, whole ones only."""

    start: datetime
    at: datetime

    @property
    def minutes(self) -> int:
        """Return how many whole minutes there are."""
        return int((self.at - self.start) / timedelta(minutes=1))

    def place(self, time: datetime) -> float:
        """Return ``time`` in minutes after the start."""
        return (time - self.start) / timedelta(minutes=1)

    def holds(self, time: datetime) -> bool:
        """Tell whether ``time`` is on the grid; clocks may run a little ahead."""
        return self.start <= time <= self.at + CLOCK_SKEW


def readings(evidence: Evidence, grid: Grid) -> Readings:
    """Return the sensor's readings on ``grid``; a mark for too low or too high counts as the limit."""
    found = sorted({*_single(evidence.measurements, grid), *_sampled(evidence.series, grid)})
    taken = [one for one in found if TAKEN[0] <= one[1] <= TAKEN[1]]
    minutes, values = [], []
    for minute, group in groupby(taken, key=lambda one: min(floor(one[0]), grid.minutes)):
        together = [value for _, value, _ in group]
        minutes.append(float(minute))
        values.append(sum(together) / len(together))
    return Readings(np.array(minutes), np.array(values), tuple(dict.fromkeys(one[2] for one in taken)))


def newest(evidence: Evidence, grid: Grid) -> Measurement | None:
    """Return the newest reading, single or of a trace, whatever its value."""
    found = sorted({*_single(evidence.measurements, grid), *_sampled(evidence.series, grid)})
    if not found:
        return None
    minute, value, source = found[-1]
    return Measurement(SENSOR, grid.start + timedelta(minutes=minute), source, value)


_Point = tuple[float, float, str]


def _single(measurements: Iterable[Measurement], grid: Grid) -> Iterator[_Point]:
    for item in measurements:
        if item.signal == SENSOR and grid.holds(item.time):
            yield grid.place(item.time), item.value, item.source


def _sampled(series: Iterable[Series], grid: Grid) -> Iterator[_Point]:
    for one in series:
        if one.signal != SENSOR or one.channels != 1:
            continue
        shown = (
            dict(enumerate(one.values)) | dict.fromkeys(one.below, LOWEST) | dict.fromkeys(one.above, HIGHEST)
        )
        for index, value in shown.items():
            time = one.time + timedelta(seconds=index * one.period)
            if value is not None and grid.holds(time):
                yield grid.place(time), value, one.source


def given(evidence: Evidence, grid: Grid, memory: timedelta) -> Given:
    """Return the inputs on ``grid``; long-acting insulin as far back as ``memory`` before its start."""
    fast = [dose for dose in evidence.doses if dose.substance == FAST and dose.time <= grid.at + CLOCK_SKEW]
    boluses = list(_once([(dose.time, dose.amount, dose.source) for dose in fast if dose.until is None]))
    rates = [dose for dose in fast if dose.until is not None and dose.until > grid.start]
    meals = list(_once([(item.time, item.value, item.source) for item in _meals(evidence, grid)]))
    slow = list(_once([(dose.time, dose.amount, dose.source) for dose in _slow(evidence, grid, memory)]))
    inside = [bolus for bolus in boluses if grid.holds(bolus[0])]
    return Given(
        bolus=_spread(inside, grid, 1),
        basal=_rates(rates, grid),
        food=_spread(meals, grid, EATEN_IN),
        slow=np.array([amount for _, amount, _ in slow]),
        slow_at=np.array([grid.place(time) for time, _, _ in slow]),
        sources=tuple(
            sorted({source for _, _, source in (*inside, *meals, *slow)} | {one.source for one in rates})
        ),
    )


def _meals(evidence: Evidence, grid: Grid) -> Iterator[Measurement]:
    return (item for item in evidence.measurements if item.signal == FOOD and grid.holds(item.time))


def _slow(evidence: Evidence, grid: Grid, memory: timedelta) -> Iterator[Dose]:
    for dose in evidence.doses:
        if dose.substance == LONG and grid.start - memory <= dose.time <= grid.at + CLOCK_SKEW:
            yield dose


_Event = tuple[datetime, float, str]


def _once(events: Iterable[_Event]) -> Iterator[_Event]:
    """Yield each event once; the first record of it is the one that counts."""
    taken: list[_Event] = []
    for event in sorted(set(events)):
        recent = (one for one in taken if event[0] - one[0] < timedelta(minutes=SAME))
        if all(abs(one[1] - event[1]) > 1e-9 or one[2] == event[2] for one in recent):
            yield event
        taken = [*(one for one in taken if event[0] - one[0] < timedelta(minutes=SAME)), event]


def _spread(events: Iterable[_Event], grid: Grid, minutes: int) -> Array:
    rate = np.zeros(grid.minutes)
    for time, amount, _ in events:
        first = min(max(floor(grid.place(time)), 0), grid.minutes)
        rate[first : first + minutes] += amount / minutes
    return rate


def _rates(doses: Iterable[Dose], grid: Grid) -> Array:
    rate = np.zeros(grid.minutes)
    for dose in sorted(doses, key=lambda one: (one.time, one.source)):
        if dose.until is None:
            continue
        length = (dose.until - dose.time) / timedelta(minutes=1)
        first, last = max(round(grid.place(dose.time)), 0), ceil(grid.place(dose.until) - 0.5)
        if length > 0:
            rate[first : max(last, first)] = dose.amount / length
    return rate
