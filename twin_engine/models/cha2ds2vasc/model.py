"""CHA2DS2-VASc as a twin model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from twin_engine import screening
from twin_engine.model import Inputs, ModelCard
from twin_engine.models.cha2ds2vasc.card import AGES, CARD, FAMILY, FIBRILLATION, INPUTS
from twin_engine.models.cha2ds2vasc.points import (
    ISCHAEMIC_STROKES,
    POINTS,
    Profile,
    grade,
    points,
    score,
    without_sex,
)
from twin_engine.scores import choice
from twin_engine.scores.choice import Part, Selected, Used
from twin_engine.scores.planning import Course
from twin_engine.scores.record import Record
from twin_engine.scores.score import Score
from twin_engine.twin import UNREAD_MEDICATION, Contribution, Forecast, Reason, Risk, Subject
from twin_engine.years import years_after

AGES_SAID = "CHA2DS2-VASc holds for adults."
NO_FIBRILLATION = Reason("out-of-scope", FIBRILLATION, "No active atrial fibrillation is recorded.")


def _select(record: Record, at: datetime) -> Selected[Profile] | tuple[Reason, ...]:
    parts = {name: choice.recorded(name, record.conditions, at) for name in POINTS}
    parts[FIBRILLATION] = _fibrillation(record, at)
    reasons = (
        *choice.living(record.subject, at, AGES, AGES_SAID),
        *choice.sexed(record.subject),
        *choice.doubts(parts),
    )
    sex, age = record.subject.sex, record.subject.age_at(at)
    if reasons or sex is None or age is None:
        return reasons
    used = choice.usable(parts)
    present = frozenset(name for name in POINTS if used[name].value)
    taken = {**used, **_anticoagulant(record, at), **choice.unread(record, at)}
    return choice.selected(Profile(sex, age, present), taken, record, at)


def _fibrillation(record: Record, at: datetime) -> Part:
    part = choice.recorded(FIBRILLATION, record.conditions, at)
    return NO_FIBRILLATION if isinstance(part, Used) and not part.value else part


def _anticoagulant(record: Record, at: datetime) -> dict[str, Used]:
    """Return whether an anticoagulant is taken; one that could not be read may be."""
    part = choice.recorded("anticoagulant", record.treatments, at)
    if isinstance(part, Used):
        return {"anticoagulant": part}
    doubtful = [
        each for each in screening.lasting(record.treatments, "anticoagulant") if each.doubtful_at(at)
    ]
    sources = tuple(each.source for each in doubtful)
    until = min(screening.turns(doubtful, at), default=choice.NEVER)
    return {"anticoagulant": Used(1.0, sources, until, "a record that could not be read")}


def _tell(record: Record, selected: Selected[Profile], at: datetime) -> Forecast:
    profile = selected.profile
    total = score(profile)
    return Forecast(
        family=FAMILY,
        at=at,
        expires=selected.until,
        risks=tuple(_risks(selected, at)),
        basis=selected.basis(record.subject),
        rationale=(
            f"CHA2DS2-VASc {total} of 9, CHA2DS2-VA {without_sex(profile)} of 8: {grade(profile)} risk of "
            "thromboembolism in atrial fibrillation."
        ),
        contributions=tuple(_contributions(record.subject, selected)),
        scale="points",
        score=float(total),
        notes=tuple(_notes(selected)),
    )


def _risks(selected: Selected[Profile], at: datetime) -> Iterator[Risk]:
    profile = selected.profile
    yield Risk("thromboembolism", None, qualitative=grade(profile))
    if _untreated(selected):
        yield Risk("ischaemic-stroke-1y", years_after(at, 1), ISCHAEMIC_STROKES[score(profile)] / 100)


def _untreated(selected: Selected[Profile]) -> bool:
    return not selected.used["anticoagulant"].value and UNREAD_MEDICATION not in selected.used


def _contributions(subject: Subject, selected: Selected[Profile]) -> Iterator[Contribution]:
    known = {"age": f"{selected.profile.age} a", "sex": selected.profile.sex}
    for name, worth in points(selected.profile).items():
        used = selected.used.get(name)
        source = subject.source if used is None else next(iter(used.sources), None)
        value = known[name] if used is None else "yes" if used.value else "no"
        said = screening.said(name).capitalize()
        counted = "1 point" if worth == 1 else f"{worth} points"
        yield Contribution(name, value, float(worth), source, f"{said} {value}: {counted}.")


def _notes(selected: Selected[Profile]) -> Iterator[str]:
    yield (
        "CHA2DS2-VA, of the European guideline of 2024, leaves out the point for women; low is 0, moderate 1 "
        "and high at least 2 of its points."
    )
    yield "What is not recorded counts as absent."
    if _untreated(selected):
        yield (
            "The risk of ischaemic stroke is the number found in 100 years at risk without anticoagulation "
            "in Sweden (Friberg 2012)."
        )
    else:
        yield "An anticoagulant is or may be taken: rates without anticoagulation do not hold."


def _followed(profile: Profile) -> dict[str, float]:
    return {"cha2ds2-vasc": float(score(profile))}


COURSE = Course(_followed, signals={}, treatments={})


@dataclass(frozen=True, slots=True)
class Cha2ds2Vasc(Score[Profile]):
    """CHA2DS2-VASc of a person with atrial fibrillation."""

    card: ModelCard = CARD
    inputs: Inputs = INPUTS
    select: Callable[[Record, datetime], Selected[Profile] | tuple[Reason, ...]] = _select
    tell: Callable[[Record, Selected[Profile], datetime], Forecast] = _tell
    course: Course[Profile] = COURSE
