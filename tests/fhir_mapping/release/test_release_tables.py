"""The tables are complete: every element that one release has and the other lacks is accounted for."""

import importlib
import json
import re

import pytest

from fhir_mapping.release import from_r4, receive
from fhir_mapping.release.tables import TABLES

MARK = "a-mark: not to be lost"
R4, R5 = "fhir.resources.R4B", "fhir.resources"
_NAME = re.compile(r"(\w+)Type\b")
_CHOICE = re.compile(r"\b(value|effective|occurr?ence)[A-Z]\w*")
# Elements that hold, or stand on, what R5 has in another place: what becomes of them is tested by name.
ELSEWHERE = {
    "Bundle.issues",  # what the server says of a search; it is no resource of the Bundle
    "Consent.date",
    "Consent.dateTime",
    "Consent.decision",
    "Consent.provision.type",
    "Group.actual",
    "Group.membership",
    "MedicationRequest.reported",
    "MedicationRequest.reportedBoolean",
    "MolecularSequence.coordinateSystem",
    "Subscription.criteria",
}

BESIDE = {
    "Consent": {
        "decision": "permit",
        "policyRule": {"coding": [{"code": "OPTIN"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "64292-6"}]}],
    },
    "AuditEvent": {"code": {"coding": [{"code": "rest"}]}},
    "MedicationStatement": {"status": "recorded"},
    "Subscription": {"criteria": "https://a.example/topic"},
}


def fields(package, kind, name=None, above=()):
    """Yield (path, sample) of the elements of a type; a sample carries the mark in every leaf."""
    module = importlib.import_module(f"{package}.{kind.lower()}")
    for key, field in getattr(module, name or kind).model_fields.items():
        element, told = field.alias or key, str(field.annotation)
        if key.endswith("__ext") or element in ("fhir_comments", "resource_type", "id", "extension"):
            continue
        found = _NAME.search(told)
        datatype = found[1] if found else ""
        inner = getattr(module, datatype, None) if datatype not in above and datatype != name else None
        own = inner is not None and inner.__module__ == module.__name__ and datatype != kind
        value = _filled(package, kind, datatype, above) if own else _sample(datatype)
        yield (element,), [value] if "List" in told else value
        if own and element != "modifierExtension":
            for path, sample in fields(package, kind, datatype, (*above, datatype)):
                yield (element, *path), sample


def _filled(package, kind, datatype, above):
    inner = fields(package, kind, datatype, (*above, datatype))
    return {path[0]: sample for path, sample in inner if len(path) == 1 and path[0] != "modifierExtension"}


def _sample(datatype):
    match datatype:
        case "CodeableReference":
            return {"concept": {"text": MARK}}
        case "CodeableConcept":
            return {"text": MARK}
        case "Reference":
            return {"display": MARK}
        case "":
            return MARK
        case _:
            return {"extension": [{"url": "urn:x", "valueString": MARK}]}


def gained(kind, ours, theirs):
    """Yield the path and a resource for each element that ``ours`` has and ``theirs`` lacks."""
    known = {path for path, _ in fields(theirs, kind)}
    parts = {path[:-1] for path in known}
    lists = {path for path, sample in fields(ours, kind) if isinstance(sample, list)}
    for path, sample in fields(ours, kind):
        if path not in known and path[:-1] in parts:
            resource = sample
            for depth in range(len(path) - 1, -1, -1):
                resource = {path[depth]: resource}
                if depth and path[:depth] in lists:
                    resource = [resource]
            yield ".".join((kind, *path)), {"resourceType": kind, **BESIDE.get(kind, {}), **resource}


def cases(ours, theirs):
    return [
        case for kind in sorted(TABLES) for case in gained(kind, ours, theirs) if case[0] not in ELSEWHERE
    ]


def at(resource, path):
    found = resource
    for name in path.split(".")[1:]:
        found = (found[0] if isinstance(found, list) else found).get(name)
        if found is None:
            return None
    return found


@pytest.mark.parametrize(
    ("path", "resource"), cases(R5, R4), ids=lambda case: case if isinstance(case, str) else ""
)
def test_what_r5_gained_is_turned_carried_or_refused(path, resource):
    received = receive(resource, "R5")
    problems = received.fault.problems if received.fault else ()
    refusals = {re.sub(r"\[\d+\]", "", each.expression) for each in problems if each.code == "not-supported"}
    assert at(received.resource, path) is None
    told = _CHOICE.sub(r"\1", path)
    assert MARK in json.dumps(received.resource) or told in refusals or path.rpartition(".")[0] in refusals


@pytest.mark.parametrize(
    ("path", "resource"), cases(R4, R5), ids=lambda case: case if isinstance(case, str) else ""
)
def test_what_r5_lost_is_turned_carried_or_refused(path, resource):
    there = from_r4(resource, "R5")
    assert at(there, path) is None
    assert MARK in json.dumps(there)
