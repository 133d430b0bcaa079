from datetime import UTC, datetime

import pytest

from fhir_mapping import release, resource
from fhir_mapping.condition import CERTAINTY
from fhir_mapping.errors import Unusable

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
SNOMED = "http://snomed.info/sct"


def read(concept, **elements):
    stored = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": SNOMED, "code": concept}]},
    }
    return resource.read(stored | elements, NOW)


def status(system, code):
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize("code", ["active", "recurrence", "relapse", "inactive", "remission", "resolved"])
def test_what_lasts_stays_active_and_the_rest_goes_by_its_status(code):
    clinical = {"clinicalStatus": status(CLINICAL, code)}
    infarction = read("22298006", **clinical).items
    (hypertension,) = read("38341003", **clinical).items
    assert {item.name: item.active for item in infarction} == {
        "cardiovascular-disease": True,
        "myocardial-infarction": True,
        "vascular-disease": True,
    }
    assert hypertension.active == (code in ("active", "recurrence", "relapse"))


@pytest.mark.parametrize(
    ("code", "confirmed"),
    [
        ("confirmed", [True]),
        ("unconfirmed", [False]),
        ("provisional", [False]),
        ("differential", [False]),
        ("refuted", []),
    ],
)
def test_only_what_is_confirmed_counts_and_what_is_open_stays_open(code, confirmed):
    reading = read(
        "38341003",
        clinicalStatus=status(CLINICAL, "active"),
        verificationStatus=status(VERIFICATION, code),
    )
    assert [item.confirmed for item in reading.items] == confirmed
    assert bool(reading.reasons) == (confirmed != [True])


def test_statuses_that_contradict_each_other_leave_a_doubt():
    both = {"coding": [{"system": CLINICAL, "code": code} for code in ("active", "resolved")]}
    reading = read("38341003", clinicalStatus=both)
    assert [item.confirmed for item in reading.items] == [False]
    assert [problem.expression for problem in reading.reasons] == ["Condition.clinicalStatus"]


@pytest.mark.parametrize(
    ("onset", "at", "reasons"),
    [
        ({"onsetDateTime": "2010-03"}, datetime(2010, 3, 1, tzinfo=UTC), 0),
        ({"onsetPeriod": {"start": "2011"}}, datetime(2011, 1, 1, tzinfo=UTC), 0),
        ({"onsetAge": {"value": 50, "code": "a", "system": "http://unitsofmeasure.org"}}, None, 1),
        ({"onsetString": "in youth"}, None, 1),
        ({"onsetDateTime": "2027"}, None, 1),
        ({}, None, 0),
    ],
)
def test_a_diagnosis_stands_without_its_onset_and_says_why(onset, at, reasons):
    reading = read("38341003", **onset)
    assert [(item.active, item.onset) for item in reading.items] == [(True, at)]
    assert len(reading.reasons) == reasons


GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


def certain(letter, **elements):
    extension = {"url": CERTAINTY, "valueCoding": {"code": letter}}
    coding = {"system": GM, "code": "I10.90", "extension": [extension]}
    return read("38341003", code={"coding": [coding]}, **elements)


@pytest.mark.parametrize(
    ("letter", "told"),
    [
        ("G", [(True, True)]),
        ("Z", [(False, True)]),
        ("V", [(False, False)]),
        ("A", []),
        ("X", [(False, False)]),
    ],
)
def test_how_sure_a_diagnosis_is_may_stand_beside_its_code(letter, told):
    reading = certain(letter)
    assert [(item.active, item.confirmed) for item in reading.items] == told
    assert bool(reading.reasons) == (letter not in "GZ")


def test_a_state_after_a_diagnosis_that_is_said_to_be_active_is_active():
    (item,) = certain("Z", clinicalStatus=status(CLINICAL, "active")).items
    assert item.active


def test_an_excluded_diagnosis_that_cannot_be_read_leaves_no_doubt():
    unread = {"clinicalStatus": status(CLINICAL, "maybe")}
    assert [item.confirmed for item in certain("V", **unread).items] == [False]
    with pytest.raises(Unusable):
        certain("A", **unread)


def test_a_diagnosis_of_unknown_clinical_status_is_not_confirmed():
    stored = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": SNOMED, "code": "38341003"}]},
        "clinicalStatus": status(CLINICAL, "unknown"),
    }
    for each in (stored, release.to_r4(stored, "R5")):
        reading = resource.read(each, NOW)
        assert [item.confirmed for item in reading.items] == [False]
        assert ["clinicalStatus" in problem.expression for problem in reading.reasons] == [True]


def test_a_diagnosis_without_a_clinical_status_is_active_after_r5_too():
    stored = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": SNOMED, "code": "38341003"}]},
    }
    assert release.to_r4(release.from_r4(stored, "R5"), "R5") == stored
