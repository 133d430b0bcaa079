"""The rows of the list: the patients of a page by risk, one column for each outcome family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.operations.portrait import Album, Portrait, Told
from twin_engine.model import Model
from twin_engine.twin import Forecast, Refusal

_GRADES = {"low": 1, "low-medium": 2, "moderate": 3, "medium": 3, "high": 4}


@dataclass(frozen=True, slots=True)
class Row:
    """One patient; ``cells`` follow the families of the listing."""

    portrait: Portrait
    cells: tuple[Told | None, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list."""

    families: tuple[str, ...]
    rows: tuple[Row, ...]
    closed: int
    further: str | None


def listing(album: Album, models: Mapping[str, Model]) -> Listing:
    """Return the rows, the highest risk first: grades before probabilities, what holds before the rest."""
    portraits = [
        replace(one, told=tuple(told for told in one.told if concerns(told, models)))
        for one in album.portraits
    ]
    families = sorted({told.answer.family for portrait in portraits for told in portrait.told})
    rows = (_row(portrait, families) for portrait in sorted(portraits, key=_urgency))
    return Listing(tuple(families), tuple(rows), album.closed, album.further)


def concerns(told: Told, models: Mapping[str, Model]) -> bool:
    """Tell whether a model is one for this patient, who has what it is about, or may have it."""
    needed = models[told.card.name].inputs.diagnoses
    return not (
        isinstance(told.answer, Refusal)
        and any(reason.code == "out-of-scope" and reason.signal in needed for reason in told.answer.reasons)
    )


def _urgency(portrait: Portrait) -> tuple[int, float, str]:
    risks = [risk for forecast in _holding(portrait, portrait.at) for risk in forecast.risks]
    worst = max((_GRADES.get(risk.qualitative or "", 0) for risk in risks), default=0)
    likeliest = max((risk.probability or 0.0 for risk in risks), default=0.0)
    return -worst, -likeliest, portrait.twin


def _holding(portrait: Portrait, now: datetime) -> list[Forecast]:
    return [forecast for told in portrait.told if (forecast := told.live(now)) is not None]


def _row(portrait: Portrait, families: list[str]) -> Row:
    by_family = {told.answer.family: told for told in portrait.told}
    return Row(portrait, tuple(by_family.get(family) for family in families), state(portrait))


def state(portrait: Portrait) -> str:
    """Return how a twin stands, in words."""
    if portrait.parked:
        return "Update failed"
    if portrait.state != "current":
        return _STATES.get(portrait.state, "Not known")
    forecasts = [told for told in portrait.told if isinstance(told.answer, Forecast)]
    if not forecasts:
        return "Inputs missing"
    holding = len(_holding(portrait, portrait.at))
    if holding == len(forecasts):
        return "Current"
    return "Partly expired" if holding else "Expired"


_STATES = {
    "new": "Waiting for its first update",
    "denied": "Consent does not permit an assessment",
    "unknown": "The EHR does not know this patient",
}
