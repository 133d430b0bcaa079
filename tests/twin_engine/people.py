"""People for the tests of the engine."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from twin_engine.model import Model
from twin_engine.twin import Evidence, Finding, Forecast, Item, Measurement, Refusal, Subject

AT = datetime(2026, 3, 15, 12, tzinfo=UTC)
WOMAN = Subject("female", date(1975, 7, 1), False, "Patient/1/_history/1")  # 50 years at AT
MAN = replace(WOMAN, sex="male", source="Patient/2/_history/1")


def aged(subject: Subject, years: int) -> Subject:
    """Return the person as of ``years`` completed years at AT."""
    return replace(subject, birth_date=date(AT.year - years, 1, 1))


def measured(signal: str, value: float, ago: timedelta = timedelta(hours=1), source: str = "") -> Measurement:
    return Measurement(signal, AT - ago, source or f"Observation/{signal}/_history/1", value)


def found(signal: str, value: str, ago: timedelta = timedelta(hours=1), source: str = "") -> Finding:
    return Finding(signal, AT - ago, source or f"Observation/{signal}/_history/1", value)


def answer(
    model: Model, subject: Subject, *items: Item, at: datetime = AT, rng_seed: int = 1
) -> Forecast | Refusal:
    state = model.assimilate(model.prior(subject, at), Evidence.of(subject, items), at)
    (only,) = model.forecast(state, at, np.random.default_rng(rng_seed))
    return only


def forecast(model: Model, subject: Subject, *items: Item, at: datetime = AT) -> Forecast:
    given = answer(model, subject, *items, at=at)
    if not isinstance(given, Forecast):
        raise TypeError(str([reason.code for reason in given.reasons]))
    return given


def refusal(model: Model, subject: Subject, *items: Item, at: datetime = AT) -> Refusal:
    given = answer(model, subject, *items, at=at)
    if not isinstance(given, Refusal):
        raise TypeError("a forecast was given")
    return given


def reasons(model: Model, subject: Subject, *items: Item, at: datetime = AT) -> set[tuple[str, str]]:
    return {(reason.code, reason.signal) for reason in refusal(model, subject, *items, at=at).reasons}


def without(items: tuple[Item, ...], *signals: str) -> tuple[Item, ...]:
    return tuple(item for item in items if getattr(item, "signal", None) not in signals)
