"""Scoring a forecast once its outcome is known: what was foretold against what came.

A course is compared with what is measured after a quarter, after half and at the end of its span: with the
value nearest to each, at that value's own instant. A risk is compared with what the model can tell of it
(``calibration.Scored``). What cannot be known yet is asked again later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from twin_engine.calibration import TENTHS, Scored, brier, pinball
from twin_engine.model import Model
from twin_engine.twin import Course, Evidence, Forecast, Risk, Subject

Kind = Literal["course", "risk"]

PARTS = (0.25, 0.5, 1.0)
# How far from the instant foretold a value may lie, as a part of the span; less than half of the least part.
NEAR = 0.1
_MINUTE, _DAY = 60, 86_400
# Horizons are told apart as coarsely: the first that is no shorter counts. Years have their leap days.
HORIZONS = (
    *((minutes * _MINUTE, f"{minutes} min") for minutes in (15, 30, 60, 120)),
    *((hours * 3600, f"{hours} h") for hours in (4, 8, 12, 24)),
    *((days * _DAY, f"{days} d") for days in (7, 30, 92, 183)),
    *((years * 366 * _DAY, f"{years} a") for years in (1, 2, 5, 10, 30)),
)
_LABELS = dict(HORIZONS)
_BANDS = ((18, "under 18"), (40, "18 to 39"), (65, "40 to 64"), (200, "65 and over"))
EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class Period:
    """One thing that a forecast says of one instant or until it: to be known from ``until`` on."""

    kind: Kind
    what: str
    horizon: int
    until: datetime
    course: Course | None = None
    risk: Risk | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How one forecast did.

    ``between`` are, for a course, the levels between whose quantiles the value came, for a risk the edges
    of the tenth in which its probability lies. ``observed`` is 1 where a risk came about; ``expected`` its
    probability. ``loss`` is a proper score: Brier for a risk; for a course the mean pinball loss of its
    quantiles, whose outermost are ``width`` apart, both in the signal's unit.
    """

    kind: Kind
    what: str
    horizon: int
    made: datetime
    until: datetime
    sex: str
    band: str
    between: tuple[float, float]
    loss: float
    observed: float = 0.0
    expected: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """Whose forecasts of what are looked at together; ``people`` is empty for everybody."""

    kind: Kind
    what: str
    horizon: int
    people: str

    def __str__(self) -> str:
        whose = f", {self.people}" if self.people else ""
        return f"{self.what.replace('-', ' ')} in {horizon_label(self.horizon)}{whose}"


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over ``n`` scores that are alike; ``apart`` ones share their outcome with no other of a person."""

    kind: Kind
    what: str
    horizon: int
    sex: str
    band: str
    between: tuple[float, float]
    apart: bool
    n: int
    loss: float = 0.0
    observed: float = 0.0
    expected: float = 0.0
    width: float = 0.0

    def groups(self) -> tuple[Group, ...]:
        """Return everybody, and the parts by sex and by age in which these are."""
        return tuple(
            Group(self.kind, self.what, self.horizon, people) for people in (EVERYBODY, self.sex, self.band)
        )


def horizon_label(horizon: int) -> str:
    """Return a horizon of the table in words."""
    return _LABELS[horizon]


def _horizon(span: timedelta) -> int:
    seconds = span.total_seconds()
    return next((limit for limit, _ in HORIZONS if seconds <= limit), HORIZONS[-1][0])


def periods(model: Model, forecast: Forecast) -> tuple[Period, ...]:
    """Return what of ``forecast`` can be scored, in the order in which it will be known."""
    units = {signal.name: signal.unit for signal in model.inputs.signals}
    found = [
        period
        for course in forecast.courses
        if units.get(course.signal) == course.unit
        for period in _of_course(course, forecast.at)
    ]
    if isinstance(model, Scored):
        found += [
            Period("risk", risk.outcome, _horizon(risk.until - forecast.at), risk.until, risk=risk)
            for risk in forecast.risks
            if risk.until is not None and risk.probability is not None
        ]
    return tuple(sorted(found, key=lambda period: (period.until, period.kind, period.what)))


def _of_course(course: Course, at: datetime) -> Iterator[Period]:
    span = course.start + timedelta(seconds=course.times[-1]) - at
    if span > timedelta(0):
        for part in PARTS:
            yield Period("course", course.signal, _horizon(part * span), at + part * span, course=course)


def bare(forecast: Forecast) -> Forecast:
    """Return what of ``forecast`` is needed to score it."""
    return replace(
        forecast, basis=(), rationale="", contributions=(), score=None, trend=None, notes=(), summaries=()
    )


def scores(
    model: Model, forecast: Forecast, over: Iterable[Period], evidence: Evidence, at: datetime
) -> dict[Period, Score]:
    """Return the scores of those periods in ``over`` whose outcome is known at ``at``."""
    asked = tuple(over)
    told: Mapping[Risk, bool] = {}
    if isinstance(model, Scored) and any(period.risk for period in asked):
        told = model.outcomes(evidence, forecast, at)
    found = ((period, _score(forecast, period, evidence, told)) for period in asked)
    return {period: score for period, score in found if score is not None}


def _score(forecast: Forecast, period: Period, evidence: Evidence, told: Mapping[Risk, bool]) -> Score | None:
    if period.course is not None:
        return _of_value(forecast, period, period.course, evidence)
    if period.risk is None or period.risk not in told:
        return None
    happened, p = told[period.risk], period.risk.probability or 0.0
    place = min(int(p * 10), 9)
    between = (TENTHS[place], TENTHS[place + 1])
    loss = float(brier(p, happened))
    bare_score = _head(forecast, period, evidence.subject, between, loss)
    return replace(bare_score, observed=float(happened), expected=p)


def _of_value(forecast: Forecast, period: Period, course: Course, evidence: Evidence) -> Score | None:
    near = nearest(course, forecast.at, period.until, evidence)
    if near is None:
        return None
    time, value = near
    x = (time - course.start).total_seconds()
    levels = np.array([level for level, _ in course.quantiles])
    q = np.array([np.interp(x, course.times, values) for _, values in course.quantiles])
    # A value at the edge of a central interval is inside it, on either side.
    below = int(np.count_nonzero((q < value) | ((q == value) & (levels < 0.5))))
    edges = (0.0, *levels.tolist(), 1.0)
    loss = float(pinball(q, value, levels).mean())
    score = _head(forecast, period, evidence.subject, (edges[below], edges[below + 1]), loss)
    return replace(score, width=float(q[-1] - q[0]))


def _head(
    forecast: Forecast, period: Period, subject: Subject, between: tuple[float, float], loss: float
) -> Score:
    age = subject.age_at(forecast.at)
    band = "age unknown" if age is None else next(name for limit, name in _BANDS if age < limit)
    return Score(
        kind=period.kind,
        what=period.what,
        horizon=period.horizon,
        made=forecast.at,
        until=period.until,
        sex=subject.sex or "sex unknown",
        band=band,
        between=between,
        loss=loss,
    )


def nearest(
    course: Course, made: datetime, until: datetime, evidence: Evidence
) -> tuple[datetime, float] | None:
    """Return the value of the course's signal that was measured nearest to ``until``, if near enough."""
    end = course.start + timedelta(seconds=course.times[-1])
    reach = NEAR * (end - made)
    first = max(until - reach, course.start + timedelta(seconds=course.times[0]))
    seen = measured(evidence, course.signal, first, min(until + reach, end))
    later = ((time, value) for time, value in seen if time > made)
    return min(later, key=lambda one: (abs(one[0] - until), one[0]), default=None)


def measured(
    evidence: Evidence, signal: str, since: datetime, until: datetime
) -> Iterator[tuple[datetime, float]]:
    """Yield the values of ``signal`` between two instants, both included."""
    start = bisect_left(evidence.measurements, (signal, since), key=lambda item: (item.signal, item.time))
    for item in evidence.measurements[start:]:
        if item.signal != signal or item.time > until:
            break
        yield item.time, item.value
    for series in evidence.series:
        if series.signal == signal and series.channels == 1 and series.time <= until:
            for index, value in enumerate(series.values):
                time = series.time + timedelta(seconds=index * series.period)
                if value is not None and since <= time <= until:
                    yield time, value
