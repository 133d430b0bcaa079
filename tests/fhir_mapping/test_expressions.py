"""Every place that a refusal or a warning names is FHIRPath as OperationOutcome takes it, and leads there."""

import json
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from fhir_mapping import consent, definitions, guard, operation_outcome, resource, validation
from fhir_mapping.errors import Unusable
from fhir_mapping.release import receive
from tests.fhir_mapping.fhirpath import KEYWORDS, follow
from tests.fhir_mapping.validation import test_invalid, test_invariants, test_structure
from tests.fhir_mapping.validation.specimens import changed

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*/*.in.json"))
INVALID = [
    *(changed(kind, {place: value}) for kind, place, value, _, _ in test_invalid.SIMPLE),
    *(changed(kind, changes) for _, kind, changes, _ in test_invariants.BROKEN.values()),
    *(broken for _, broken, _, _ in test_structure.BROKEN),
]


def expressions(outcome):
    return [place for issue in outcome["issue"] for place in issue.get("expression", ())]


def leads(expression, found):
    """Tell whether all but the last step lead to something: what is missing is told under what lacks it."""
    return all(step is not None for step in follow(expression, found)[:-1])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_golden_refusal_or_warning_leads_to_its_element(path):
    body = path.read_bytes()
    for expression in expressions(told(body)):
        assert leads(expression, json.loads(body))


def told(body):
    try:
        found = guard.resource(body)
        if found["resourceType"] != "Consent":
            return operation_outcome.warnings(resource.read(found, NOW).reasons)
        consent.read(found)
    except Unusable as fault:
        return operation_outcome.of(fault)
    return {"issue": []}


@pytest.mark.parametrize("broken", INVALID, ids=range(len(INVALID)))
def test_a_fault_of_structure_or_of_a_constraint_leads_to_its_element(broken):
    found = validation.problems(guard.parse(orjson.dumps(broken)))
    assert found
    for problem in found:
        assert problem.expression == "" or leads(problem.expression, broken)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"valueQuantity": {"value": "a"}}, "Observation.value.value"),
        ({"valueAttachment": {"title": "a"}}, "Observation.value"),
        ({"_valueString": {"id": 1}}, "Observation.value.id"),
        ({"text": {"status": "generated", "div": 1}}, "Observation.text.`div`"),
        (
            {"contained": [{"resourceType": "Patient", "deceasedDateTime": "x"}]},
            "Observation.contained[0].deceased",
        ),
        (
            {"component": [{"code": {"text": "a"}, "valueRange": {"low": 1}}]},
            "Observation.component[0].value.low",
        ),
        ({"Jane Doe": 1}, "Observation"),
        ({"code": {"Jane Doe": 1}}, "Observation.code"),
        ({"contained": [{"resourceType": "Jane Doe"}]}, "Observation"),
    ],
)
def test_a_fault_of_r5_is_told_in_fhirpath_too(changes, place):
    sent = {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, **changes}
    fault = receive(sent, "R5").fault
    assert place in {problem.expression for problem in fault.problems}
    assert "Jane" not in json.dumps(operation_outcome.of(fault))


def test_a_fault_without_a_place_has_no_expression():
    outcome = operation_outcome.of(Unusable("structure", "a resource must name its resourceType"))
    assert expressions(outcome) == []


@pytest.mark.parametrize(
    "wrong",
    [
        *("Observation.valueQuantity", "Observation.value[x]", "Observation.value.ofType(Quantity)"),
        *("Observation.text.div", "Observation..value", "Observation._status", "Patient.id"),
        "Observation.component[01].code",
    ],
)
def test_what_is_no_such_fhirpath_is_told_apart(wrong):
    with pytest.raises(AssertionError):
        follow(wrong, {"resourceType": "Observation", "component": [{}]})


def test_no_other_element_than_div_has_a_name_to_be_quoted():
    names = {name.removesuffix("[x]") for kind in definitions.elements().values() for name in kind}
    assert names & KEYWORDS == {"div"}
