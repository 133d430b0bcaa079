"""Invalid resources of every type that is read or written, each refused with the place that is wrong."""

import copy

import orjson
import pytest

from fhir_mapping import guard, validation
from fhir_mapping.errors import Unusable
from tests.fhir_mapping.validation.specimens import (
    DROP,
    GLUCOSE,
    HL7,
    PATIENT,
    TEXT,
    VALID,
    changed,
    coded,
    fhirpath,
    valid,
)

LONG = "x" * 65

# kind, place that is changed, its value, code of the refusal, expression where it is another place
MISSING = [
    ("Observation", "status", "required"),
    ("Observation", "code", "required"),
    ("Observation", "component[0].code", "required"),
    ("Patient", "link[0].other", "required"),
    ("Patient", "link[0].type", "required"),
    ("Patient", "communication[0].language", "required"),
    ("Condition", "subject", "required"),
    ("MedicationRequest", "status", "required"),
    ("MedicationRequest", "intent", "required"),
    ("MedicationRequest", "subject", "required"),
    ("MedicationStatement", "status", "required"),
    ("MedicationAdministration", "subject", "required"),
    ("Procedure", "status", "required"),
    ("Procedure", "performer[0].actor", "required"),
    ("FamilyMemberHistory", "relationship", "required"),
    ("FamilyMemberHistory", "condition[0].code", "required"),
    ("DiagnosticReport", "code", "required"),
    ("DiagnosticReport", "media[0].link", "required"),
    ("MolecularSequence", "coordinateSystem", "required"),
    ("MolecularSequence", "repository[0].type", "required"),
    ("RiskAssessment", "status", "required"),
    ("RiskAssessment", "subject", "required"),
    ("Provenance", "target", "required"),
    ("Provenance", "recorded", "required"),
    ("Provenance", "agent", "required"),
    ("Provenance", "agent[0].who", "required"),
    ("Provenance", "entity[0].role", "required"),
    ("AuditEvent", "type", "required"),
    ("AuditEvent", "source", "required"),
    ("AuditEvent", "agent[0].requestor", "required"),
    ("Consent", "scope", "required"),
    ("Consent", "category", "required"),
    ("Consent", "verification[0].verified", "required"),
    ("Consent", "provision.actor[0].role", "required"),
    ("Device", "deviceName[0].type", "required"),
    ("Device", "version[0].value", "required"),
    ("DetectedIssue", "status", "required"),
    ("DetectedIssue", "mitigation[0].action", "required"),
    ("Communication", "status", "required"),
    ("CarePlan", "subject", "required"),
    ("CarePlan", "activity[0].detail.status", "required"),
    ("GuidanceResponse", "status", "required"),
    ("Bundle", "type", "required"),
    ("Bundle", "link[0].relation", "required"),
    ("Subscription", "channel", "required"),
    ("Subscription", "channel.type", "required"),
    ("Subscription", "criteria", "required"),
    ("OperationOutcome", "issue", "required"),
    ("OperationOutcome", "issue[0].severity", "required"),
    ("Parameters", "parameter[0].name", "required"),
]
MISSING_CHOICE = [
    ("MedicationRequest", "medicationCodeableConcept", "required", "MedicationRequest.medication"),
    ("MedicationStatement", "medicationReference", "required", "MedicationStatement.medication"),
    ("MedicationAdministration", "effectiveDateTime", "required", "MedicationAdministration.effective"),
    ("GuidanceResponse", "moduleUri", "required", "GuidanceResponse.module"),
    ("Communication", "payload[0].contentString", "structure", "Communication.payload[0]"),
]
# Told at what holds it, for HL7 gives it no place; the text says its name.
UNKNOWN = [
    ("Observation", "gender", "red"),
    ("Observation", "valueDecimal", 1.5),
    ("Observation", "valueQuantity.low", 1),
    ("Observation", "component[0].status", "final"),
    ("Patient", "name[0].title", "A"),
    ("Patient", "birthdate", "1974"),
    ("Consent", "decision", "permit"),
    ("RiskAssessment", "reason", [TEXT]),
    ("AuditEvent", "agent[0].purposeOfEvent", [TEXT]),
    ("Subscription", "topic", "https://example.org"),
    ("MolecularSequence", "series", []),
    ("Bundle", "entry[0].resource.issued", "red"),
    ("Parameters", "parameter[2].resource.issued", "red"),
]
TYPES = [
    ("Observation", "status", True),
    ("Observation", "code", "15074-8"),
    ("Observation", "code", [GLUCOSE]),
    ("Observation", "valueQuantity.value", "5.4"),
    ("Observation", "category", {"text": "laboratory"}),
    ("Observation", "subject", "Patient/1"),
    ("Observation", "referenceRange[0].low", 3.9),
    ("Patient", "active", "true"),
    ("Patient", "active", 1),
    ("Patient", "birthDate", 1974),
    ("Patient", "name", "Example"),
    ("Patient", "name[0].given", "A"),
    ("Patient", "telecom[0].rank", "1"),
    ("Patient", "deceasedBoolean", "no"),
    ("MolecularSequence", "coordinateSystem", "0"),
    ("MolecularSequence", "referenceSeq.windowStart", 1.5),
    ("RiskAssessment", "prediction", {"outcome": TEXT}),
    ("RiskAssessment", "prediction[0].probabilityDecimal", "12.5"),
    ("Consent", "provision", [{"type": "permit"}]),
    ("Consent", "verification[0].verified", "yes"),
    ("AuditEvent", "recorded", 20240101),
    ("AuditEvent", "entity", {"what": PATIENT}),
    ("Bundle", "total", "1"),
    ("Bundle", "entry", {}),
    ("Provenance", "agent[0].who", [PATIENT]),
    ("Parameters", "parameter[0].valueInteger", 1.5),
    ("OperationOutcome", "issue[0].expression", "Patient.id"),
]
LEXICAL = [
    ("Observation", "id", "a b"),
    ("Observation", "id", LONG),
    ("Observation", "id", ""),
    ("Observation", "issued", "2024-02-29"),
    ("Observation", "issued", "2024-02-29T10:00:00"),
    ("Observation", "effectiveDateTime", "2024-02-29T10:00"),
    ("Observation", "effectiveDateTime", "2024-13"),
    ("Observation", "effectiveDateTime", "2024-01-01T24:00:00Z"),
    ("Observation", "effectiveDateTime", "2024-01-01T10:00:00+14:30"),
    ("Observation", "effectiveDateTime", "29.02.2024"),
    ("Observation", "valueQuantity.system", "http://units of measure.org"),
    ("Observation", "valueQuantity.code", " mmol/L"),
    ("Observation", "valueQuantity.unit", "   "),
    ("Patient", "birthDate", "1974-12-25T10:00:00Z"),
    ("Patient", "birthDate", "74-12-25"),
    ("Patient", "telecom[0].rank", 0),
    ("Patient", "telecom[0].rank", -1),
    ("MolecularSequence", "referenceSeq.windowStart", 2**31),
    ("AuditEvent", "entity[0].query", "not base64!"),
    ("Bundle", "total", -1),
    ("Subscription", "end", "2030"),
    ("DiagnosticReport", "presentedForm[0].data", "a"),
]
EMPTY = [
    ("Observation", "code", {}, "Observation.code"),
    ("Observation", "category", [], "Observation.category"),
    ("Observation", "category[0].coding[0]", {}, "Observation.category[0].coding[0]"),
    ("Observation", "status", None, "Observation.status"),
    ("Observation", "component", [None], "Observation.component[0]"),
    ("Patient", "name[0].given[1]", None, "Patient.name[0].given[1]"),
    ("Patient", "name", [], "Patient.name"),
    ("Consent", "provision", {}, "Consent.provision"),
    ("RiskAssessment", "prediction", [{}], "RiskAssessment.prediction[0]"),
    ("Bundle", "entry", [], "Bundle.entry"),
]
TWO_VALUES = [
    ("Observation", "valueString", "high", "Observation.value"),
    ("Observation", "component[0].valueBoolean", True, "Observation.component[0].value"),
    ("Observation", "effectivePeriod", {"start": "2024"}, "Observation.effective"),
    ("Patient", "deceasedDateTime", "2024", "Patient.deceased"),
    (
        "RiskAssessment",
        "prediction[0].probabilityRange",
        {"low": {"value": 1}},
        "RiskAssessment.prediction[0].probability",
    ),
    (
        "MedicationRequest",
        "medicationReference",
        {"reference": "Medication/1"},
        "MedicationRequest.medication",
    ),
    ("Parameters", "parameter[0].valueString", "a", "Parameters.parameter[0].value"),
]
BINDINGS = [
    ("Observation", "status", "finalish"),
    ("Observation", "valueQuantity.comparator", "~"),
    ("Patient", "gender", "m"),
    ("Patient", "telecom[0].system", "mobile"),
    ("Patient", "link[0].type", "same"),
    ("MedicationRequest", "status", "running"),
    ("MedicationRequest", "intent", "wish"),
    ("MedicationStatement", "status", "done"),
    ("MedicationAdministration", "status", "final"),
    ("Procedure", "status", "final"),
    ("FamilyMemberHistory", "status", "final"),
    ("DiagnosticReport", "status", "completed"),
    ("MolecularSequence", "type", "DNA"),
    ("MolecularSequence", "referenceSeq.strand", "forward"),
    ("RiskAssessment", "status", "bogus"),
    ("Provenance", "entity[0].role", "origin"),
    ("AuditEvent", "action", "X"),
    ("AuditEvent", "outcome", "1"),
    ("Consent", "status", "granted"),
    ("Consent", "provision.type", "allow"),
    ("Consent", "provision.data[0].meaning", "all"),
    ("Device", "status", "on"),
    ("DetectedIssue", "severity", "severe"),
    ("Communication", "priority", "high"),
    ("CarePlan", "intent", "wish"),
    ("CarePlan", "activity[0].detail.status", "new"),
    ("GuidanceResponse", "status", "ok"),
    ("Bundle", "type", "search"),
    ("Bundle", "entry[0].search.mode", "hit"),
    ("Subscription", "status", "on"),
    ("Subscription", "channel.type", "webhook"),
    ("OperationOutcome", "issue[0].code", "bad"),
    ("OperationOutcome", "issue[0].severity", "severe"),
]
BOUND_CONCEPTS = [
    (
        "Condition",
        "clinicalStatus",
        coded(HL7 + "condition-clinical", "better"),
        "Condition.clinicalStatus.coding",
    ),
    ("Condition", "verificationStatus", coded("urn:a", "confirmed"), "Condition.verificationStatus.coding"),
]
CALENDAR = [
    ("Patient", "birthDate", "1974-02-30"),
    ("Patient", "birthDate", "1900-02-29"),
    ("Patient", "name[0].period.start", "2001-04-31"),
    ("Patient", "meta.lastUpdated", "2023-02-29T00:00:00Z"),
    ("Observation", "effectiveDateTime", "2023-02-29"),
    ("Observation", "issued", "2024-06-31T00:00:00Z"),
    ("Condition", "abatementDateTime", "2020-11-31"),
    ("FamilyMemberHistory", "bornDate", "1950-09-31"),
    ("RiskAssessment", "prediction[0].whenPeriod.start", "2024-02-30"),
    ("Provenance", "recorded", "2024-02-30T00:00:00Z"),
    ("AuditEvent", "recorded", "2024-02-30T00:00:00Z"),
    ("Consent", "provision.period.end", "2025-02-29"),
    ("Subscription", "end", "2030-02-29T00:00:00Z"),
    ("DetectedIssue", "mitigation[0].date", "2024-02-30"),
    ("Parameters", "parameter[1].part[0].valueDate", "2023-02-29"),
]
TARGETS = [
    ("Observation", "subject.reference", "Practitioner/1"),
    ("Observation", "subject.reference", "https://example.org/fhir/Practitioner/1"),
    ("Observation", "subject.reference", "Practitioner/1/_history/2"),
    ("Observation", "subject.reference", "patient/1"),
    ("Observation", "subject.type", "Practitioner"),
    ("Observation", "subject.type", "Group"),
    ("Observation", "performer[0].reference", "Device/1"),
    ("Patient", "generalPractitioner[0].reference", "Patient/2"),
    ("Patient", "link[0].other.reference", "Person/2"),
    ("Condition", "subject.reference", "Device/1"),
    ("MedicationStatement", "medicationReference.reference", "Substance/1"),
    ("Procedure", "performer[0].actor.reference", "Location/1"),
    ("DiagnosticReport", "result[0].reference", "Condition/1"),
    ("FamilyMemberHistory", "patient.reference", "Group/1"),
    ("RiskAssessment", "subject.reference", "Device/1"),
    ("MolecularSequence", "patient.reference", "Group/1"),
    ("Consent", "patient.reference", "Group/1"),
    ("Consent", "provision.actor[0].reference.reference", "Observation/1"),
    ("Provenance", "agent[0].who.reference", "Group/1"),
    ("AuditEvent", "source.observer.reference", "Location/1"),
    ("Device", "patient.reference", "Group/1"),
    ("DetectedIssue", "patient.reference", "Group/1"),
    ("Communication", "subject.reference", "Device/1"),
    ("CarePlan", "subject.reference", "Device/1"),
    ("GuidanceResponse", "subject.reference", "Device/1"),
]
LOCAL = [
    ("Observation", "subject.reference", "#p"),
    ("RiskAssessment", "basis[0].reference", "#basis"),
    ("Provenance", "agent[0].who.reference", "#device"),
]


