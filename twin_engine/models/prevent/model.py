"""PREVENT as a twin model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from twin_engine.model import Inputs, ModelCard
from twin_engine.models.prevent import narrative
from twin_engine.models.prevent.card import CARD, FAMILY, INPUTS, LAST_AGE_30_YEARS
from twin_engine.models.prevent.equations import HORIZONS, OUTCOMES, Horizon, Profile, risk
from twin_engine.models.prevent.selection import select
from twin_engine.scores.choice import Selected
from twin_engine.scores.planning import Course
from twin_engine.scores.record import Record
from twin_engine.scores.score import Score
from twin_engine.twin import Forecast, Reason, Risk
from twin_engine.years import years_after


def _tell(record: Record, selected: Selected[Profile], at: datetime) -> Forecast:
    risks = _risks(selected.profile, at)
    return Forecast(
        family=FAMILY,
        at=at,
        expires=selected.until,
        risks=risks,
        basis=selected.basis(record.subject),
        rationale=narrative.rationale(selected, risks),
        contributions=narrative.contributions(record, selected),
        notes=narrative.notes(selected),
    )


def _risks(profile: Profile, at: datetime) -> tuple[Risk, ...]:
    horizons: tuple[Horizon, ...] = HORIZONS if profile.age <= LAST_AGE_30_YEARS else ("10y",)
    return tuple(
        Risk(f"{outcome}-{horizon}", years_after(at, int(horizon[:-1])), risk(profile, horizon, outcome))
        for horizon in horizons
        for outcome in OUTCOMES
    )


def _in_10_years(profile: Profile) -> dict[str, float]:
    return {f"{outcome}-10y": risk(profile, "10y", outcome) for outcome in OUTCOMES}


COURSE = Course(
    _in_10_years,
    signals={
        "systolic-blood-pressure": "systolic",
        "total-cholesterol": "total_cholesterol",
        "hdl-cholesterol": "hdl_cholesterol",
        "body-mass-index": "body_mass_index",
        "egfr": "egfr",
    },
    treatments={"statin": "statin", "antihypertensive": "antihypertensive"},
)


@dataclass(frozen=True, slots=True)
class Prevent(Score[Profile]):
    """AHA PREVENT 2023: cardiovascular disease in 10 and 30 years by the fullest equations there are for."""

    card: ModelCard = CARD
    inputs: Inputs = INPUTS
    select: Callable[[Record, datetime], Selected[Profile] | tuple[Reason, ...]] = select
    tell: Callable[[Record, Selected[Profile], datetime], Forecast] = _tell
    course: Course[Profile] = COURSE
