"""Geometry of the drawings on a page, in units of their own view box; the templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from twin_engine.twin import Contribution

BAR_WIDTH = 200.0
LINE_WIDTH, LINE_HEIGHT, MARGIN = 140.0, 32.0, 4.0
LONGEST_LINE = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from ``x`` over ``width``; ``zero`` is where no effect is."""

    x: float
    width: float
    zero: float


@dataclass(frozen=True, slots=True)
class Line:
    """A course in time: the polyline's points, its last point, and what it shows in words."""

    points: str
    last: tuple[float, float]
    count: int
    low: float
    high: float
    since: datetime


def bars(contributions: Sequence[Contribution]) -> list[Bar]:
    """Return one bar for each contribution; zero is in the middle where any of them lowers the risk."""
    weights = [contribution.weight for contribution in contributions]
    largest = max((abs(weight) for weight in weights), default=0.0) or 1.0
    zero = BAR_WIDTH / 2 if any(weight < 0 for weight in weights) else 0.0
    room = BAR_WIDTH - zero
    return [_bar(weight / largest * room, zero) for weight in weights]


def _bar(length: float, zero: float) -> Bar:
    return Bar(round(min(zero, zero + length), 1), round(abs(length), 1), zero)


def line(course: Sequence[tuple[datetime, float]]) -> Line | None:
    """Return the course of the last values; None where fewer than three make none."""
    shown = sorted(course)[-LONGEST_LINE:]
    if len(shown) < 3:
        return None
    values = [value for _, value in shown]
    since, low, high = shown[0][0], min(values), max(values)
    ages = [(at - since).total_seconds() for at, _ in shown]
    places = [
        (
            _place(_share(age, 0.0, ages[-1]), LINE_WIDTH),
            LINE_HEIGHT - _place(_share(value, low, high), LINE_HEIGHT),
        )
        for age, value in zip(ages, values, strict=True)
    ]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return Line(drawn, places[-1], len(shown), low, high, since)


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _place(share: float, extent: float) -> float:
    return MARGIN + share * (extent - 2 * MARGIN)
