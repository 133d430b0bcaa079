"""From what is known of a person to the numbers the equations take, or the reasons why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from twin_engine import screening
from twin_engine.models.kfre import card
from twin_engine.models.kfre.equations import Chemistry, Profile
from twin_engine.scores import choice, derivation
from twin_engine.scores.choice import Part, Selected, Used
from twin_engine.scores.record import Record
from twin_engine.twin import Reason, Sex

AGES_SAID = "The equations hold for adults."


def select(record: Record, at: datetime) -> Selected[Profile] | tuple[Reason, ...]:
    """Return the profile as of ``at``, or every reason why there is none."""
    needed = {
        card.EGFR.name: _egfr(record, at),
        card.UACR.name: choice.reported(record, card.UACR, at),
    }
    reasons = (
        *choice.living(record.subject, at, card.AGES, AGES_SAID),
        *choice.sexed(record.subject),
        *choice.excluded(record, card.EXCLUDING, "the kidneys have failed before."),
        *choice.doubts(needed),
    )
    sex, age = record.subject.sex, record.subject.age_at(at)
    if reasons or sex is None or age is None:
        return reasons
    blood = _blood(record, at)
    left = choice.doubts(blood)
    used = choice.usable(needed if left else {**needed, **blood})
    return replace(choice.selected(_profile(sex, age, used), used, record, at), left=left)


def _egfr(record: Record, at: datetime) -> Part:
    """Refuse with a word of its own an eGFR that is no chronic kidney disease of stage G3a to G5."""
    rate = derivation.egfr(record, replace(card.EGFR, high=None), card.CREATININE, at)
    if isinstance(rate, Used) and not rate.value < card.EGFR_LIMIT:
        return Reason("out-of-scope", card.EGFR.name, "The equations hold for an eGFR under 60.")
    return rate


def _blood(record: Record, at: datetime) -> dict[str, Part]:
    acid = screening.newest(record.measurements, card.BICARBONATE.name)
    gas = screening.newest(record.measurements, card.TOTAL_CO2.name)
    newer = gas is not None and (acid is None or gas.time > acid.time)
    bicarbonate = card.TOTAL_CO2 if newer else card.BICARBONATE
    return {
        card.ALBUMIN.name: choice.reported(record, card.ALBUMIN, at),
        card.PHOSPHATE.name: choice.reported(record, card.PHOSPHATE, at),
        card.BICARBONATE.name: choice.reported(record, bicarbonate, at),
        card.CALCIUM.name: choice.reported(record, card.CALCIUM, at),
    }


def _profile(sex: Sex, age: int, used: Mapping[str, Used]) -> Profile:
    value = {name: part.value for name, part in used.items()}
    chemistry = None
    if "albumin" in value:
        chemistry = Chemistry(value["albumin"], value["phosphate"], value["bicarbonate"], value["calcium"])
    return Profile(sex, age, value["egfr"], value["urine-albumin-creatinine-ratio"], chemistry)
