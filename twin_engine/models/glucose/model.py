"""Type 1 diabetes as a twin model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from numpy.random import Generator

from twin_engine import screening
from twin_engine.calibration import Limits
from twin_engine.model import Inputs, ModelCard
from twin_engine.models.glucose import card
from twin_engine.models.glucose.card import (
    AGES,
    CARD,
    DIAGNOSIS,
    EXCLUDED,
    GLUCOSE,
    INPUTS,
    UNMODELLED,
    WEIGHT,
)
from twin_engine.models.glucose.limits import LIMITS as DOSES
from twin_engine.models.glucose.limits import Limits as DoseLimits
from twin_engine.models.glucose.state import State
from twin_engine.twin import (
    Evidence,
    Forecast,
    Plan,
    Proposal,
    Reason,
    Refusal,
    Risk,
    Subject,
    Trajectory,
)
from twin_engine.years import birthday

# Compiled at set-up; see ``compilation.warm``.
KERNELS = tuple(f"twin_engine.models.glucose.{name}_kernel" for name in ("filtering", "minimal"))


@dataclass(frozen=True, slots=True)
class TypeOneDiabetes:
    """Glucose of a person with type 1 diabetes, followed by an ensemble Kalman filter."""

    card: ModelCard = CARD
    inputs: Inputs = INPUTS
    state_type: type[State] = State
    kernels: tuple[str, ...] = KERNELS

    def prior(self, subject: Subject, at: datetime) -> State:
        """Return the state that knows only the person."""
        return State(at, subject)

    def assimilate(self, state: State, evidence: Evidence, at: datetime) -> State:
        """Return the state that follows from ``evidence`` at ``at``; ``state`` only shortens the way."""
        from twin_engine.models.glucose.assimilation import assimilated

        return assimilated(state, evidence, at)

    def forecast(self, state: State, at: datetime, rng: Generator) -> tuple[Forecast | Refusal, ...]:
        """Return the chances of low and high glucose from ``at`` on, and how it was controlled."""
        from twin_engine.models.glucose.foretelling import controlled, foretold

        scope, doubts = tuple(_scope(state, at)), tuple(_doubts(state, at))
        soon = (card.LOW_FAMILY, card.HIGH_FAMILY)
        answers: tuple[Forecast | Refusal, ...] = (
            *(
                (_refusal(state, doubts, at, family) for family in soon)
                if doubts
                else foretold(state, at, rng)
            ),
            _refusal(state, scope, at, card.CONTROL_FAMILY) if scope else controlled(state, at),
        )
        return tuple(_ending(answer, state, at) for answer in answers)

    def simulate(self, state: State, plan: Plan, until: datetime, rng: Generator) -> Trajectory | Refusal:
        """Return glucose from ``state.at`` under ``plan``: doses, meals, basal insulin scaled."""
        from twin_engine.models.glucose.exploring import explored, plan_doubts

        doubts = (*_doubts(state, state.at), *plan_doubts(state, plan, until))
        if doubts:
            return _refusal(state, doubts, state.at, card.LOW_FAMILY)
        return explored(state, plan, until, rng)

    def propose(
        self, state: State, at: datetime, rng: Generator, limits: DoseLimits = DOSES
    ) -> tuple[Proposal, ...] | Refusal:
        """Return basal rate and bolus that keep glucose nearest to its zone, within ``limits``.

        Nothing is proposed where the therapy is well as it is. Research use only; a human decides.
        """
        from twin_engine.models.glucose.proposing import lacking, proposed

        doubts = (*_doubts(state, at), *lacking(state, at, limits))
        found = doubts or proposed(state, at, rng, limits)
        reasons = tuple(each for each in found if isinstance(each, Reason))
        if reasons:
            return _refusal(state, reasons, at, card.LOW_FAMILY)
        return tuple(each for each in found if isinstance(each, Proposal))

    @property
    def limits(self) -> Limits:
        """Return what is promised: beyond it the twin falls silent."""
        return LIMITS

    def outcomes(self, evidence: Evidence, forecast: Forecast, at: datetime) -> Mapping[Risk, bool]:
        """Return what of ``forecast`` happened."""
        from twin_engine.models.glucose.outcomes import happened

        return happened(evidence, forecast, at)


# Wide enough for one person's bad week, narrow enough for a model that does not fit the site.
LIMITS = Limits(coverage=(0.80, 0.98), ratio=(0.5, 2.0))


def _scope(state: State, at: datetime) -> Iterator[Reason]:
    """Yield why the twin is not for this person at ``at``."""
    yield from _person(state, at)
    named = [one for one in state.conditions if one.name == DIAGNOSIS]
    if not any(one.active_at(at) for one in named):
        if any(one.doubtful_at(at) for one in named):
            yield Reason("unconfirmed", DIAGNOSIS, "The record of type 1 diabetes is not confirmed.")
        else:
            yield Reason("out-of-scope", DIAGNOSIS, "No active type 1 diabetes is on record.")
    for name in EXCLUDED:
        if any(one.active_at(at) or one.doubtful_at(at) for one in state.conditions if one.name == name):
            yield Reason(
                "out-of-scope", name, f"A record of {screening.said(name)} puts the person out of scope."
            )


def _doubts(state: State, at: datetime) -> Iterator[Reason]:
    """Yield why the twin does not foretell this person's glucose at ``at``."""
    yield from _scope(state, at)
    if state.unmodelled:
        yield Reason("out-of-scope", UNMODELLED[0], "Intermediate-acting or mixed insulin is not modelled.")
    doubt = screening.doubt(GLUCOSE, state.newest, at, state.absences)
    if doubt is not None:
        yield doubt
    if state.weight is not None and state.weight.time + (WEIGHT.max_age or timedelta()) > at:
        beyond = screening.doubt(WEIGHT, state.weight, at)
        if beyond is not None:
            yield beyond


def _person(state: State, at: datetime) -> Iterator[Reason]:
    age = state.subject.age_at(at)
    if state.subject.deceased:
        yield Reason("out-of-scope", "deceased", "The person has died.")
    if age is None:
        yield Reason("missing-input", "age", "The date of birth is not known.")
    elif not AGES[0] <= age <= AGES[1]:
        yield Reason("out-of-scope", "age", "The twin is for adults.")


def _refusal(state: State, reasons: tuple[Reason, ...], at: datetime, family: str) -> Refusal:
    of_age = birthday(state.subject, AGES[0])
    turns = screening.turns(state.conditions, at)
    turns += [of_age] if of_age is not None and of_age > at else []
    return Refusal(family, at, reasons, retry=None if state.subject.deceased else min(turns, default=None))


def _ending(answer: Forecast | Refusal, state: State, at: datetime) -> Forecast | Refusal:
    """Return ``answer``, if a forecast, ending where a record that it rests on does."""
    if isinstance(answer, Refusal):
        return answer
    return replace(answer, expires=min([answer.expires, *screening.turns(state.conditions, at)]))
