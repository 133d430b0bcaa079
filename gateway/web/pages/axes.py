"""Where instants and values lie in a drawing, in units of its view box, and the marks on its axes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, HEIGHT = 720.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 34.0, 8.0, 26.0
SHORT = timedelta(days=3)  # up to this long the axis shows the time of day
_STEPS = (1, 2, 3, 6, 12, 24)  # hours
_MONTHS = (1, 3, 6, 12, 24, 48, 60, 120)
_TICKS = 7
_TIMES, _DATES = 8, 6  # marks of time at most: so many do not touch on a small screen either
# Limits that a reader looks for, and the span that is always shown, by signal.
LIMITS = {"interstitial-glucose": (70.0, 180.0)}
_SPANS = {"interstitial-glucose": (40.0, 260.0)}


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from ``low`` at the bottom to ``high`` at the top."""

    low: float
    high: float

    @classmethod
    def over(cls, signal: str, values: Iterable[float]) -> Scale:
        """Return the scale of all ``values`` with some room, and of what is always shown of ``signal``."""
        shown = [*values, *_SPANS.get(signal, ())]
        low, high = min(shown), max(shown)
        room = (high - low) * 0.05 or 1.0
        return cls(low - room, high + room)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    def limits(self, signal: str) -> tuple[Tick, ...]:
        """Return the limits that a reader looks for."""
        return tuple(Tick(self.y(one), f"{one:g}") for one in LIMITS.get(signal, ()))

    def ticks(self) -> tuple[Tick, ...]:
        """Return a few round values."""
        step = _round((self.high - self.low) / _TICKS)
        first = int(self.low // step) + 1
        count = int((self.high - first * step) // step) + 1
        values = [round((first + n) * step, 9) for n in range(count)]
        return tuple(Tick(self.y(value), f"{value:g}") for value in values if value < self.high)


def _round(step: float) -> float:
    """Return the least of 1, 2, 5 times a power of ten that is no less than ``step``."""
    scale: float = 10.0 ** int(f"{step:e}".split("e")[1])
    return next(one * scale for one in (1, 2, 5, 10) if one * scale >= step * 0.999)


def x(share: float) -> float:
    """Return where a share of the whole width lies."""
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a drawing shows."""

    start: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        share: float = (at - self.start) / (self.end - self.start)
        return x(share)

    def ticks(self) -> tuple[Tick, ...]:
        """Return whole hours in the zone of this server; months or years where the span is long."""
        named = self._hours() if self.end - self.start <= SHORT else self._months()
        return tuple(Tick(self.x(at), text) for at, text in named)

    def _hours(self) -> Iterator[tuple[datetime, str]]:
        hours = (self.end - self.start) / timedelta(hours=1)
        step = next((one for one in _STEPS if hours / one <= _TIMES), _STEPS[-1])
        at = self.start.astimezone().replace(minute=0, second=0, microsecond=0)
        while at <= self.end:
            if at >= self.start and at.hour % step == 0:
                yield at, f"{at:%H:%M}"
            at = (at + timedelta(hours=1)).astimezone()  # the zone's offset may change meanwhile

    def _months(self) -> Iterator[tuple[datetime, str]]:
        months = (self.end - self.start) / timedelta(days=30.44)
        step = next((one for one in _MONTHS if months / one <= _DATES), _MONTHS[-1])
        first = self.start.year * 12 + self.start.month - 1
        last = self.end.year * 12 + self.end.month - 1
        for month in range(first + 1, last + 1):
            if month % step == 0:
                at = self.start.replace(
                    year=month // 12, month=month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0
                )
                yield at, f"{at:%Y}" if step % 12 == 0 else f"{at:%b %Y}"


Point = tuple[float, float]


def line(points: Sequence[Point]) -> str:
    """Return the points of a line; of one point a line that is seen nevertheless."""
    drawn = points if len(points) > 1 else [*points, *points]
    return " ".join(f"{left},{top}" for left, top in drawn)


def band(upper: Sequence[Point], lower: Sequence[Point]) -> str:
    """Return the points of the area between two lines."""
    return line([*upper, *reversed(lower)])
