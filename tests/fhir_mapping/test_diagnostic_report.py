from datetime import UTC, datetime

import pytest

from fhir_mapping import resource

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LOINC = "http://loinc.org"
SUBJECT = {"reference": "Patient/p"}
WEIGHT = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"coding": [{"system": LOINC, "code": "29463-7"}]},
    "valueQuantity": {"value": 81, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
}
AT = {"effectiveDateTime": "2026-01-10T08:00:00Z"}


def report(**elements):
    stored = {
        "resourceType": "DiagnosticReport",
        "id": "d",
        "status": "final",
        "subject": SUBJECT,
        "code": {"coding": [{"system": LOINC, "code": "11502-2"}]},
        **AT,
    }
    return resource.read(stored | elements, NOW)


def test_a_contained_observation_reads_like_one_that_stands_alone():
    alone = resource.read(WEIGHT | {"subject": SUBJECT, **AT}, NOW)
    within = report(contained=[WEIGHT], result=[{"reference": "#o"}])
    (measured,), (same,) = within.items, alone.items
    assert (measured.signal, measured.time, measured.value) == (same.signal, same.time, same.value)
    assert (measured.source, same.source) == (within.source, alone.source)


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_what_a_withdrawn_report_contains_is_withdrawn(status):
    reading = report(status=status, contained=[WEIGHT], result=[{"reference": "#o"}])
    assert reading.items == ()
    assert [problem.code for problem in reading.reasons] == ["retracted"]


def test_a_conclusion_is_a_doubt_and_no_diagnosis():
    infarction = {"coding": [{"system": "http://snomed.info/sct", "code": "22298006"}]}
    reading = report(conclusionCode=[infarction])
    assert [(item.name, item.confirmed) for item in reading.items] == [
        ("cardiovascular-disease", False),
        ("myocardial-infarction", False),
        ("vascular-disease", False),
    ]


def test_results_that_stand_alone_are_not_counted_twice():
    assert not report(result=[{"reference": "Observation/1"}]).relevant


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/q"},
        {"reference": "urn:uuid:6f1f5f0e-2a4e-4d5b-9d6b-0a3f5b1c2d3e"},
        {"identifier": {"value": "q"}},
    ],
)
def test_an_observation_about_another_is_not_the_patients(subject):
    reading = report(contained=[WEIGHT | {"subject": subject}], result=[{"reference": "#o"}])
    assert reading.items == ()
    (problem,) = reading.reasons
    assert (problem.code, problem.expression) == ("reference", "DiagnosticReport.contained[0].subject")


@pytest.mark.parametrize("name", ["Patient/p", "Patient/p/_history/2", "https://fhir.example.org/Patient/p"])
def test_an_observation_may_name_the_subject_of_its_report_again(name):
    contained = WEIGHT | {"subject": {"reference": name}}
    (measured,) = report(contained=[contained], result=[{"reference": "#o"}]).items
    assert measured.value == 81


@pytest.mark.parametrize("status", ["registered", "preliminary", "unknown"])
def test_a_report_that_is_not_yet_final_waits(status):
    infarction = {"coding": [{"system": "http://snomed.info/sct", "code": "22298006"}]}
    reading = report(
        status=status, contained=[WEIGHT], result=[{"reference": "#o"}], conclusionCode=[infarction]
    )
    assert reading.items == ()
    assert [(each.code, each.expression) for each in reading.reasons] == [
        ("status", "DiagnosticReport.status")
    ]


def test_of_a_partial_report_only_what_is_final_is_used():
    early = WEIGHT | {"id": "early", "status": "preliminary"}
    reading = report(
        status="partial", contained=[WEIGHT, early], result=[{"reference": "#o"}, {"reference": "#early"}]
    )
    assert [item.value for item in reading.items] == [81]
    assert [each.code for each in reading.reasons] == ["status"]
