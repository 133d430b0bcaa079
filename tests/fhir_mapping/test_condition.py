from datetime import UTC, datetime

import pytest

from fhir_mapping import resource

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
SNOMED = "http://snomed.info/sct"


def read(code, **elements):
    stored = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": SNOMED, "code": code}]},
    }
    return resource.read(stored | elements, NOW)


def status(system, code):
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize("code", ["active", "recurrence", "relapse", "inactive", "remission", "resolved"])
def test_what_lasts_stays_active_and_the_rest_goes_by_its_status(code):
    clinical = {"clinicalStatus": status(CLINICAL, code)}
    (infarction,) = read("22298006", **clinical).items
    (hypertension,) = read("38341003", **clinical).items
    assert infarction.active
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
