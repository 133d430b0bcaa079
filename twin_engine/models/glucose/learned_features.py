"""What a forecast may look at: features of each reading, from what was known when it was taken.

A row of features uses readings, boluses, meals and basal rates up to and including its own minute, and
nothing after it: food and insulin to come are unknown. Carbohydrates and boluses count from the minute that
the record gives for them.

Insulin on board follows the exponential curve of Loop (peak 75 min, gone after 360 min; LoopKit,
``ExponentialInsulinModel``), carbohydrates on board two equal compartments of 40 min (Hovorka 2004,
doi:10.1088/0967-3334/25/4/010). Habits are what glucose did at the same time of the last three weeks' days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HORIZONS = (15, 30, 45, 60, 90, 120)  # minutes
LAGS = (5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 75, 90, 105, 120, 150, 180, 240, 300, 360)
DECAYS = (20, 45, 90, 180)  # minutes
BROKEN = 21.0  # minutes: a longer gap than between a sensor's readings, and a late one's
SAME = 4.0  # minutes: closer readings are the same told twice (two receivers, a scan beside the stored value)
DAY = 1440
_PEAK, _GONE, _FOOD = 75.0, 360.0, 40.0
_LONG = 1440.0  # minutes over which a dose of long-acting insulin fades
_WEEKS, _FADES = 21, 0.93  # days of a habit, and how much less each earlier day counts
_DRAWN = 2.0  # how many days of a habit the prior is worth
_BROAD = 30  # minutes on either side that count as the same time of the day
_NEVER = 600.0  # minutes: what came earlier is as good as never


@dataclass(frozen=True, slots=True)
class Events:
    """Amounts (k,) at ``minutes`` (k,), rising."""

    minutes: Array = field(default_factory=lambda: np.zeros(0))
    amounts: Array = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True)
class Trace:
    """One person's record: glucose (n,) in mg/dL at ``minutes`` (n,) of local time, midnights at 0 mod 1440.

    ``boluses`` and ``slow`` (long-acting) in U, ``food`` in g, ``basal`` in U/h from each minute on.
    """

    minutes: Array
    glucose: Array
    boluses: Events = field(default_factory=Events)
    food: Events = field(default_factory=Events)
    basal: Events = field(default_factory=Events)
    slow: Events = field(default_factory=Events)

    def until(self, minute: float) -> Trace:
        """Return what was known at ``minute``."""
        n = int(np.searchsorted(self.minutes, minute, side="right"))
        events = (_until(one, minute) for one in (self.boluses, self.food, self.basal, self.slow))
        return Trace(self.minutes[:n], self.glucose[:n], *events)


def _until(events: Events, minute: float) -> Events:
    n = int(np.searchsorted(events.minutes, minute, side="right"))
    return Events(events.minutes[:n], events.amounts[:n])


def single(minutes: Array, glucose: Array) -> tuple[Array, Array]:
    """Return readings without those told twice: less than four minutes after the one before."""
    kept, last = [], -np.inf
    for i, minute in enumerate(minutes.tolist()):
        if minute - last >= SAME:
            kept.append(i)
            last = minute
    return minutes[kept], glucose[kept]


def usable(trace: Trace) -> NDArray[np.bool_]:
    """Tell for which readings (n,) the hour before has no gap."""
    at = trace.minutes
    gaps = np.cumsum(np.diff(at, prepend=at[:1]) > BROKEN)
    before = np.searchsorted(at, at - 60, side="right") - 1
    return np.asarray((before >= 0) & (gaps == gaps[np.maximum(before, 0)]))


def targets(trace: Trace) -> tuple[Array, Array]:
    """Return glucose (n, 6) at the horizons after each reading, between readings, and when each was known.

    Both are nan where readings are too far apart to say.
    """
    at, g = trace.minutes, trace.glucose
    due = at[:, None] + np.array(HORIZONS)
    after = np.searchsorted(at, due)
    inside = after < len(at)
    upper = np.minimum(after, len(at) - 1)
    told = inside & (at[upper] - at[np.maximum(upper - 1, 0)] <= BROKEN)
    return np.where(told, np.interp(due, at, g), np.nan), np.where(told, at[upper], np.nan)


def features(trace: Trace, names: tuple[str, ...] | None = None) -> Array:
    """Return the features (n, p) of each reading, those of ``names`` or all in the order of ``NAMES``."""
    found = dict(_columns(trace))
    return np.column_stack([found[name] for name in names or NAMES])


def _columns(trace: Trace) -> Iterator[tuple[str, Array]]:
    yield from _recent(trace)
    yield from _insulin(trace)
    yield from _food(trace)
    yield from _clock(trace.minutes)
    yield from _level(trace)


def _recent(trace: Trace) -> Iterator[tuple[str, Array]]:
    at, g = trace.minutes, trace.glucose
    yield "glucose", g
    for lag in LAGS:
        yield f"change-{lag}", g - np.interp(at - lag, at, g)
    step = np.minimum(np.diff(at, prepend=at[:1]), 30.0)
    yield "step", step


def _insulin(trace: Trace) -> Iterator[tuple[str, Array]]:
    at, doses = trace.minutes, trace.boluses
    for decay in DECAYS:
        yield f"bolus-{decay}", _summed(at, doses, lambda age, d=decay: np.exp(-age / d), DAY / 2)  # type: ignore[misc]
    board = _summed(at, doses, on_board, _GONE)
    yield "insulin-on-board", board
    for ahead in (30, 60):
        left = _summed(at, doses, lambda age, h=ahead: on_board(age + h), _GONE)  # type: ignore[misc]
        yield f"insulin-acts-{ahead}", board - left
    yield "since-bolus", _since(at, doses)
    yield "boluses-of-day", _summed(at, doses, lambda age: np.ones_like(age), DAY, counted=True)
    yield "long-acting", _summed(at, trace.slow, lambda age: np.exp(-age / _LONG), 3 * _LONG)
    yield "basal-rate", _rate(at, trace.basal)


def _food(trace: Trace) -> Iterator[tuple[str, Array]]:
    at, meals = trace.minutes, trace.food
    for decay in DECAYS:
        yield f"food-{decay}", _summed(at, meals, lambda age, d=decay: np.exp(-age / d), DAY / 2)  # type: ignore[misc]
    board = _summed(at, meals, in_gut, DAY / 2)
    yield "food-on-board", board
    for ahead in (30, 60):
        left = _summed(at, meals, lambda age, h=ahead: in_gut(age + h), DAY / 2)  # type: ignore[misc]
        yield f"food-appears-{ahead}", board - left
    yield "since-food", _since(at, meals)
    yield "meals-of-day", _summed(at, meals, lambda age: np.ones_like(age), DAY, counted=True)


def _clock(at: Array) -> Iterator[tuple[str, Array]]:
    angle = 2 * np.pi * (at % DAY) / DAY
    for k in (1, 2, 3):
        yield f"sine-{k}", np.sin(k * angle)
        yield f"cosine-{k}", np.cos(k * angle)


def _level(trace: Trace) -> Iterator[tuple[str, Array]]:
    """Yield how far glucose is from where it was lately, and from where it usually is soon."""
    at, g = trace.minutes, trace.glucose
    sums = np.concatenate(([0.0], np.cumsum(g)))
    squares = np.concatenate(([0.0], np.cumsum(g * g)))
    last = np.arange(1, len(g) + 1)
    for name, span in (("day", DAY), ("week", 7 * DAY)):
        first = np.searchsorted(at, at - span)
        mean = (sums[last] - sums[first]) / (last - first)
        yield f"above-{name}", g - mean
        if name == "day":
            spread = (squares[last] - squares[first]) / (last - first) - mean**2
            yield "spread-day", np.sqrt(np.maximum(spread, 0))
    yield from _habits(trace, mean)


def _habits(trace: Trace, mean: Array) -> Iterator[tuple[str, Array]]:
    """Yield what glucose usually does from this time of the day on, and where it usually is then."""
    start, grid = _grid(trace)
    here = ((trace.minutes - start) // 5).astype(int)
    for ahead in (30, 60):
        later = np.full(len(grid), np.nan)
        later[: -ahead // 5] = grid[ahead // 5 :]
        yield f"usual-change-{ahead}", _usual(_smooth(later - grid), here, np.zeros(len(here)))
        yield f"above-usual-{ahead}", trace.glucose - _usual(_smooth(later), here, mean)


def _grid(trace: Trace) -> tuple[float, Array]:
    """Return glucose every five minutes from the day's beginning on, nan in gaps."""
    at, g = trace.minutes, trace.glucose
    start = float(at[0] // DAY * DAY)
    places = np.arange(start, at[-1] + 5, 5.0)
    after = np.searchsorted(at, places)
    upper = np.minimum(after, len(at) - 1)
    seen = (after > 0) & (after < len(at)) & (at[upper] - at[np.maximum(upper - 1, 0)] <= BROKEN)
    return start, np.where(seen, np.interp(places, at, g), np.nan)


def _smooth(values: Array) -> Array:
    """Return means over half an hour on either side; nan where less than four values are known."""
    half = _BROAD // 5
    known = ~np.isnan(values)
    sums = np.concatenate(([0.0], np.cumsum(np.where(known, values, 0))))
    counts = np.concatenate(([0], np.cumsum(known)))
    place = np.arange(len(values))
    low, high = np.maximum(place - half, 0), np.minimum(place + half + 1, len(values))
    n = counts[high] - counts[low]
    return np.where(n > 3, (sums[high] - sums[low]) / np.maximum(n, 1), np.nan)


def _usual(values: Array, here: NDArray[np.int_], prior: Array) -> Array:
    """Return weighted means of ``values`` at the same time of earlier days, drawn towards ``prior`` (n,)."""
    total, weight = _DRAWN * prior, np.full(len(here), _DRAWN)
    for day in range(1, _WEEKS + 1):
        place = here - day * DAY // 5
        value = np.where(place >= 0, values[np.maximum(place, 0)], np.nan)
        known, counts = ~np.isnan(value), _FADES**day
        total += np.where(known, value * counts, 0)
        weight += known * counts
    return np.asarray(total / weight, np.float64)


def on_board(age: Array) -> Array:
    """Return the share of a bolus that is still to act after ``age`` minutes."""
    tau = _PEAK * (1 - _PEAK / _GONE) / (1 - 2 * _PEAK / _GONE)
    a = 2 * tau / _GONE
    s = 1 / (1 - a + (1 + a) * np.exp(-_GONE / tau))
    x = np.minimum(age, _GONE)
    shape = (x**2 / (tau * _GONE * (1 - a)) - x / tau - 1) * np.exp(-x / tau) + 1
    return np.asarray(np.where(age >= _GONE, 0.0, 1 - s * (1 - a) * shape), np.float64)


def in_gut(age: Array) -> Array:
    """Return the share of a meal that has not appeared after ``age`` minutes."""
    return np.asarray((1 + age / _FOOD) * np.exp(-age / _FOOD), np.float64)


def _summed(
    at: Array, events: Events, share: Callable[[Array], Array], span: float, counted: bool = False
) -> Array:
    """Return the sums (n,) of amounts times their ``share`` by age, of events up to ``span`` minutes old."""
    total = np.zeros(len(at))
    first = np.searchsorted(events.minutes, at - span)
    last = np.searchsorted(events.minutes, at, side="right")
    for k in range(int((last - first).max(initial=0))):
        which = np.flatnonzero(first + k < last)
        event = first[which] + k
        amount = 1.0 if counted else events.amounts[event]
        total[which] += amount * share(at[which] - events.minutes[event])
    return total


def _since(at: Array, events: Events) -> Array:
    place = np.searchsorted(events.minutes, at, side="right") - 1
    if not len(events.minutes):
        return np.full(len(at), _NEVER)
    return np.where(place >= 0, np.minimum(at - events.minutes[np.maximum(place, 0)], _NEVER), _NEVER)


def _rate(at: Array, basal: Events) -> Array:
    """Return the rate that began last, 0 where none began within a day."""
    if not len(basal.minutes):
        return np.zeros(len(at))
    place = np.maximum(np.searchsorted(basal.minutes, at, side="right") - 1, 0)
    age = at - basal.minutes[place]
    return np.where((age >= 0) & (age <= DAY), basal.amounts[place], 0.0)


NAMES: tuple[str, ...] = tuple(name for name, _ in _columns(Trace(np.arange(2.0) * 5, np.full(2, 100.0))))
