"""From what is known of a person to the numbers the equations take, or the reasons why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from twin_engine import screening
from twin_engine.models.score2 import card
from twin_engine.models.score2.equations import OLDER, Diabetes, Profile
from twin_engine.scores import choice, derivation
from twin_engine.scores.choice import Part, Selected, Used
from twin_engine.scores.record import Record
from twin_engine.twin import Condition, Reason, Sex

AGES_SAID = "SCORE2 holds for 40 to 89 years of age."


def select(record: Record, at: datetime) -> Selected[Profile] | tuple[Reason, ...]:
    """Return the profile as of ``at``, or every reason why there is none."""
    parts = _needed(record, at)
    diabetic = parts["diabetes"]
    if isinstance(diabetic, Used) and diabetic.value:
        parts |= _of_diabetes(record, at)
    reasons = (
        *choice.living(record.subject, at, card.AGES, AGES_SAID),
        *choice.sexed(record.subject),
        *choice.excluded(record, card.EXCLUDING, "SCORE2 is for apparently healthy people."),
        *choice.doubts(parts),
    )
    sex, age = record.subject.sex, record.subject.age_at(at)
    if reasons or sex is None or age is None:
        return reasons
    used = choice.usable(parts)
    if used["diabetes"].value and age >= OLDER:
        return (Reason("out-of-scope", "birth-date", "SCORE2-Diabetes holds for 40 to 69 years of age."),)
    return choice.selected(_profile(sex, age, used), used, record, at)


def _needed(record: Record, at: datetime) -> dict[str, Part]:
    return {
        card.SYSTOLIC.name: choice.reported(record, card.SYSTOLIC, at),
        card.TOTAL_CHOLESTEROL.name: choice.reported(record, card.TOTAL_CHOLESTEROL, at),
        card.HDL_CHOLESTEROL.name: choice.reported(record, card.HDL_CHOLESTEROL, at),
        card.SMOKING.name: choice.answered(record, card.SMOKING, "current", at),
        "diabetes": choice.recorded("diabetes", record.conditions, at),
        "type-1-diabetes": _not_of_type_1(record, at),
    }


def _not_of_type_1(record: Record, at: datetime) -> Part:
    type_1 = choice.recorded("type-1-diabetes", record.conditions, at)
    if isinstance(type_1, Used) and type_1.value:
        return Reason("out-of-scope", "type-1-diabetes", "SCORE2 does not hold in type 1 diabetes.")
    return type_1


def _of_diabetes(record: Record, at: datetime) -> dict[str, Part]:
    return {
        card.HBA1C.name: choice.reported(record, card.HBA1C, at),
        card.EGFR.name: derivation.egfr(record, card.EGFR, card.CREATININE, at),
        "type-2-diabetes": _diagnosed(record, at),
    }


def _diagnosed(record: Record, at: datetime) -> Part:
    """Return the age at the first recorded onset of type 2 diabetes."""
    type_2 = choice.recorded("type-2-diabetes", record.conditions, at)
    if isinstance(type_2, Reason):
        return type_2
    if not type_2.value:
        return Reason("out-of-scope", "type-2-diabetes", "The diabetes is not recorded as of type 2.")
    ages = [(age, each.source) for each, age in _onsets(record, at)]
    if not ages:
        return Reason("missing-input", "type-2-diabetes", "No onset of the diabetes is recorded.")
    age, source = min(ages)
    return Used(age, (source, *type_2.sources), type_2.until, "age at the recorded onset")


def _onsets(record: Record, at: datetime) -> Iterator[tuple[Condition, int]]:
    for each in screening.lasting(record.conditions, "type-2-diabetes"):
        age = None if each.onset is None or each.onset > at else record.subject.age_at(each.onset)
        if each.confirmed and age is not None and age >= 0:
            yield each, age


def _profile(sex: Sex, age: int, used: Mapping[str, Used]) -> Profile:
    value = {name: part.value for name, part in used.items()}
    diabetes = None
    if value["diabetes"]:
        diabetes = Diabetes(int(value["type-2-diabetes"]), value["hba1c"], value["egfr"])
    return Profile(
        sex=sex,
        age=age,
        systolic=value["systolic-blood-pressure"],
        total_cholesterol=value["total-cholesterol"],
        hdl_cholesterol=value["hdl-cholesterol"],
        smoking=bool(value["smoking-status"]),
        diabetes=diabetes,
    )
