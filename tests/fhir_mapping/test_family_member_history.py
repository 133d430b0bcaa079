from datetime import UTC, datetime
from itertools import permutations

import pytest

from fhir_mapping import resource
from twin_engine.twin import Relative

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
LOCAL = {"system": "urn:local", "code": "dad"}
HEART_FAILURE = {"coding": [{"system": SNOMED, "code": "84114007"}]}
INFARCTION = {"coding": [{"system": SNOMED, "code": "22298006"}]}


def read(**elements):
    stored = {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "status": "completed",
        "patient": {"reference": "Patient/p"},
        "relationship": {"coding": [{"system": ROLE, "code": "FTH"}]},
        "condition": [{"code": HEART_FAILURE}],
    }
    return resource.read(stored | elements, NOW)


def aged(value, unit):
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def test_the_patient_of_a_family_history_is_known():
    assert read().subject_id == "p"


@pytest.mark.parametrize(
    "codings",
    [*permutations(({"system": SNOMED, "code": "66839005"}, {"system": ROLE, "code": "NFTH"}, LOCAL))],
)
def test_the_relation_does_not_depend_on_the_order_of_its_codes(codings):
    (relative,) = read(relationship={"coding": list(codings)}).items
    assert isinstance(relative, Relative)
    assert relative.relation == "NFTH"


@pytest.mark.parametrize(
    ("age", "years"),
    [(aged(48, "a"), 48), (aged(6, "mo"), 0.5), (aged(365.25, "d"), 1), (aged(52.178571428571431, "wk"), 1)],
)
def test_an_age_of_onset_is_in_years(age, years):
    (relative,) = read(condition=[{"code": HEART_FAILURE, "onsetAge": age}]).items
    assert relative.onset == pytest.approx(years)


def test_a_disease_that_is_several_things_is_all_of_them_in_the_relative():
    items = read(condition=[{"code": INFARCTION, "onsetAge": aged(48, "a")}]).items
    assert {(item.condition, item.relation, item.onset) for item in items} == {
        ("cardiovascular-disease", "FTH", 48),
        ("myocardial-infarction", "FTH", 48),
        ("vascular-disease", "FTH", 48),
    }
    assert len(items) == 3


@pytest.mark.parametrize("age", [aged(400, "a"), aged(50000, "d")])
def test_an_age_that_cannot_be_is_left_out_with_its_reason(age):
    reading = read(condition=[{"code": HEART_FAILURE, "onsetAge": age}])
    assert [item.onset for item in reading.items] == [None]
    assert [problem.code for problem in reading.reasons] == ["range"]


@pytest.mark.parametrize(
    ("elements", "deceased"),
    [
        ({"deceasedBoolean": True}, True),
        ({"deceasedBoolean": False}, False),
        ({"deceasedAge": aged(70, "a")}, True),
        ({"deceasedDate": "1999"}, True),
        ({"deceasedString": "unknown"}, None),
        ({}, None),
    ],
)
def test_a_relative_died_where_the_record_says_so(elements, deceased):
    (relative,) = read(**elements).items
    assert relative.deceased is deceased


@pytest.mark.parametrize("role", ["HUSB", "SISINLAW", "STPFTH", "ADOPTP", "CHLDFOST", "FRND", "ONESELF"])
def test_whoever_is_no_relative_by_blood_tells_nothing_of_the_family(role):
    codings = [{"system": ROLE, "code": "FTH"}, {"system": ROLE, "code": role}]
    for coded in (codings, codings[1:]):
        reading = read(relationship={"coding": coded})
        assert reading.items == ()
        assert [problem.code for problem in reading.reasons] == ["value"]