def holder(kind, place):
    return fhirpath(f"{kind}.{place}".rpartition(".")[0])


SIMPLE = [
    *((kind, place, DROP, code, None) for kind, place, code in MISSING),
    *((kind, place, DROP, code, told) for kind, place, code, told in MISSING_CHOICE),
    *((kind, place, value, "structure", holder(kind, place)) for kind, place, value in UNKNOWN),
    *((*row, "structure", None) for row in TYPES),
    *((*row, "value", None) for row in LEXICAL + CALENDAR),
    *((kind, place, value, "structure", told) for kind, place, value, told in EMPTY + TWO_VALUES),
    *((*row, "code-invalid", None) for row in BINDINGS),
    *((kind, place, value, "code-invalid", told) for kind, place, value, told in BOUND_CONCEPTS),
    *((*row, "structure", None) for row in TARGETS),
    *((*row, "not-found", None) for row in LOCAL),
]


def refused(resource):
    """Return code and expression of every problem, as the bytes of the resource are refused."""
    found = validation.problems(guard.parse(orjson.dumps(resource)))
    return [(problem.code, problem.expression) for problem in found]


@pytest.mark.parametrize("kind", VALID)
def test_each_resource_is_valid_before_it_is_broken(kind):
    assert refused(valid(kind)) == []


