"""PREVENT for a clinician: what moved the risk, on what it rests, what to keep in mind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from twin_engine.models.prevent import card
from twin_engine.models.prevent.equations import CONSTANT, Profile, effects
from twin_engine.models.prevent.selection import Selected, State
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
}
SAID: Mapping[str, str] = {
    "age": "Age",
    "systolic-blood-pressure": "Systolic blood pressure",
    "total-cholesterol": "Non-HDL cholesterol, from total and HDL cholesterol,",
    "hdl-cholesterol": "HDL cholesterol",
    "diabetes": "Diabetes",
    "smoking-status": "Smoking",
    "body-mass-index": "Body-mass index",
    "egfr": "eGFR",
    "antihypertensive": "Antihypertensive treatment",
    "statin": "Statin treatment",
}
UNITS: Mapping[str, str] = {signal.name: signal.unit for signal in card.INPUTS.signals}
OUTCOMES_SAID: Mapping[str, str] = {
    "total-cvd-10y": "cardiovascular disease in 10 years",
    "ascvd-10y": "atherosclerotic cardiovascular disease in 10 years",
    "heart-failure-10y": "heart failure in 10 years",
    "total-cvd-30y": "cardiovascular disease in 30 years",
    "ascvd-30y": "atherosclerotic cardiovascular disease in 30 years",
    "heart-failure-30y": "heart failure in 30 years",
}


def contributions(state: State, selected: Selected) -> tuple[Contribution, ...]:
    """Return what each input adds to the log-odds of total-cvd-10y, the largest first."""
    added = effects(selected.profile, "10y", "total-cvd")
    weights = {name: math.fsum(added.get(term, 0.0) for term in terms) for name, terms in OWNED.items()}
    ordered = sorted(weights, key=lambda name: (-abs(weights[name]), name))
    return tuple(_contribution(name, weights[name], state, selected) for name in ordered)


def reference_log_odds(profile: Profile) -> float:
    """Return the log-odds of total-cvd-10y of the reference person of the same sex."""
    return effects(profile, "10y", "total-cvd")[CONSTANT]


def rationale(selected: Selected, risks: tuple[Risk, ...]) -> str:
    """Return the forecast in sentences."""
    person = "woman" if selected.profile.sex == "female" else "man"
    said = "; ".join(f"{OUTCOMES_SAID[risk.outcome]} {percent(risk.probability or 0.0)} %" for risk in risks)
    return f"AHA PREVENT base equations for a {person} of {selected.profile.age} years: {said}."


def notes(selected: Selected) -> tuple[str, ...]:
    """Return what the reader must know of the inputs and of the uncertainty."""
    said = [
        f"eGFR: {selected.used['egfr'].how}.",
        f"Body-mass index: {selected.used['body-mass-index'].how}.",
        *(f"{SAID[name]}: {selected.used[name].how}." for name in ("diabetes", "antihypertensive", "statin")),
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


def percent(probability: float) -> str:
    """Return the percentage with one decimal, rounded half up as published."""
    return str((Decimal(str(probability)) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _contribution(name: str, weight: float, state: State, selected: Selected) -> Contribution:
    value = _value(name, selected)
    source = state.subject.source if name == "age" else next(iter(selected.used[name].sources), None)
    return Contribution(name, value, weight, source, f"{SAID[name]} {value} {_effect(weight)}.")


def _value(name: str, selected: Selected) -> str:
    if name == "age":
        return f"{selected.profile.age} a"
    used = selected.used[name]
    if name == "smoking-status":
        return used.how
    if name in UNITS:
        return f"{used.value:.4g} {UNITS[name]}"
    return "yes" if used.value else "no"


def _effect(weight: float) -> str:
    if weight == 0:
        return "leaves the risk where the reference person has it"
    way = "raises" if weight > 0 else "lowers"
    return f"{way} the odds of cardiovascular disease in 10 years by a factor of {math.exp(weight):.2f}"
