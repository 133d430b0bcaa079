"""What the type 1 diabetes twin proposes, or why it proposes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import inf

from numpy.random import Generator

from twin_engine.models.glucose.checking import RESEARCH, UNIT, violations
from twin_engine.models.glucose.controller import Course, chosen, outlook
from twin_engine.models.glucose.foretelling import based
from twin_engine.models.glucose.limits import STEP, VALID, Candidate, Limits, Situation
from twin_engine.models.glucose.record import FAST, SENSOR
from twin_engine.models.glucose.state import State
from twin_engine.twin import Proposal, Reason

_MINUTE = timedelta(minutes=1)
_LATE = timedelta(minutes=5)


def lacking(state: State, at: datetime, limits: Limits) -> Iterator[Reason]:
    """Yield why nothing can be proposed at ``at`` though glucose can be foretold."""
    if state.newest is not None and at - state.newest.time > limits.fresh * _MINUTE:
        yield Reason("stale-input", SENSOR, f"Glucose is older than {limits.fresh:g} minutes.")
    if not timedelta() <= at - state.at <= _LATE:
        yield Reason("stale-input", "state", "The state of the twin is not of this moment.")
    known = state.underway
    if known is None:
        yield Reason("missing-input", FAST, "No insulin of the last day is on record.")
    elif known.pumped and known.rate is None:
        yield Reason("missing-input", FAST, "The pump has not said for two hours what it gives.")


def proposed(
    state: State, at: datetime, rng: Generator, limits: Limits
) -> tuple[Proposal, ...] | tuple[Reason, ...]:
    """Return proposals, none where the therapy is well as it is, or reasons; ``state`` lacks nothing."""
    course = _course(state)
    if course is None:
        raise ValueError("a state without readings and insulin proposes nothing")
    situation = _situation(state, course, at, rng)
    candidate = chosen(course, situation, rng, limits)
    if candidate is None:
        return (_unsure(situation, limits),)
    proposals = said(candidate, situation, at, limits, based(state))
    if violations(proposals, situation, limits):
        return (Reason("out-of-range", FAST, "What was found does not keep the limits of doses."),)
    return proposals


def _course(state: State) -> Course | None:
    here, ahead, known = state.filter, state.ahead, state.underway
    if here is None or ahead is None or known is None or state.newest is None:
        return None
    return Course(here, ahead.slow, known.eating, known.pumped)


def _situation(state: State, course: Course, at: datetime, rng: Generator) -> Situation:
    known, newest = state.underway, state.newest
    if known is None or newest is None:
        raise ValueError("a state without readings and insulin is no situation to judge")
    foretold, width = outlook(course, rng)
    return Situation(
        glucose=newest.value,
        age=max((at - newest.time) / _MINUTE, 0.0),
        foretold=foretold,
        width=width,
        on_board=known.on_board,
        day=known.day,
        weight=course.here.weight,
        usual=course.usual * 60,
        running=known.rate,
        since_bolus=inf if known.bolus_at is None else max((at - known.bolus_at) / _MINUTE, 0.0),
    )


def _unsure(situation: Situation, limits: Limits) -> Reason:
    if situation.width > limits.width:
        return Reason("out-of-range", SENSOR, "The forecast of glucose is too uncertain to dose by.")
    return Reason("out-of-range", FAST, "Too little is known for the limits of doses to be judged.")


def said(
    candidate: Candidate, situation: Situation, at: datetime, limits: Limits, basis: tuple[str, ...] = ()
) -> tuple[Proposal, ...]:
    """Return ``candidate`` as proposals, as far as it differs from what goes on."""
    found = []
    if candidate.basal is not None and situation.running is not None:
        low = candidate.basal == 0
        if low or abs(candidate.basal - situation.running) >= STEP:
            amount = max(situation.usual, situation.running) if low else candidate.basal
            found.append(_one(amount, at, limits, basis, hourly=True, withhold=low))
    if candidate.bolus > 0:
        found.append(_one(candidate.bolus, at, limits, basis))
    return tuple(found)


def _one(
    amount: float,
    at: datetime,
    limits: Limits,
    basis: tuple[str, ...],
    *,
    hourly: bool = False,
    withhold: bool = False,
) -> Proposal:
    what = "To withhold basal insulin" if withhold else "This basal rate" if hourly else "This bolus"
    return Proposal(
        treatment=FAST,
        at=at,
        start=at,
        until=at + VALID * _MINUTE,
        rationale=(
            f"{RESEARCH} {what} keeps glucose nearest to 100 to 140 mg/dL over the next five hours, by "
            "versions of the person that agree with the readings, and low glucose weighs most."
        ),
        amount=round(amount, 2),
        unit=UNIT,
        hourly=hourly,
        withhold=withhold,
        limits=limits.said(),
        basis=basis,
    )
