"""Genomics Observations made up for the tests."""

from datetime import UTC, datetime

from fhir_mapping import genomics
from fhir_mapping.mapped import Origin

LOINC = "http://loinc.org"
TBD = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"
PRESENT, ABSENT, NO_CALL, INDETERMINATE = "LA9633-4", "LA9634-2", "LA18198-4", "LA11884-6"
ORIGIN = Origin("Observation/v/_history/1", datetime(2026, 1, 15, tzinfo=UTC))


def concept(code, system=LOINC, display=None):
    given = {"system": system, "code": code, "display": display}
    return {"coding": [{name: value for name, value in given.items() if value is not None}]}


def part(code, value, system=LOINC):
    return {"code": concept(code, system), "valueCodeableConcept": value}


def text(code, value):
    return {"code": concept(code), "valueString": value}


def gene(symbol, number=None):
    return part("48018-6", concept(f"HGNC:{number}" if number else None, "http://www.genenames.org", symbol))


def coding(name):
    return part("48004-6", concept(name, "http://varnomen.hgvs.org"))


def source_class(code):
    return part("48002-0", concept(code))


def observation(code, *components, value=None, system=LOINC, **more):
    given = {} if value is None else {"valueCodeableConcept": value}
    return {
        "resourceType": "Observation",
        "id": "v",
        "status": "final",
        "code": concept(code, system),
        "subject": {"reference": "Patient/p"},
        "component": [*components],
        **given,
        **more,
    }


def variant(*components, state=PRESENT, **more):
    return observation("69548-6", *components, value=concept(state), **more)


def read(resource):
    return genomics.read(resource, ORIGIN)


def item(resource):
    (found,) = read(resource).items
    return found


def reason(resource):
    mapped = read(resource)
    assert not mapped.items
    (found,) = mapped.reasons
    return found.text
