"""PREVENT for a clinician: what moved the risk, on what it rests, what to keep in mind."""

from __future__ import annotations

import math
from collections.abc import Mapping

from twin_engine.models.prevent import card
from twin_engine.models.prevent.equations import Profile, Variant, effects
from twin_engine.scores.choice import Selected
from twin_engine.scores.record import Record
from twin_engine.scores.telling import Telling, percent
from twin_engine.twin import UNREAD_MEDICATION, Contribution, Risk

# Each input owns its terms and its interactions with age; a treatment owns those with what it treats.
OWNED: Mapping[str, tuple[str, ...]] = {
    "age": ("age",),
    "systolic-blood-pressure": ("sbp_below_110", "sbp_from_110", "age_sbp"),
    "total-cholesterol": ("non_hdl", "age_non_hdl"),
    "hdl-cholesterol": ("hdl", "age_hdl"),
    "diabetes": ("diabetes", "age_diabetes"),
    "smoking-status": ("smoking", "age_smoking"),
    "body-mass-index": ("bmi_below_30", "bmi_from_30", "age_bmi"),
    "egfr": ("egfr_below_60", "egfr_from_60", "age_egfr"),
    "antihypertensive": ("antihypertensive", "treated_sbp"),
    "statin": ("statin", "treated_non_hdl"),
    "urine-albumin-creatinine-ratio": ("ln_uacr", "no_uacr"),
    "hba1c": ("hba1c_diabetes", "hba1c_no_diabetes", "no_hba1c"),
    "social-deprivation-index": ("sdi_4_to_6", "sdi_7_to_10", "no_sdi"),
}
TELLING = Telling(
    card.INPUTS,
    "the odds of cardiovascular disease in 10 years",
    {
        "total-cholesterol": "Non-HDL cholesterol, from total and HDL cholesterol,",
        "smoking-status": "Smoking",
        "body-mass-index": "Body-mass index",
        "antihypertensive": "Antihypertensive treatment",
        "statin": "Statin treatment",
        "egfr": "eGFR",
        "urine-albumin-creatinine-ratio": "Albumin-creatinine ratio",
    },
)
OUTCOMES_SAID: Mapping[str, str] = {
    "total-cvd": "cardiovascular disease",
    "ascvd": "atherosclerotic cardiovascular disease",
    "heart-failure": "heart failure",
    "chd": "coronary heart disease",
    "stroke": "stroke",
}
VARIANTS_SAID: Mapping[Variant, str] = {
    "base": "base equations",
    "uacr": "equations with albumin-creatinine ratio",
    "hba1c": "equations with HbA1c",
    "sdi": "equations with social deprivation index",
    "full": "full equations",
}


def contributions(record: Record, selected: Selected[Profile]) -> tuple[Contribution, ...]:
    """Return what each input adds to the log-odds of total-cvd-10y, the largest first."""
    added = effects(selected.profile, "10y", "total-cvd")
    weights = {
        name: math.fsum(added.get(term, 0.0) for term in owned)
        for name, owned in OWNED.items()
        if not added.keys().isdisjoint(owned)
    }
    return TELLING.contributions(record.subject, selected.profile.age, selected.used, weights)


def rationale(selected: Selected[Profile], risks: tuple[Risk, ...]) -> str:
    """Return the forecast in sentences."""
    profile = selected.profile
    person = "woman" if profile.sex == "female" else "man"
    said = "; ".join(f"{_outcome(risk.outcome)} {percent(risk.probability or 0.0)} %" for risk in risks)
    which = VARIANTS_SAID[profile.variant]
    return f"AHA PREVENT {which} for a {person} of {profile.age} years: {said}."


def _outcome(key: str) -> str:
    outcome, _, horizon = key.rpartition("-")
    return f"{OUTCOMES_SAID[outcome]} in {horizon[:-1]} years"


def notes(selected: Selected[Profile]) -> tuple[str, ...]:
    """Return what the reader must know of the inputs and of the uncertainty."""
    said = [
        _variant(selected),
        f"eGFR: {selected.used['egfr'].how}.",
        f"Body-mass index: {selected.used['body-mass-index'].how}.",
        *(
            f"{TELLING.name(name)}: {selected.used[name].how}."
            for name in ("diabetes", "antihypertensive", "statin")
        ),
        "What is not recorded counts as absent: no active diabetes record, no diabetes; no current "
        "medication record, no treatment; no record of cardiovascular disease or heart failure, none known.",
        "The published equations give no interval for one person.",
    ]
    if UNREAD_MEDICATION in selected.used:
        said.append(
            "A medication could not be read: whether it is a statin or an antihypertensive is not known."
        )
    if selected.profile.age > card.LAST_AGE_30_YEARS:
        said.append("30-year risks are published for ages 30 to 59 and are left out.")
    return tuple(said)


def _variant(selected: Selected[Profile]) -> str:
    which = VARIANTS_SAID[selected.profile.variant]
    return " ".join((f"The {which} were used.", *(reason.text for reason in selected.left)))
