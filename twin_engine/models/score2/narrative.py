"""SCORE2 for a clinician: what moved the risk, in which category it falls, what to keep in mind."""

from __future__ import annotations

import math
from collections.abc import Mapping

from twin_engine.models.score2 import card
from twin_engine.models.score2.equations import Profile, Region, effects
from twin_engine.scores.choice import Selected
from twin_engine.scores.record import Record
from twin_engine.scores.telling import Telling, percent
from twin_engine.twin import Contribution

# Each input owns its terms and its interactions with age.
OWNED: Mapping[str, tuple[str, ...]] = {
    "age": ("age",),
    "systolic-blood-pressure": ("sbp", "age_sbp"),
    "total-cholesterol": ("total", "age_total"),
    "hdl-cholesterol": ("hdl", "age_hdl"),
    "smoking-status": ("smoking", "age_smoking"),
    "type-2-diabetes": ("diabetes", "age_diabetes", "diagnosis"),
    "hba1c": ("hba1c", "age_hba1c"),
    "egfr": ("egfr", "egfr_squared", "age_egfr"),
}
TELLING = Telling(
    card.INPUTS,
    "the hazard of a cardiovascular event in 10 years",
    {"smoking-status": "Smoking", "egfr": "eGFR", "type-2-diabetes": "Type 2 diabetes"},
)
VARIANTS_SAID: Mapping[str | None, str] = {
    "middle": "SCORE2",
    "older": "SCORE2-OP",
    "diabetes": "SCORE2-Diabetes",
}
Categories = tuple[tuple[float, str], ...]
# Upper ends of the categories in %, ESC 2021 (table 5) by age and, with type 2 diabetes, ESC 2023.
UNDER_50 = ((2.5, "low to moderate"), (7.5, "high"), (math.inf, "very high"))
UNDER_70 = ((5.0, "low to moderate"), (10.0, "high"), (math.inf, "very high"))
OLDER = ((7.5, "low to moderate"), (15.0, "high"), (math.inf, "very high"))
DIABETES = ((5.0, "low"), (10.0, "moderate"), (20.0, "high"), (math.inf, "very high"))


def category(profile: Profile, probability: float) -> str:
    """Return the risk category of the guideline of the European Society of Cardiology."""
    by_age = UNDER_50 if profile.age < 50 else UNDER_70 if profile.age < 70 else OLDER
    ends: Categories = by_age if profile.diabetes is None else DIABETES
    return next(name for end, name in ends if probability * 100 < end)


def contributions(record: Record, selected: Selected[Profile], region: Region) -> tuple[Contribution, ...]:
    """Return what each input adds to the logarithm of the hazard, the largest first."""
    added = effects(selected.profile, region)
    weights = {
        name: math.fsum(added[term] for term in owned) for name, owned in OWNED.items() if owned[0] in added
    }
    return TELLING.contributions(record.subject, selected.profile.age, selected.used, weights)


def rationale(selected: Selected[Profile], region: Region, probability: float) -> str:
    """Return the forecast in a sentence."""
    profile = selected.profile
    person = "woman" if profile.sex == "female" else "man"
    return (
        f"{VARIANTS_SAID[profile.variant]} for a {person} of {profile.age} years in a "
        f"{region.replace('-', ' ')} risk region: fatal or non-fatal cardiovascular event in 10 years "
        f"{percent(probability)} %, {category(profile, probability)} risk by the guideline of the European "
        "Society of Cardiology."
    )


def notes(selected: Selected[Profile]) -> tuple[str, ...]:
    """Return what the reader must know of the inputs and of the uncertainty."""
    said = [
        f"Diabetes: {selected.used['diabetes'].how}.",
        "What is not recorded counts as absent: no active diabetes record, no diabetes; no record of "
        "cardiovascular disease, heart failure or familial hypercholesterolaemia, none known.",
        "Moderate or severe chronic kidney disease is a high risk by guideline, whatever this score.",
        "The published equations give no interval for one person.",
    ]
    if selected.profile.diabetes is not None:
        said.insert(0, f"eGFR: {selected.used['egfr'].how}.")
    return tuple(said)
