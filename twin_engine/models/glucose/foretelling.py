"""What the type 1 diabetes twin foretells: low and high glucose, the course, and how it was controlled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.random import Generator

from twin_engine.models.glucose import requirement
from twin_engine.models.glucose.card import CONTROL_FAMILY, FRESH, HIGH_FAMILY, LOW_FAMILY
from twin_engine.models.glucose.filtering import predicted
from twin_engine.models.glucose.following import DAYS, Followed
from twin_engine.models.glucose.minimal import Array, Inputs
from twin_engine.models.glucose.record import LISTED, SENSOR
from twin_engine.models.glucose.state import State
from twin_engine.prediction import course, crossing
from twin_engine.twin import Course, Forecast, Reason, Refusal, Risk, Summary

STEP = 5  # minutes
# An event lasts 15 minutes: three readings (Battelino 2019, doi:10.2337/dci19-0028).
LASTING = 3
NIGHT = 480  # minutes
NOT_FOR_TREATMENT = "Not for treatment and not an alarm: check glucose before anything is done."
_HALF_A_YEAR = timedelta(days=183)
_NAMED = {NIGHT: "8h", 120: "120min", 60: "60min", 30: "30min"}


@dataclass(frozen=True, slots=True)
class Fan:
    """Paths (N, n) of glucose in mg/dL at ``minutes`` (n,) from ``start``."""

    start: datetime
    minutes: Array
    paths: Array

    def course(self) -> Course:
        """Return the quantiles."""
        return course(SENSOR, "mg/dL", self.start, self.minutes * 60, self.paths)


def foretold(state: State, at: datetime, rng: Generator) -> Iterator[Forecast]:
    """Yield the chances of low and of high glucose; ``state`` is one that has readings."""
    here, ahead = state.filter, state.ahead
    if here is None or ahead is None or state.newest is None:
        raise ValueError("a state without readings foretells nothing")
    inputs = Inputs.of(ahead.insulin, eaten(state, len(ahead.insulin)), ahead.slow)
    fan = fanned(here, inputs, state.at, rng)
    expires = state.newest.time + FRESH
    basis, needs = based(state), tuple(_needs(here, state))
    for family, side in ((LOW_FAMILY, "below"), (HIGH_FAMILY, "above")):
        yield Forecast(
            family=family,
            at=at,
            expires=expires,
            risks=tuple(_risks(fan, family, at)),
            basis=basis,
            rationale=_rationale(state, side),
            notes=_notes(state),
            courses=(fan.course(),) if family == LOW_FAMILY else (),
            summaries=needs if family == HIGH_FAMILY else (),
        )


def eaten(state: State, minutes: int) -> Array:
    """Return what is left of a meal that is being eaten, g/min (minutes,)."""
    food = np.zeros(minutes)
    if state.underway is not None:
        left = state.underway.eating[:minutes]
        food[: len(left)] = left
    return food


def fanned(here: Followed, inputs: Inputs, start: datetime, rng: Generator) -> Fan:
    """Return the ensemble's paths under ``inputs`` (minutes from where the filter stands)."""
    paths = predicted(here.ensemble, here.habits, inputs, rng)
    every = np.arange(STEP - 1, paths.shape[1], STEP)
    return Fan(start, (every + 1).astype(float), paths[:, every])


_LIMITS: dict[str, tuple[tuple[Literal["below", "above"], float], ...]] = {
    LOW_FAMILY: (("below", 70.0), ("below", 54.0)),
    HIGH_FAMILY: (("above", 180.0), ("above", 250.0)),
}


def _risks(fan: Fan, family: str, at: datetime) -> Iterator[Risk]:
    for side, limit in _LIMITS[family]:
        for span, name in _NAMED.items():
            event = crossing(fan.minutes, fan.paths, limit, side, (0, span), LASTING)
            until = at + timedelta(minutes=span)
            yield Risk(f"glucose-{side}-{limit:g}-{name}", until, event.probability, event.low, event.high)


def _rationale(state: State, side: str) -> str:
    return (
        f"The chance that glucose stays {side} the limit for 15 minutes, by an ensemble of "
        f"{len(state.filter.members) if state.filter else 0} versions of the person that agree with the "
        "readings. Basal insulin goes on as it is; food and boluses to come are not known."
    )


def _notes(state: State) -> tuple[str, ...]:
    notes = [NOT_FOR_TREATMENT]
    if len(state.sources) >= LISTED:
        notes.append(f"It rests on the readings of a week, of which the newest {LISTED} are listed.")
    if state.weight is None:
        notes.append("No weight is known; 75 kg is taken.")
    return tuple(notes)


def based(state: State) -> tuple[str, ...]:
    """Return what the filter and all that follows from it rest on."""
    conditions = {one.source for one in state.conditions}
    return tuple(sorted({state.subject.source, *conditions, *state.sources}))


def controlled(state: State, at: datetime) -> Forecast | Refusal:
    """Return how glucose was controlled over the last days; too few readings leave it open."""
    known = state.control
    if known is None:
        reason = Reason("missing-input", SENSOR, "Less than 70 % of the last 14 days have readings.")
        return Refusal(CONTROL_FAMILY, at, (reason,), retry=_midnight(at))
    return Forecast(
        family=CONTROL_FAMILY,
        at=at,
        expires=_midnight(at),
        risks=(Risk("severe-hypoglycaemia-6mo", at + _HALF_A_YEAR, qualitative=known.grade),),
        basis=tuple(
            sorted({state.subject.source, *(one.source for one in state.conditions), *known.sources})
        ),
        rationale=(
            "The low blood glucose index of the last 14 full days grades the risk of severe hypoglycaemia in "
            "the next months (Kovatchev 1998)."
        ),
        notes=(NOT_FOR_TREATMENT,),
        summaries=known.summaries,
    )


def _midnight(at: datetime) -> datetime:
    """Return when the next full day is over."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _needs(here: Followed, state: State) -> Iterator[Summary]:
    """Yield what insulin seems to be needed, each with its 90 % interval."""
    needs = requirement.required(here.ensemble, here.habits)
    named = (
        ("basal-insulin", "[iU]/h", needs.basal),
        ("correction-factor", "mg/dL/[iU]", needs.correction),
        ("carbohydrate-ratio", "g/[iU]", needs.ratio),
    )
    for name, unit, members in named:
        low, middle, high = np.quantile(members, (0.05, 0.5, 0.95)).tolist()
        yield Summary(name, unit, middle, state.at - timedelta(days=DAYS), state.at, low, high)
