"""From what is known of a person to the numbers the equations take, or the reasons why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from twin_engine.models.prevent import card
from twin_engine.models.prevent.equations import Profile
from twin_engine.scores import choice, derivation
from twin_engine.scores.choice import Part, Selected, Used
from twin_engine.scores.record import Record
from twin_engine.twin import Reason, Sex

AGES_SAID = "The equations hold for 30 to 79 years of age."


def select(record: Record, at: datetime) -> Selected[Profile] | tuple[Reason, ...]:
    """Return the profile as of ``at``, or every reason why there is none."""
    needed = _needed(record, at)
    reasons = (
        *choice.living(record.subject, at, card.AGES, AGES_SAID),
        *choice.sexed(record.subject),
        *choice.excluded(record, card.EXCLUDING, "prevention is not primary."),
        *choice.doubts(needed),
    )
    sex, age = record.subject.sex, record.subject.age_at(at)
    if reasons or sex is None or age is None:
        return reasons
    optional = {signal.name: choice.reported(record, signal, at) for signal in card.OPTIONAL}
    used = choice.usable({**needed, **optional})
    found = choice.selected(_profile(sex, age, used), {**used, **choice.unread(record, at)}, record, at)
    return replace(found, left=choice.doubts(optional))


def _needed(record: Record, at: datetime) -> dict[str, Part]:
    return {
        card.SYSTOLIC.name: choice.reported(record, card.SYSTOLIC, at),
        card.TOTAL_CHOLESTEROL.name: choice.reported(record, card.TOTAL_CHOLESTEROL, at),
        card.HDL_CHOLESTEROL.name: choice.reported(record, card.HDL_CHOLESTEROL, at),
        card.BODY_MASS_INDEX.name: derivation.body_mass_index(
            record, card.BODY_MASS_INDEX, card.WEIGHT, card.HEIGHT, at
        ),
        card.EGFR.name: derivation.egfr(record, card.EGFR, card.CREATININE, at),
        card.SMOKING.name: choice.answered(record, card.SMOKING, "current", at),
        "diabetes": choice.recorded("diabetes", record.conditions, at),
        "statin": choice.recorded("statin", record.treatments, at),
        "antihypertensive": choice.recorded("antihypertensive", record.treatments, at),
    }


def _profile(sex: Sex, age: int, used: Mapping[str, Used]) -> Profile:
    value = {name: part.value for name, part in used.items()}
    return Profile(
        sex=sex,
        age=age,
        systolic=value["systolic-blood-pressure"],
        total_cholesterol=value["total-cholesterol"],
        hdl_cholesterol=value["hdl-cholesterol"],
        body_mass_index=value["body-mass-index"],
        egfr=value["egfr"],
        diabetes=bool(value["diabetes"]),
        smoking=bool(value["smoking-status"]),
        antihypertensive=bool(value["antihypertensive"]),
        statin=bool(value["statin"]),
        uacr=value.get("urine-albumin-creatinine-ratio"),
        hba1c=value.get("hba1c"),
        sdi=value.get("social-deprivation-index"),
    )
