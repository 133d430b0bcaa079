"""A marker that is followed as level and slope, as a twin model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from numpy.random import Generator

from twin_engine import screening
from twin_engine.equations import effects
from twin_engine.model import Inputs, ModelCard
from twin_engine.models.progression import narrative
from twin_engine.models.progression.course import (
    QUANTILES,
    Change,
    Normal,
    change_until,
    changes,
    level_at,
)
from twin_engine.models.progression.parameters import Population
from twin_engine.models.progression.series import YEAR, Selected, State
from twin_engine.twin import (
    Course,
    Evidence,
    Forecast,
    Plan,
    Reason,
    Refusal,
    Risk,
    Subject,
    Trajectory,
)
from twin_engine.years import birthday, years_after

HORIZONS = (1, 2, 5)
STEP = YEAR / 4
VALID_FOR = timedelta(days=365)

Selecting = Callable[[State, datetime], Selected | tuple[Reason, ...]]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level on whose wrong side it matters to lie: below it, or above it where ``rising``.

    Where ``share`` is set, ``value`` is the part of today's level that is left.
    """

    outcome: str
    value: float
    rising: bool = False
    share: bool = False


@dataclass(frozen=True, slots=True)
class Marker:
    """What is followed: a signal in its unit, on the logarithmic scale or its own, and its selection."""

    signal: str
    unit: str
    logarithmic: bool
    population: Population
    thresholds: tuple[Threshold, ...]
    select: Selecting

    def scaled(self, value: float) -> float:
        """Return a value on the scale that the marker is followed on."""
        return math.log(value) if self.logarithmic else value

    def said(self, value: float) -> float:
        """Return a value of that scale in the marker's unit."""
        return math.exp(value) if self.logarithmic else value


