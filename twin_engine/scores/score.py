"""A published score as a twin model: the newest values count, and nothing else is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from numpy.random import Generator

from twin_engine import screening
from twin_engine.model import Inputs, ModelCard
from twin_engine.scores.choice import Selected
from twin_engine.scores.planning import A, Course
from twin_engine.scores.record import Record
from twin_engine.twin import Evidence, Forecast, Plan, Reason, Refusal, Subject, Trajectory
from twin_engine.years import birthday


@dataclass(frozen=True, slots=True)
class Score(Generic[A]):
    """A score of one outcome family.

    ``select`` returns what the equation takes at an instant or every reason why it does not speak, ``tell``
    the forecast from it, ``course`` how it is followed through the years. A model derives a class of its
    own, so that its package tells by which code a forecast was made.
    """

    card: ModelCard
    inputs: Inputs
    select: Callable[[Record, datetime], Selected[A] | tuple[Reason, ...]]
    tell: Callable[[Record, Selected[A], datetime], Forecast]
    course: Course[A]
    state_type: type[Record] = Record

    def prior(self, subject: Subject, at: datetime) -> Record:
        """Return the state that knows only the person."""
        return Record(at, subject)

    def assimilate(self, state: Record, evidence: Evidence, at: datetime) -> Record:  # noqa: ARG002
        """Return the newest of each input as of ``at``; the equations remember nothing else."""
        return Record.of(self.inputs, evidence, at)

    def forecast(self, state: Record, at: datetime, rng: Generator) -> tuple[Forecast | Refusal, ...]:  # noqa: ARG002
        """Return what the score says from ``at`` on, or why it says nothing."""
        selected = self.select(state, at)
        if isinstance(selected, Selected):
            return (self.tell(state, selected, at),)
        return (self._refusal(state, selected, at),)

    def simulate(self, state: Record, plan: Plan, until: datetime, rng: Generator) -> Trajectory | Refusal:  # noqa: ARG002
        """Return the score at ``state.at`` and each year after it under ``plan``.

        Everything that the plan does not hold stays as it is, but age. An association is not an effect: the
        path compares people who have the planned values, it does not promise what changing them does.
        """
        selected = self.select(state, state.at)
        if not isinstance(selected, Selected):
            return self._refusal(state, selected, state.at)
        doubts = self.course.doubts(plan, self.inputs)
        if doubts:
            return self._refusal(state, doubts, state.at)
        last = self.inputs.ages[1]
        return self.course.path(selected.profile, plan, state.at, until, last)

    def _refusal(self, state: Record, reasons: tuple[Reason, ...], at: datetime) -> Refusal:
        (family,) = self.card.families
        of_age = birthday(state.subject, self.inputs.ages[0])
        turns = screening.turns((*state.conditions, *state.treatments), at)
        turns += [of_age] if of_age is not None and of_age > at else []
        return Refusal(
            family, at, reasons, retry=None if state.subject.deceased else min(turns, default=None)
        )
