"""Saying the forecast and its limits for a clinician."""

from __future__ import annotations

from collections.abc import Mapping

from twin_engine import screening
from twin_engine.models.ukpds.equations import Profile
from twin_engine.models.ukpds.selection import Selected
from twin_engine.twin import Risk

SAID: Mapping[str, str] = {
    "heart-failure": "heart failure",
    "ischaemic-heart-disease": "ischaemic heart disease",
    "myocardial-infarction": "myocardial infarction",
    "stroke": "stroke",
    "blindness": "blindness in one eye",
    "kidney-failure": "kidney failure",
    "foot-ulcer": "foot ulcer",
    "amputation": "amputation without an earlier foot ulcer",
    "death": "death",
}


def rationale(profile: Profile, risks: tuple[Risk, ...]) -> str:
    """Return the 10-year risks in one sentence."""
    person = "woman" if profile.sex == "female" else "man"
    told = {risk.outcome: risk.probability or 0.0 for risk in risks}
    said = "; ".join(
        f"{words} {told[f'{name}-10y'] * 100:.1f} %" for name, words in SAID.items() if f"{name}-10y" in told
    )
    return (
        f"UKPDS Outcomes Model 2 for a {person} of {int(profile.age)} years, {profile.duration:.1f} years "
        f"after the diagnosis of type 2 diabetes, within 10 years: {said}."
    )


def notes(selected: Selected) -> tuple[str, ...]:
    """Return what the reader must know of the forecast."""
    return (
        "Risk factors are held as they are; age and the years since diagnosis go on. Death competes.",
        "A first amputation after a foot ulcer is left out. Ethnicity is not used.",
        "What is not recorded counts as absent.",
        *(
            f"{screening.said(name)} is taken: the forecast already contains its effect, and a plan that "
            "gives it changes nothing."
            for name in selected.taken
        ),
    )