@dataclass(frozen=True, slots=True)
class Progression:
    """The course of one marker over five years and the risks of passing its thresholds."""

    card: ModelCard
    inputs: Inputs
    marker: Marker
    state_type: type[State] = State

    def prior(self, subject: Subject, at: datetime) -> State:
        """Return the state that knows only the person."""
        return State(at, subject)

    def assimilate(self, state: State, evidence: Evidence, at: datetime) -> State:  # noqa: ARG002
        """Return every value of the marker as of ``at``; the filter runs when it is asked."""
        return State.of(evidence, at, self.inputs)

    def forecast(self, state: State, at: datetime, rng: Generator) -> tuple[Forecast | Refusal, ...]:  # noqa: ARG002
        """Return the course from ``at`` on, or why there is none. Nothing is sampled."""
        selected = self.marker.select(state, at)
        if not isinstance(selected, Selected):
            return (self._refusal(state, selected, at),)
        return (self._forecast(selected, at),)

    def simulate(self, state: State, plan: Plan, until: datetime, rng: Generator) -> Trajectory | Refusal:  # noqa: ARG002
        """Return the course and the risks from ``state.at`` on, at most five years, under ``plan``.

        A treatment that the plan begins changes level and slope as published; the course carries the
        interval of that effect, and ``<outcome>-low`` and ``<outcome>-high`` the risks at its ends. One that
        is taken already changes nothing: the values contain its effect.
        """
        selected = self.marker.select(state, state.at)
        if not isinstance(selected, Selected):
            return self._refusal(state, selected, state.at)
        doubts = self._plan_doubts(plan, selected)
        if doubts:
            return self._refusal(state, doubts, state.at)
        return self._path(selected, plan, state.at, until)

    def _forecast(self, selected: Selected, at: datetime) -> Forecast:
        risks = tuple(
            Risk(f"{threshold.outcome}-{years}y", years_after(at, years), chance)
            for threshold in self.marker.thresholds
            for years in HORIZONS
            for chance in (self._risk(threshold, selected, years, ()),)
        )
        (family,) = self.card.families
        times = _times(at, years_after(at, HORIZONS[-1]))
        told = self._course(selected, times, at, ())
        return Forecast(
            family=family,
            at=at,
            expires=min(selected.until, at + VALID_FOR),
            risks=risks,
            basis=selected.sources,
            rationale=narrative.rationale(told, selected, self.marker.logarithmic),
            notes=narrative.notes(selected),
            courses=(told,),
        )

    def _refusal(self, state: State, reasons: tuple[Reason, ...], at: datetime) -> Refusal:
        (family,) = self.card.families
        of_age = birthday(state.subject, self.inputs.ages[0])
        turns = screening.turns((*state.conditions, *state.treatments), at)
        turns += [of_age] if of_age is not None and of_age > at else []
        retry = None if state.subject.deceased else min(turns, default=None)
        return Refusal(family, at, reasons, retry=retry)

    def _plan_doubts(self, plan: Plan, selected: Selected) -> tuple[Reason, ...]:
        unknown = {*plan.signals, *plan.scaled, *(dose.substance for dose in plan.doses)}
        unknown |= {name for name in plan.treatments if name not in self.inputs.treatments}
        return (
            *(
                Reason("out-of-scope", name, "No published effect of it on this marker is entered.")
                for name in sorted(unknown)
            ),
            *(
                Reason("out-of-scope", name, "The effect of stopping a treatment is not published.")
                for name in effects.stopped(plan.treatments, selected.taken)
            ),
            *(
                Reason("unconfirmed", name, "It is not clear from the record whether this is already taken.")
                for name in sorted(plan.treatments)
                if name in selected.doubtful
            ),
        )

    def _path(self, selected: Selected, plan: Plan, start: datetime, until: datetime) -> Trajectory:
        begun = effects.started(plan.treatments, selected.taken)
        found = (effects.marker_effect(name, self.marker.signal) for name in begun)
        change = changes((effect for effect in found if effect is not None), self.marker.logarithmic)
        times = _times(start, min(until, years_after(start, HORIZONS[-1])))
        told = self._course(selected, times, start, change)
        values = {self.marker.signal: told.median()}
        for threshold in self.marker.thresholds:
            values |= self._risks(threshold, selected, times, change)
        seconds = tuple(time.total_seconds() for time in times)
        return Trajectory(start, seconds, values, max(until - start, timedelta()), (told,))

    def _risks(
        self, threshold: Threshold, selected: Selected, times: Iterable[timedelta], plan: tuple[Change, ...]
    ) -> dict[str, tuple[float, ...]]:
        """Return the risk at each time, and with a plan its range over the ends of the effects."""
        exact = tuple(change.exact() for change in plan)
        plans = [exact, *(tuple(corner) for corner in zip(*(change.ends() for change in plan), strict=True))]
        rows = [[self._risk(threshold, selected, time / YEAR, each) for each in plans] for time in times]
        told = {threshold.outcome: tuple(row[0] for row in rows)}
        if plan:
            told[f"{threshold.outcome}-low"] = tuple(min(row) for row in rows)
            told[f"{threshold.outcome}-high"] = tuple(max(row) for row in rows)
        return told

    def _risk(
        self, threshold: Threshold, selected: Selected, years: float, plan: tuple[Change, ...]
    ) -> float:
        noise, limit = self.marker.population.noise, self.marker.scaled(threshold.value)
        reached: Normal
        if threshold.share:
            reached = change_until(selected.trend, years, noise, plan)
        else:
            reached = level_at(selected.trend, years, noise, plan)
        below = reached.below(limit)
        return 1 - below if threshold.rising else below

    def _course(
        self, selected: Selected, times: Iterable[timedelta], start: datetime, plan: tuple[Change, ...]
    ) -> Course:
        spans = tuple(times)
        noise = self.marker.population.noise
        levels = [level_at(selected.trend, span / YEAR, noise, plan) for span in spans]
        return Course(
            self.marker.signal,
            self.marker.unit,
            start,
            tuple(span.total_seconds() for span in spans),
            tuple(
                (share, tuple(self.marker.said(level.quantile(standard)) for level in levels))
                for share, standard in QUANTILES
            ),
        )


def _times(start: datetime, until: datetime) -> tuple[timedelta, ...]:
    """Return every quarter of a year from 0 on, and the end."""
    length = max(until - start, timedelta())
    quarters = tuple(STEP * number for number in range(length // STEP + 1))
    return quarters if quarters[-1] == length else (*quarters, length)
