"""FIB-4 as a twin model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.models.fib4.card import AGES, ALANINE, ASPARTATE, CARD, FAMILY, INPUTS, PLATELETS
from twin_engine.models.fib4.index import UPPER, Profile, grade, index, lower
from twin_engine.scores import choice
from twin_engine.scores.choice import Selected
from twin_engine.scores.planning import Course
from twin_engine.scores.record import Record
from twin_engine.scores.score import Score
from twin_engine.twin import Forecast, Reason, Risk

AGES_SAID = "FIB-4 holds from 36 years of age."
FIELDS = {ASPARTATE.name: "aspartate", ALANINE.name: "alanine", PLATELETS.name: "platelets"}


def _select(record: Record, at: datetime) -> Selected[Profile] | tuple[Reason, ...]:
    parts = {signal.name: choice.reported(record, signal, at) for signal in INPUTS.signals}
    reasons = (*choice.living(record.subject, at, AGES, AGES_SAID), *choice.doubts(parts))
    age = record.subject.age_at(at)
    if reasons or age is None:
        return reasons
    used = choice.usable(parts)
    values = (used[signal.name].value for signal in (ASPARTATE, ALANINE, PLATELETS))
    return choice.selected(Profile(age, *values), used, record, at)


def _tell(record: Record, selected: Selected[Profile], at: datetime) -> Forecast:
    profile = selected.profile
    value, likely = index(profile), grade(profile)
    parts = ", ".join(_said(signal, selected) for signal in INPUTS.signals)
    return Forecast(
        family=FAMILY,
        at=at,
        expires=selected.until,
        risks=(Risk(FAMILY, None, qualitative=likely),),
        basis=selected.basis(record.subject),
        rationale=(
            f"FIB-4 {value:.2f} at {profile.age} years: {likely} risk of advanced fibrosis (low under "
            f"{lower(profile.age):g}, high over {UPPER:g}). From {parts}."
        ),
        scale="FIB-4 index",
        score=round(value, 2),
        notes=(
            "The index is a score, not a probability; indeterminate means that another test is needed.",
            "Acute illness, muscle injury and alcohol move the aminotransferases without fibrosis.",
        ),
    )


def _said(signal: Signal, selected: Selected[Profile]) -> str:
    return f"{signal.name.replace('-', ' ')} {selected.used[signal.name].value:.4g} {signal.unit}"


def _followed(profile: Profile) -> dict[str, float]:
    return {"fib-4": index(profile)}


COURSE = Course(_followed, signals=FIELDS, treatments={})


@dataclass(frozen=True, slots=True)
class Fib4(Score[Profile]):
    """The FIB-4 index of the newest values."""

    card: ModelCard = CARD
    inputs: Inputs = INPUTS
    select: Callable[[Record, datetime], Selected[Profile] | tuple[Reason, ...]] = _select
    tell: Callable[[Record, Selected[Profile], datetime], Forecast] = _tell
    course: Course[Profile] = COURSE
