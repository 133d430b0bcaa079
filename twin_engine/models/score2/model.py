"""SCORE2 as a twin model, one for each region."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin_engine.models.score2 import narrative
from twin_engine.models.score2.card import FAMILY, INPUTS, card
from twin_engine.models.score2.equations import Profile, Region, risk
from twin_engine.models.score2.selection import select
from twin_engine.scores.choice import Selected
from twin_engine.scores.planning import Course
from twin_engine.scores.record import Record
from twin_engine.scores.score import Score
from twin_engine.twin import Forecast, Risk
from twin_engine.years import years_after

OUTCOME = "cardiovascular-event-10y"


@dataclass(frozen=True, slots=True)
class Score2(Score[Profile]):
    """SCORE2, SCORE2-OP or SCORE2-Diabetes, whichever holds, calibrated to a region."""

    @classmethod
    def of(cls, region: Region) -> Score2:
        """Return the model of a region."""

        def tell(record: Record, selected: Selected[Profile], at: datetime) -> Forecast:
            return _tell(record, selected, at, region)

        def values(profile: Profile) -> dict[str, float]:
            return {} if profile.variant is None else {OUTCOME: risk(profile, region)}

        course = Course(
            values,
            signals={
                "systolic-blood-pressure": "systolic",
                "total-cholesterol": "total_cholesterol",
                "hdl-cholesterol": "hdl_cholesterol",
            },
            treatments={},
        )
        return cls(card(region), INPUTS, select, tell, course)


def _tell(record: Record, selected: Selected[Profile], at: datetime, region: Region) -> Forecast:
    probability = risk(selected.profile, region)
    return Forecast(
        family=FAMILY,
        at=at,
        expires=selected.until,
        risks=(Risk(OUTCOME, years_after(at, 10), probability),),
        basis=selected.basis(record.subject),
        rationale=narrative.rationale(selected, region, probability),
        contributions=narrative.contributions(record, selected, region),
        scale="log-hazard",
        notes=narrative.notes(selected),
    )
