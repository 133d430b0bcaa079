"""The kidney failure risk equations as a twin model, one for each continent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twin_engine.models.kfre.card import FAMILY, INPUTS, card
from twin_engine.models.kfre.equations import YEARS, Continent, Profile, effects, risk
from twin_engine.models.kfre.selection import select
from twin_engine.scores.choice import Selected
from twin_engine.scores.planning import Course
from twin_engine.scores.record import Record
from twin_engine.scores.score import Score
from twin_engine.scores.telling import Telling, percent
from twin_engine.twin import Forecast, Risk
from twin_engine.years import years_after

OWNED: Mapping[str, str] = {
    "age": "age",
    "egfr": "egfr",
    "urine-albumin-creatinine-ratio": "ln_uacr",
    "albumin": "albumin",
    "phosphate": "phosphate",
    "bicarbonate": "bicarbonate",
    "calcium": "calcium",
}
TELLING = Telling(
    INPUTS,
    "the hazard of kidney failure",
    {"egfr": "eGFR", "urine-albumin-creatinine-ratio": "Albumin-creatinine ratio"},
)


@dataclass(frozen=True, slots=True)
class Kfre(Score[Profile]):
    """The equation with eight variables, or with four where not all are known, calibrated to a continent."""

    @classmethod
    def of(cls, continent: Continent) -> Kfre:
        """Return the model of a continent."""

        def tell(record: Record, selected: Selected[Profile], at: datetime) -> Forecast:
            return _tell(record, selected, at, continent)

        def values(profile: Profile) -> dict[str, float]:
            return {_outcome(years): risk(profile, years, continent) for years in YEARS}

        signals = {"egfr": "egfr", "urine-albumin-creatinine-ratio": "uacr"}
        return cls(card(continent), INPUTS, select, tell, Course(values, signals, treatments={}))


def _outcome(years: int) -> str:
    return f"kidney-failure-{years}y"


def _tell(record: Record, selected: Selected[Profile], at: datetime, continent: Continent) -> Forecast:
    profile = selected.profile
    risks = tuple(
        Risk(_outcome(years), years_after(at, years), risk(profile, years, continent)) for years in YEARS
    )
    added = effects(profile)
    weights = {name: added[term] for name, term in OWNED.items() if term in added}
    return Forecast(
        family=FAMILY,
        at=at,
        expires=selected.until,
        risks=risks,
        basis=selected.basis(record.subject),
        rationale=_rationale(profile, risks, continent),
        contributions=TELLING.contributions(record.subject, profile.age, selected.used, weights),
        scale="log-hazard",
        notes=_notes(selected),
    )


def _rationale(profile: Profile, risks: tuple[Risk, ...], continent: Continent) -> str:
    person = "woman" if profile.sex == "female" else "man"
    said = (
        f"in {years} years {percent(each.probability or 0.0)} %"
        for years, each in zip(YEARS, risks, strict=True)
    )
    return (
        f"Kidney failure risk equation with {profile.variant} variables, {continent} baseline, for a "
        f"{person} of {profile.age} years: kidney failure {' and '.join(said)}."
    )


def _notes(selected: Selected[Profile]) -> tuple[str, ...]:
    which = f"The equation with {selected.profile.variant} variables was used."
    return (
        " ".join((which, *(reason.text for reason in selected.left))),
        f"eGFR: {selected.used['egfr'].how}. That it has been under 60 for 3 months is not checked.",
        "No record of dialysis or of a kidney transplant counts as none.",
        "The published equations give no interval for one person.",
    )
