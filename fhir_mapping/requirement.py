"""What a model lacks, as DataRequirements: resource type, codes that would do, how fresh it must be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fhir_mapping.codes import TARGETS, Question, Signal
from twin_engine.model import Inputs
from twin_engine.twin import Reason, Refusal

SIGNAL = "urn:didymos:signal"
UCUM = "http://unitsofmeasure.org"
# Reasons that new or better data would remove.
CURABLE = frozenset({"missing-input", "stale-input", "unit", "unconfirmed"})
_PERSON = {"birth-date": "birthDate", "sex": "gender"}
_ELEMENT = {element: name for name, element in _PERSON.items()}
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "s": timedelta(seconds=1)}


@dataclass(frozen=True, slots=True)
class Need:
    """An input that is missing, by the engine's name for it; ``type`` is the resource that would bring it.

    ``within`` is how old it may be, in whole seconds.
    """

    type: str
    name: str
    within: timedelta | None = None


def needs(refusal: Refusal, inputs: Inputs) -> tuple[Need, ...]:
    """Return what would let the model speak; nothing where data cannot help."""
    if any(reason.code not in CURABLE for reason in refusal.reasons):
        return ()
    return tuple(dict.fromkeys(_need(reason, inputs) for reason in refusal.reasons if reason.signal))


def render(need: Need) -> dict[str, Any]:
    """Return the DataRequirement."""
    if need.type == "Patient":
        return {"type": need.type, "mustSupport": [_PERSON[need.name]]}
    coded = [{"system": SIGNAL, "code": need.name}, *_codes(need.name)]
    wanted: dict[str, Any] = {"type": need.type, "codeFilter": [{"path": "code", "code": coded}]}
    if need.within is not None:
        wanted["dateFilter"] = [{"path": "effective", "valueDuration": _duration(need.within)}]
    return wanted


def read(wanted: dict[str, Any]) -> Need:
    """Return the need that ``render`` was given."""
    if "mustSupport" in wanted:
        return Need(wanted["type"], _ELEMENT[wanted["mustSupport"][0]])
    fresh = wanted.get("dateFilter")
    within = fresh[0]["valueDuration"] if fresh else None
    return Need(
        wanted["type"],
        wanted["codeFilter"][0]["code"][0]["code"],
        within["value"] * _UNITS[within["code"]] if within else None,
    )


def _need(reason: Reason, inputs: Inputs) -> Need:
    name = reason.signal
    if name in _PERSON:
        return Need("Patient", name)
    if name in inputs.treatments:
        return Need("MedicationRequest", name)
    ages = {each.name: each.max_age for each in (*inputs.signals, *inputs.findings)}
    if name in inputs.conditions and name not in ages:
        return Need("Condition", name)
    return Need("Observation", name, ages.get(name))


def _codes(name: str) -> Iterator[dict[str, str]]:
    for (system, code), target in TARGETS.items():
        if isinstance(target, Signal | Question) and target.name == name:
            yield {"system": system, "code": code}


def _duration(span: timedelta) -> dict[str, Any]:
    unit = next(name for name, size in _UNITS.items() if span % size == timedelta() or name == "s")
    return {"value": span // _UNITS[unit], "unit": unit, "system": UCUM, "code": unit}