@pytest.mark.parametrize(
    ("kind", "place", "value", "code", "told"),
    SIMPLE,
    ids=[f"{kind}.{place} {code} {index}" for index, (kind, place, _, code, _) in enumerate(SIMPLE)],
)
def test_one_wrong_element_is_refused_at_its_place(kind, place, value, code, told):
    assert refused(changed(kind, {place: value})) == [(code, told or fhirpath(f"{kind}.{place}"))]


@pytest.mark.parametrize(("kind", "place", "value"), UNKNOWN)
def test_a_name_of_hl7_that_does_not_belong_is_told_in_words(kind, place, value):
    (problem,) = validation.problems(changed(kind, {place: value}))
    assert problem.text.startswith(f"{place.rpartition('.')[2]} is not an element of ")


def test_the_suite_covers_every_type_with_at_least_150_invalid_resources():
    assert len(SIMPLE) >= 150
    assert {row[0] for row in SIMPLE} == set(VALID)


@pytest.mark.parametrize("kind", [None, 7, "patient", "Patients", "Element"])
def test_what_is_no_resource_type_is_refused(kind):
    assert [place for _, place in refused({"resourceType": kind})] == [""]


def test_every_fault_is_told_and_not_only_the_first():
    resource = changed("Observation", {"status": "finalish", "colour": "red", "code": DROP})
    assert sorted(refused(resource)) == [
        ("code-invalid", "Observation.status"),
        ("required", "Observation.code"),
        ("structure", "Observation"),
    ]


def test_no_more_faults_are_told_than_asked_for():
    resource = valid("Observation")
    resource["component"] *= 100
    resource["component"] = [{**part, "colour": "red"} for part in copy.deepcopy(resource["component"])]
    assert len(validation.problems(resource, limit=7)) == 7


def test_a_refusal_says_nothing_of_the_value():
    with pytest.raises(Unusable) as raised:
        validation.check(changed("Patient", {"gender": "Marked", "birthDate": "Marked", "Marked1": "Marked"}))
    assert len(raised.value.problems) == 3
    assert raised.value.status == 422
    assert "Marked" not in "".join(problem.text for problem in raised.value.problems)
