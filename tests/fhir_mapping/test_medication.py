"""A medication or diagnosis that cannot be read is never taken as absent."""

from datetime import UTC, datetime

import pytest

from fhir_mapping import release, resource
from tests.twin_engine.people import WOMAN, answer, found, measured
from twin_engine.models.prevent import Prevent
from twin_engine.twin import Forecast, Refusal

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
KNOWN = (
    measured("systolic-blood-pressure", 160),
    measured("total-cholesterol", 200),
    measured("hdl-cholesterol", 45),
    measured("body-mass-index", 35),
    measured("egfr", 90),
    found("smoking-status", "former"),
)
REQUEST = {
    "resourceType": "MedicationRequest",
    "id": "m",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/1"},
}
INFARCTION = {
    "resourceType": "Condition",
    "id": "c",
    "subject": {"reference": "Patient/1"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "22298006"}]},
    "clinicalStatus": {"coding": [{"code": "maybe"}]},
}


def told(stored: dict) -> Forecast | Refusal:
    return answer(Prevent(), WOMAN, *KNOWN, *resource.read(stored, NOW).items, at=NOW)


@pytest.mark.parametrize(
    ("stored", "signal"),
    [
        (
            REQUEST | {"medicationReference": {"reference": "Medication/1", "display": "Atorvastatin"}},
            "statin",
        ),
        (REQUEST | {"medicationCodeableConcept": {"text": "Lisinopril 10 mg"}}, "antihypertensive"),
        (INFARCTION, "cardiovascular-disease"),
    ],
)
def test_prevent_is_refused_where_what_it_would_rest_on_cannot_be_read(stored, signal):
    given = told(stored)
    assert isinstance(given, Refusal)
    assert [(reason.code, reason.signal) for reason in given.reasons] == [("unconfirmed", signal)]


@pytest.mark.parametrize(
    "medication",
    [
        {"medicationReference": {"reference": "Medication/1"}},
        {"medicationReference": {"reference": "#absent"}},
        {"medicationCodeableConcept": {"coding": [{"system": "urn:local", "code": "7"}]}},
        {"medicationCodeableConcept": 7},
        {},
    ],
)
def test_prevent_says_that_a_medication_of_unknown_class_could_not_be_read(medication):
    given = told(REQUEST | medication)
    assert isinstance(given, Forecast)
    assert any("could not be read" in note for note in given.notes)
    assert any(source.startswith("MedicationRequest/m/_history/") for source in given.basis)


@pytest.mark.parametrize("status", ["stopped", "entered-in-error", "draft"])
def test_a_medication_that_is_surely_not_taken_leaves_no_doubt(status):
    stored = REQUEST | {"status": status, "medicationReference": {"reference": "Medication/1"}}
    assert resource.read(stored, NOW).items == ()


REFERENCE = {"medicationReference": {"reference": "Medication/1"}}
ATORVASTATIN = {
    "resourceType": "Medication",
    "id": "1",
    "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "83367"}]},
}


def test_a_medication_in_a_resource_of_its_own_is_wanted():
    assert resource.read(REQUEST | REFERENCE, NOW).wants == ("Medication/1",)


def test_a_medication_given_beside_is_read_and_not_wanted_any_more():
    reading = resource.read(REQUEST | REFERENCE, NOW, {"Medication/1": ATORVASTATIN})
    assert [(item.name, item.active) for item in reading.items] == [("statin", True)]
    assert (reading.wants, reading.reasons) == ((), ())


@pytest.mark.parametrize(
    "spoilt",
    [
        {"status": "entered-in-error"},
        {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
        {"resourceType": "Substance"},
        {"code": {"text": "Atorvastatin"}},
        {"code": 7},
    ],
)
def test_a_medication_beside_that_cannot_be_relied_on_leaves_the_doubt(spoilt):
    reading = resource.read(REQUEST | REFERENCE, NOW, {"Medication/1": ATORVASTATIN | spoilt})
    assert [item.confirmed for item in reading.items] == [False]
    assert reading.reasons


@pytest.mark.parametrize(
    "reference", ["#absent", "Substance/1", "urn:uuid:0b5a2a4e-0a0e-4c43-9c0e-000000000001"]
)
def test_only_a_medication_that_can_be_read_is_wanted(reference):
    stored = REQUEST | {"medicationReference": {"reference": reference}}
    assert resource.read(stored, NOW).wants == ()


STATIN = REQUEST | {"medicationCodeableConcept": ATORVASTATIN["code"]}
STATEMENT = {
    "resourceType": "MedicationStatement",
    "id": "m",
    "status": "active",
    "subject": {"reference": "Patient/1"},
    "medicationCodeableConcept": ATORVASTATIN["code"],
}


def bounded(*ends):
    return [
        {"timing": {"repeat": {"boundsPeriod": {"end": end} if end else {"start": "2025"}}}} for end in ends
    ]


@pytest.mark.parametrize(
    ("ends", "active"),
    [
        (["2025-01-31"], False),
        (["2025-01-31", "2025-03-31"], False),
        (["2025-01-31", "2027-03-31"], True),
        (["2025-01-31", None], True),
        (["2026-03-15"], True),
    ],
)
def test_a_course_is_over_when_all_of_its_dosages_are(ends, active):
    stated = STATEMENT | {"dosage": bounded(*ends)}
    for stored in (STATIN | {"dosageInstruction": bounded(*ends)}, stated):
        reading = resource.read(stored, NOW)
        assert [(item.name, item.active) for item in reading.items] == [("statin", active)]
        assert reading.reasons == ()


@pytest.mark.parametrize(("end", "active"), [("2025-12-31", False), ("2026-12-31", True)])
def test_a_course_is_over_when_its_effective_period_in_r5_is(end, active):
    stored = REQUEST | {
        "medication": {"concept": ATORVASTATIN["code"]},
        "effectiveDosePeriod": {"end": end},
    }
    (item,) = resource.read(release.to_r4(stored, "R5"), NOW).items
    assert (item.name, item.active) == ("statin", active)


@pytest.mark.parametrize(("end", "confirmed"), [("2026-01-31", False), ("2026-03-15", True)])
def test_what_may_not_be_dispensed_any_more_is_perhaps_still_taken(end, confirmed):
    reading = resource.read(STATIN | {"dispenseRequest": {"validityPeriod": {"end": end}}}, NOW)
    assert [(item.active, item.confirmed) for item in reading.items] == [(confirmed, confirmed)]
    assert [problem.code for problem in reading.reasons] == ([] if confirmed else ["time"])


def test_a_course_that_is_over_is_over_whatever_may_be_dispensed():
    past = {
        "dosageInstruction": bounded("2025-01-31"),
        "dispenseRequest": {"validityPeriod": {"end": "2025"}},
    }
    (item,) = resource.read(STATIN | past, NOW).items
    assert (item.active, item.confirmed) == (False, True)
