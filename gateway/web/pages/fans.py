"""Geometry of a course with its uncertainty, and of what was measured, in units of the drawing's view box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.web.pages.axes import SHORT, Point, Scale, Span, Tick, band, line
from gateway.web.pages.words import number
from twin_engine.twin import Course, Item, Measurement, Series

_BEFORE = timedelta(hours=3)  # of measured values, where the course is short
_LEAST = timedelta(hours=1)  # of time that is drawn


@dataclass(frozen=True, slots=True)
class Fan:
    """What a template draws: ``bands`` are polygons, the widest first, ``measured`` are centres of dots.

    ``now`` is where the forecast was made; ``words`` say what the drawing shows, ``legend`` how.
    """

    bands: tuple[str, ...]
    median: str
    measured: tuple[Point, ...]
    limits: tuple[Tick, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    now: float
    words: str
    legend: str


def fan(course: Course, items: Iterable[Item] = (), beside: Iterable[Course] = ()) -> Fan:
    """Return the drawing of ``course`` with what of ``items`` was measured before and after it was made.

    Courses ``beside`` are those that it is compared with: all are drawn to one scale.
    """
    span = _span(course)
    seen = [one for one in measured(course.signal, items) if span.start <= one[0] <= span.end]
    foretold = [value for each in (course, *beside) for _, row in each.quantiles for value in row]
    scale = Scale.over(course.signal, [*foretold, *(value for _, value in seen)])
    instants = [course.start + timedelta(seconds=one) for one in course.times]

    def places(values: Sequence[float]) -> list[Point]:
        return [(span.x(at), scale.y(value)) for at, value in zip(instants, values, strict=True)]

    return Fan(
        bands=tuple(band(places(high), places(low)) for _, low, high in _pairs(course)),
        median=line(places(course.median())),
        measured=tuple((span.x(at), scale.y(value)) for at, value in seen),
        limits=scale.limits(course.signal),
        across=span.ticks(),
        up=scale.ticks(),
        now=span.x(course.start),
        words=_words(course, seen),
        legend=_legend(course),
    )


def _span(course: Course) -> Span:
    """Return the time that is shown: the course, and some of what was before."""
    length = max(timedelta(seconds=course.times[-1]), _LEAST)
    before = min(_BEFORE, length) if length < SHORT else length
    return Span(course.start - before, course.start + length)


_Pair = tuple[float, tuple[float, ...], tuple[float, ...]]


def _pairs(course: Course) -> list[_Pair]:
    """Return the quantiles that lie about the middle: the share between them, the lower, the upper."""
    rows = course.quantiles
    return [
        (rows[-1 - n][0] - rows[n][0], rows[n][1], rows[-1 - n][1])
        for n in range(len(rows) // 2)
        if rows[n][0] < 0.5 < rows[-1 - n][0]
    ]


def measured(signal: str, items: Iterable[Item]) -> list[tuple[datetime, float]]:
    """Return the values of ``signal``, single ones and those of traces, in the order of time."""
    found: list[tuple[datetime, float]] = []
    for item in items:
        if isinstance(item, Measurement) and item.signal == signal:
            found.append((item.time, item.value))
        elif isinstance(item, Series) and item.signal == signal and item.channels == 1:
            found += [
                (item.time + timedelta(seconds=n * item.period), value)
                for n, value in enumerate(item.values)
                if value is not None
            ]
    return sorted(found)


def _words(course: Course, seen: Sequence[tuple[datetime, float]]) -> str:
    said = [f"at the end about {number(course.median()[-1])}"]
    for share, low, high in _pairs(course)[:1]:
        said.append(f"{share:.0%} of the forecasts between {number(low[-1])} and {number(high[-1])}")
    after = [value for at, value in seen if at > course.start]
    before = [value for at, value in seen if at <= course.start]
    if before:
        said.append(f"{len(before)} values measured before, the last {number(before[-1])}")
    if after:
        said.append(f"{len(after)} measured after, from {number(min(after))} to {number(max(after))}")
    return "; ".join(said).replace("%", " %")


def _legend(course: Course) -> str:
    shares = [f"{round(100 * share)} %" for share, _, _ in reversed(_pairs(course))]
    bands = f" Bands: {' and '.join(shares)} of the forecasts." if shares else ""
    return f"Line: the middle of the forecasts.{bands} Dots: measured. Upright line: when it was made."
