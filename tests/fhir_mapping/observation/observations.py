"""Observations for the tests, each valid FHIR R4."""

from datetime import UTC, datetime

from fhir_mapping import observation
from fhir_mapping.mapped import Origin

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ORIGIN = Origin("Observation/1/_history/1", NOW)
AT = datetime(2026, 1, 10, 8, tzinfo=UTC)
LOINC = "http://loinc.org"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
SYSTOLIC, DIASTOLIC, PRESSURE = "8480-6", "8462-4", "85354-9"
TEMPERATURE, WEIGHT, SMOKING = "8310-5", "29463-7", "72166-2"


def concept(code: str, system: str = LOINC) -> dict:
    return {"coding": [{"system": system, "code": code}]}


def ucum(value: float, unit: str) -> dict:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def part(loinc: str, /, **elements) -> dict:
    return {"code": concept(loinc), **elements}


def observed(loinc: str, /, **elements) -> dict:
    """Return a final Observation at AT; an element given as None is left out."""
    resource = {
        "resourceType": "Observation",
        "id": "1",
        "status": "final",
        "code": concept(loinc),
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-10T08:00:00Z",
        **elements,
    }
    return {name: element for name, element in resource.items() if element is not None}


def items(resource: dict) -> tuple:
    """Return the items of an Observation of which nothing was quarantined."""
    mapped = observation.read(resource, ORIGIN)
    if mapped.reasons:
        raise AssertionError(mapped.reasons)
    return mapped.items


def problem(resource: dict):
    """Return the one reason why an Observation gave nothing."""
    mapped = observation.read(resource, ORIGIN)
    if mapped.items:
        raise AssertionError(mapped.items)
    (only,) = mapped.reasons
    return only
