"""NEWS2 as a twin model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from numpy.random import Generator

from twin_engine import screening
from twin_engine.model import Inputs, ModelCard
from twin_engine.models.news2.card import AGES, CARD, FAMILY, INPUTS, PREGNANCY
from twin_engine.models.news2.chart import Reading, State, read
from twin_engine.models.news2.scoring import grade, points
from twin_engine.scores import choice
from twin_engine.twin import (
    Contribution,
    Evidence,
    Finding,
    Forecast,
    Plan,
    Reason,
    Refusal,
    Risk,
    Subject,
    Trajectory,
)
from twin_engine.years import birthday

# RCP 2017, chart 2: thresholds and triggers.
RESPONSES: Mapping[str, str] = {
    "low": "ward-based response",
    "low-medium": "urgent ward-based response",
    "medium": "key threshold for urgent response",
    "high": "urgent or emergency response",
}


@dataclass(frozen=True, slots=True)
class News2:
    """National Early Warning Score 2 of the newest complete set of vital signs."""

    card: ModelCard = CARD
    inputs: Inputs = INPUTS
    state_type: type[State] = State

    def prior(self, subject: Subject, at: datetime) -> State:
        """Return the state that knows only the person."""
        return State(at, subject)

    def assimilate(self, state: State, evidence: Evidence, at: datetime) -> State:  # noqa: ARG002
        """Return the newest set and the one before it."""
        return State.of(evidence, at)

    def forecast(self, state: State, at: datetime, rng: Generator) -> tuple[Forecast | Refusal, ...]:  # noqa: ARG002
        """Return the score at ``at``, or why there is none."""
        reading = read(state, state.now, at)
        doubts = tuple(_scope(state, at))
        if doubts or not isinstance(reading, Reading):
            rest = () if isinstance(reading, Reading) else reading
            return (Refusal(FAMILY, at, (*doubts, *rest), retry=_retry(state, at)),)
        return (_forecast(state, reading, at),)

    def simulate(self, state: State, plan: Plan, until: datetime, rng: Generator) -> Trajectory | Refusal:  # noqa: ARG002
        """Refuse: the score describes an instant and has no course of its own."""
        reason = Reason("out-of-scope", "plan", "NEWS2 describes the present and foretells no course.")
        return Refusal(FAMILY, state.at, (reason,))


def _scope(state: State, at: datetime) -> Iterable[Reason]:
    yield from choice.living(state.subject, at, AGES, "NEWS2 holds from 16 years of age.")
    answers = _pregnancy_answers(state, at)
    if any(answer.value not in PREGNANCY.values for answer in answers):
        yield Reason(
            "unconfirmed", "pregnancy", "The newest pregnancy finding has no answer that can be used."
        )
    records = screening.lasting(state.conditions, "pregnancy")
    active = any(record.active_at(at) for record in records)
    if active or any(answer.value == "pregnant" for answer in answers):
        yield Reason("out-of-scope", "pregnancy", "NEWS2 does not hold in pregnancy.")
    elif not answers and any(record.doubtful_at(at) for record in records):
        yield choice.unconfirmed("pregnancy")


def _pregnancy_answers(state: State, at: datetime) -> tuple[Finding, ...]:
    """Return the newest answers that are young enough to speak of today."""
    told = (item for item in state.now.findings if item.signal == PREGNANCY.name)
    return tuple(item for item in told if _over(item) > at)


def _over(answer: Finding) -> datetime:
    return screening.stale_from(PREGNANCY, answer) or answer.time


def _retry(state: State, at: datetime) -> datetime | None:
    if state.subject.deceased:
        return None
    of_age = birthday(state.subject, AGES[0])
    answers = (_over(answer) for answer in _pregnancy_answers(state, at))
    turns = [*answers, *screening.turns(state.conditions, at), *([of_age] if of_age else [])]
    return min((turn for turn in turns if turn > at), default=None)


def _forecast(state: State, reading: Reading, at: datetime) -> Forecast:
    scored = points(reading.vitals)
    total, level = sum(scored.values()), grade(scored)
    earlier = _earlier(state)
    return Forecast(
        family=FAMILY,
        at=at,
        expires=reading.until,
        risks=(Risk(FAMILY, None, qualitative=level),),
        basis=_basis(state, reading, at),
        rationale=_rationale(total, level, scored),
        contributions=tuple(_contribution(name, score, reading) for name, score in scored.items()),
        scale="points",
        score=float(total),
        trend=None if earlier is None else _trend(total - earlier),
        notes=_notes(reading, earlier),
    )


def _basis(state: State, reading: Reading, at: datetime) -> tuple[str, ...]:
    used = {source for _, sources in reading.said.values() for source in sources}
    answers = {answer.source for answer in _pregnancy_answers(state, at)}
    ended = {record.source for record in screening.lasting(state.conditions, "pregnancy")}
    return tuple(sorted({state.subject.source, *used, *answers, *ended}))


def _earlier(state: State) -> int | None:
    """Return the score of the set before; None where it was not complete."""
    if state.before_at is None:
        return None
    reading = read(state, state.before, state.before_at)
    return sum(points(reading.vitals).values()) if isinstance(reading, Reading) else None


def _trend(change: int) -> str:
    if change == 0:
        return "steady"
    return "rising" if change > 0 else "falling"


def _contribution(name: str, score: int, reading: Reading) -> Contribution:
    value, sources = reading.said[name]
    label = screening.said(name)
    label = label[0].upper() + label[1:]
    return Contribution(name, value, float(score), sources[0], f"{label} {value}: {score} points.")


def _rationale(total: int, level: str, scored: Mapping[str, int]) -> str:
    moved = ", ".join(f"{screening.said(name)} {score}" for name, score in scored.items() if score)
    return f"NEWS2 {total} of 20: {level} clinical risk, {RESPONSES[level]}. Points: {moved or 'none'}."


def _notes(reading: Reading, earlier: int | None) -> tuple[str, ...]:
    trend = (
        "No complete earlier set within 24 hours: no trend."
        if earlier is None
        else f"Trend against the complete set before, {earlier} points; its values are not part of the basis."
    )
    return (
        reading.scale_note,
        trend,
        "No record of pregnancy counts as not pregnant.",
        "The score expires when its oldest sign is 12 hours old.",
    )
