"""Choosing the values that a model may use, and saying why another may not be used.

The newest value counts, never an older one because it is more convenient. Of several at the same instant
the one with the largest source, then the largest value, is taken, so that the choice is the same everywhere.
Where there is no value that can be used, and the record has since said why, the reason repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from twin_engine.model import Signal
from twin_engine.twin import Absence, Condition, Finding, Measurement, Reason, Treatment

Timed = TypeVar("Timed", Measurement, Finding, Absence)
Lasting = TypeVar("Lasting", Condition, Treatment)

# Clocks of hospitals run a little ahead of ours; a value from further ahead is not known yet.
CLOCK_SKEW = timedelta(minutes=5)
# Parts of names that are not written as ordinary words.
_WRITTEN = {"egfr": "eGFR", "hba1c": "HbA1c", "hdl": "HDL", "spo2": "SpO2"}
# What FHIR's data-absent-reason codes say of a value.
_ABSENT = {
    "unknown": "it is not known",
    "asked-unknown": "it was asked and is not known",
    "temp-unknown": "it is not known yet",
    "not-asked": "it was not asked",
    "asked-declined": "it was asked and not answered",
    "masked": "it is withheld",
    "not-applicable": "it does not apply",
    "unsupported": "the system that holds it cannot send it",
    "as-text": "it stands in a text",
    "error": "it is lost through an error",
    "not-a-number": "the device gave no number",
    "negative-infinity": "the device gave no number",
    "positive-infinity": "the device gave no number",
    "not-performed": "it was not measured",
    "not-permitted": "it may not be shown",
}
_SPANS = (
    (timedelta(days=365.25), "year"),
    (timedelta(days=365.25 / 12), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
)


def said(name: str) -> str:
    """Return the engine's name for an input as a clinician writes it: ``HDL cholesterol``."""
    return " ".join(_WRITTEN.get(part, part) for part in name.split("-"))


def known(items: Iterable[Timed], at: datetime) -> list[Timed]:
    """Return the items that are known at ``at``: those not from the future."""
    horizon = at + CLOCK_SKEW
    return [item for item in items if item.time <= horizon]


def newest(items: Iterable[Timed], name: str) -> Timed | None:
    """Return the newest item of the signal ``name``."""
    mine = (item for item in items if item.signal == name)
    return max(mine, key=_age_and_name, default=None)


def _age_and_name(item: Measurement | Finding | Absence) -> tuple[datetime, str, float | str]:
    return item.time, item.source, item.reason if isinstance(item, Absence) else item.value


def stale_from(signal: Signal, item: Measurement | Finding) -> datetime | None:
    """Return the first instant at which ``item`` is too old to be used."""
    return None if signal.max_age is None else item.time + signal.max_age


def doubt(
    signal: Signal, item: Measurement | Finding | None, at: datetime, absences: Iterable[Absence] = ()
) -> Reason | None:
    """Return why ``item`` cannot be used for ``signal`` at ``at``; None where it can.

    ``absences`` are what the record says of values that are not there.
    """
    name = said(signal.name)
    if item is None:
        return Reason("missing-input", signal.name, f"No {name} is known{_since(signal, None, absences)}.")
    limit = stale_from(signal, item)
    if limit is not None and at >= limit:
        seen = f"The newest {name} is too old (last seen {_ago(at - item.time)} ago)"
        return Reason("stale-input", signal.name, f"{seen}{_since(signal, item, absences)}.")
    return _out_of_range(signal, item, name)


def _since(signal: Signal, item: Measurement | Finding | None, absences: Iterable[Absence]) -> str:
    """Return what the record has said of ``signal`` since ``item``."""
    last = newest(absences, signal.name)
    if last is None or (item is not None and last.time <= item.time) or last.reason not in _ABSENT:
        return ""
    return f"; the record says {_ABSENT[last.reason]}"


def _ago(age: timedelta) -> str:
    """Return a span in its largest whole unit: ``5 years``."""
    length, unit = next((span for span in _SPANS if age >= span[0]), _SPANS[-1])
    number = age // length
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def lasting(items: Iterable[Lasting], name: str) -> tuple[Lasting, ...]:
    """Return the records of the condition or treatment ``name``, in the order of their sources."""
    return tuple(sorted((item for item in items if item.name == name), key=lambda item: item.source))


def turns(records: Iterable[Condition | Treatment], at: datetime) -> list[datetime]:
    """Return the recorded ends after ``at``, each of which may change what the records say."""
    ends = (record.until for record in records)
    return [end for end in ends if end is not None and end > at]


def _out_of_range(signal: Signal, item: Measurement | Finding, name: str) -> Reason | None:
    if isinstance(item, Finding):
        if not signal.values or item.value in signal.values:
            return None
        return Reason("unconfirmed", signal.name, f"The newest {name} has no answer that can be used.")
    below = signal.low is not None and not item.value >= signal.low
    above = signal.high is not None and not item.value <= signal.high
    if not below and not above:
        return None
    return Reason("out-of-range", signal.name, f"The newest {name} is outside {_range(signal)}.")


def _range(signal: Signal) -> str:
    if signal.low is not None and signal.high is not None:
        return f"{signal.low:g} to {signal.high:g} {signal.unit}"
    return f"{signal.high if signal.low is None else signal.low:g} {signal.unit}"
