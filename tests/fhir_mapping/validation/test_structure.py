import pytest

from fhir_mapping import validation
from tests.fhir_mapping.validation.valid import (
    COURSE,
    DIABETES,
    FOLDER,
    LOINC,
    PERSON,
    PRESSURE,
    RISK,
    found,
    without,
)

BROKEN = [
    ("a required element is missing", without(PRESSURE, "status"), "required", "Observation.status"),
    (
        "a required choice is missing",
        without(COURSE, "medicationCodeableConcept"),
        "required",
        "MedicationRequest.medication",
    ),
    (
        "a required part is missing",
        {**PRESSURE, "component": [{"valueString": "a"}]},
        "required",
        "Observation.component[0].code",
    ),
    ("an element is unknown", {**PRESSURE, "gender": "male"}, "structure", "Observation"),
    (
        "an inner element is unknown",
        {**PRESSURE, "code": {"texts": "a"}},
        "structure",
        "Observation.code",
    ),
    ("an element has no name of FHIR", {**PRESSURE, "<script>": 1}, "structure", "Observation"),
    ("a list stands for one", {**PRESSURE, "status": ["final"]}, "structure", "Observation.status"),
    ("one stands for a list", {**PRESSURE, "note": {"text": "a"}}, "structure", "Observation.note"),
    ("a list is empty", {**PRESSURE, "note": []}, "structure", "Observation.note"),
    ("an object is empty", {**PRESSURE, "subject": {}}, "structure", "Observation.subject"),
    ("text stands for an object", {**PRESSURE, "subject": "Patient/p"}, "structure", "Observation.subject"),
    ("null stands for an object", {**PRESSURE, "subject": None}, "structure", "Observation.subject"),
    (
        "two values are given",
        {**PRESSURE, "valueString": "a", "valueBoolean": True},
        "structure",
        "Observation.value",
    ),
    (
        "a value has parts of another",
        {**PRESSURE, "valueString": "a", "_valueTime": {"id": "a"}},
        "structure",
        "Observation.value",
    ),
    ("a code is not in its set", {**PRESSURE, "status": "finalish"}, "code-invalid", "Observation.status"),
    (
        "a listed code is not in its set",
        {**COURSE, "dosageInstruction": [{"timing": {"repeat": {"dayOfWeek": ["mon", "day"]}}}]},
        "code-invalid",
        "MedicationRequest.dosageInstruction[0].timing.repeat.dayOfWeek[1]",
    ),
    (
        "no coding is in its set",
        {**DIABETES, "clinicalStatus": {"coding": [{"system": LOINC, "code": "active"}]}},
        "code-invalid",
        "Condition.clinicalStatus.coding",
    ),
    (
        "null stands for nothing",
        {**PERSON, "name": [{"given": ["Jo", None]}]},
        "structure",
        "Patient.name[0].given[1]",
    ),
    (
        "null stands beside null",
        {**PERSON, "name": [{"given": [None], "_given": [None]}]},
        "structure",
        "Patient.name[0].given[0]",
    ),
    ("null stands in a list of objects", {**PERSON, "name": [None]}, "structure", "Patient.name[0]"),
    ("nothing stands beside a primitive", {**PERSON, "_birthDate": {}}, "structure", "Patient.birthDate"),
    (
        "a comparator is where none belongs",
        {
            **COURSE,
            "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 1, "comparator": "<"}}]}],
        },
        "structure",
        "MedicationRequest.dosageInstruction[0].doseAndRate[0].dose",
    ),
    ("a type is unknown", {"resourceType": "Observations"}, "not-supported", ""),
    ("a type is abstract", {"resourceType": "DomainResource"}, "not-supported", ""),
    ("a type is a datatype", {"resourceType": "Quantity", "value": 1}, "not-supported", ""),
    ("a type is no text", {"resourceType": {"a": 1}}, "structure", ""),
    ("a type is not named", {"id": "a"}, "structure", ""),
    (
        "an entry is wrong",
        {**FOLDER, "entry": [{"resource": without(PRESSURE, "code")}]},
        "required",
        "Bundle.entry[0].resource.code",
    ),
    (
        "an outcome is wrong",
        {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [{"response": {"status": "200", "outcome": {"resourceType": "OperationOutcome"}}}],
        },
        "required",
        "Bundle.entry[0].response.outcome.issue",
    ),
    (
        "an entry is of no type",
        {**FOLDER, "entry": [{"resource": {"resourceType": "Person2"}}]},
        "not-supported",
        "Bundle.entry[0].resource",
    ),
    (
        "a contained resource is wrong",
        {**RISK, "contained": [{"resourceType": "Device", "id": "d", "status": "on"}]},
        "code-invalid",
        "RiskAssessment.contained[0].status",
    ),
    (
        "a parameter is wrong",
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "a", "part": [{"name": "b", "resource": {"resourceType": "Basic"}}]}],
        },
        "required",
        "Parameters.parameter[0].part[0].resource.code",
    ),
]


@pytest.mark.parametrize(
    ("resource", "code", "place"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN]
)
def test_a_fault_is_told_with_its_place(resource, code, place):
    assert (code, place) in found(resource)


def test_all_faults_are_told_up_to_the_limit():
    broken = {**PRESSURE, "status": "x", "issued": "today", "note": [{"text": ""}, {}], "valueInteger": 1.0}
    assert [place for _, place in found(broken)] == [
        "Observation.status",
        "Observation.issued",
        "Observation.note[0].text",
        "Observation.note[1]",
        "Observation.value",
    ]
    assert len(validation.problems(broken, limit=2)) == 2


@pytest.mark.parametrize(
    "value",
    [
        {"valueCodeableReference": {"concept": {"text": "a"}}},
        {"valueRatioRange": {"denominator": {"value": 1}}},
    ],
)
def test_an_extension_of_r4b_is_taken_on_the_same_path(value):
    assert found({**PERSON, "extension": [{"url": "http://example.org/e", **value}]}) == []
