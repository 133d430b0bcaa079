from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import definitions, patient, resource
from fhir_mapping.errors import Unusable

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CLINICAL_USE = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
SYSTEM = "http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use"
OTHER = {"url": "urn:x", "valueBoolean": True}


def read(**elements):
    return resource.read({"resourceType": "Patient", "id": "p", **elements}, NOW)


def statement(code, **period):
    parts = [{"url": "value", "valueCodeableConcept": {"coding": [{"system": SYSTEM, "code": code}]}}]
    if period:
        parts.append({"url": "period", "valuePeriod": period})
    return {"url": CLINICAL_USE, "extension": parts}


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 1, 15)))
def test_a_full_day_gives_the_age_and_anything_less_gives_none(born):
    assert read(birthDate=born.isoformat()).subject.age_at(NOW) is not None
    for vague in (born.isoformat()[:7], born.isoformat()[:4]):
        reading = read(birthDate=vague)
        assert reading.subject.age_at(NOW) is None
        assert "Patient.birthDate" in {problem.expression for problem in reading.reasons}


@given(st.timedeltas(min_value=timedelta(days=2), max_value=timedelta(days=20000)))
def test_nobody_is_born_in_the_future(ahead):
    assert read(birthDate=(NOW + ahead).date().isoformat()).subject.birth_date is None


@pytest.mark.parametrize(
    ("statements", "sex"),
    [
        ([statement("male-typical")], "male"),
        ([statement("male-typical", end="2025-12-31")], "female"),
        ([statement("male-typical", start="2026-02")], "female"),
        ([statement("male-typical", start="2020")], "male"),
        ([statement("female-typical", end="2020"), statement("male-typical", start="2021")], "male"),
        ([statement("female-typical"), statement("male-typical")], None),
        ([statement("specified")], None),
        ([], "female"),
    ],
)
def test_the_sex_for_clinical_use_is_that_of_the_present(statements, sex):
    reading = read(gender="female", birthDate="1960-05-17", extension=statements or [OTHER])
    assert reading.subject.sex == sex
    assert bool(reading.reasons) == (sex is None)


ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}


@pytest.mark.parametrize(
    ("elements", "deceased", "places"),
    [
        ({"_deceasedBoolean": {"extension": [ABSENT]}}, True, ["Patient.deceased"]),
        ({"deceasedBoolean": False, "_deceasedBoolean": {"extension": [OTHER]}}, False, []),
        ({}, False, []),
    ],
)
def test_nobody_counts_as_alive_whose_death_is_said_to_be_unknown(elements, deceased, places):
    reading = read(gender="female", birthDate="1960-05-17", **elements)
    assert reading.subject.deceased is deceased
    assert [problem.expression for problem in reading.reasons] == places


@pytest.mark.parametrize(
    ("born", "known"),
    [("1900-01-01", True), ("1895-01-16", True), ("1895-01-15", False), ("0001-01-01", False)],
)
def test_nobody_is_older_than_130_years(born, known):
    reading = read(gender="female", birthDate=born)
    assert (reading.subject.birth_date is not None) == known
    assert [problem.code for problem in reading.reasons] == ([] if known else ["range"])


PERSON = {"gender": "female", "birthDate": "1960-05-17"}


@pytest.mark.parametrize(
    ("elements", "place"),
    [
        ({"telecom": [{"system": "mobile", "value": "1"}]}, "Patient.telecom[0].system"),
        ({"name": [{"period": {"start": "2024", "end": "2023"}}]}, "Patient.name[0].period"),
        ({"text": {"status": "generated", "div": "<div><script/></div>"}}, "Patient.text.`div`"),
        ({"_language": {"extension": []}}, "Patient.language.extension"),
        ({"multipleBirthInteger": "two"}, "Patient.multipleBirth"),
        ({"contained": [{"resourceType": "Organization", "id": "o"}]}, "Patient.contained[0]"),
        ({"telecom": [{"system": "mobile"}] * 60}, "Patient.telecom[49].system"),
    ],
)
def test_a_fault_in_an_element_that_is_not_read_is_listed_and_stops_nothing(elements, place):
    reading = read(**PERSON, **elements)
    assert (reading.subject.sex, reading.subject.birth_date) == ("female", date(1960, 5, 17))
    assert reading.reasons[-1].expression == place


@pytest.mark.parametrize(
    "elements",
    [
        {"gender": "f"},
        {"birthDate": "1960-02-30"},
        {"deceasedBoolean": "no"},
        {"deceasedDateTime": "yesterday"},
        {"active": "yes"},
        {"link": [{"type": "same"}]},
        {"extension": [{"url": CLINICAL_USE, "valueCode": 1}]},
        {"modifierExtension": [{}]},
        {"meta": {"security": {}}},
        {"birthdate": "1960-05-17"},
        {"Deceased": True},
    ],
)
def test_a_fault_in_what_is_read_or_may_change_its_meaning_refuses_the_person(elements):
    harmless = {"telecom": [{"system": "mobile"}] * 60}
    with pytest.raises(Unusable):
        read(**{**PERSON, **elements})
    with pytest.raises(Unusable) as refused:
        read(**{**harmless, **PERSON, **elements})
    assert not refused.value.expression.startswith("Patient.telecom")


def test_every_element_that_may_be_wrong_is_one_of_hl7_and_read_by_nothing():
    fields = definitions.type_of("Patient").fields
    read_elsewhere = {"id", "meta"}
    may_change_the_meaning = {"active", "deceasedBoolean", "deceasedDateTime", "implicitRules", "link"}
    read_here = {"extension", "modifierExtension", "gender", "birthDate"}
    known = {name for name in fields if not name.startswith("_")}
    assert known - patient.UNREAD == read_elsewhere | may_change_the_meaning | read_here
    assert known >= patient.UNREAD
