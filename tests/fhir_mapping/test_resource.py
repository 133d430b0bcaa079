import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import bundle, guard, resource
from fhir_mapping.errors import Unusable
from tests.fhir_mapping.published import examples
from twin_engine.twin import Measurement

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WEIGHT = {
    "resourceType": "Observation",
    "id": "1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2026-11-01T08:00:00Z",
    "valueQuantity": {"value": 70, "unit": "kg"},
}


@pytest.mark.parametrize("path", examples("synthea"), ids=lambda path: path.stem if path else "absent")
def test_a_synthetic_record_maps_without_exception_and_with_a_reason_for_all_that_is_left(path):
    record = guard.resource(path.read_bytes(), guard.BUNDLE)
    readings = [resource.read(each, NOW) for each in bundle.resources(record)]
    (person,) = [each for each in readings if each.subject is not None]
    assert person.subject.birth_date is not None
    assert person.subject.sex in ("female", "male")
    for reading in readings:
        assert all(problem.text and problem.expression for problem in reading.reasons)
        assert bool(reading.items) + bool(reading.reasons) + bool(reading.subject) >= reading.relevant
        if reading.items:
            assert reading.subject_id == person.subject_id
            assert all(item.source == reading.source for item in reading.items)


# HL7's own slips: a Practitioner who dispenses, an Encounter that performs.
WRONG = {"MedicationRequest-medrx0301.json", "Observation-clinical-gender.json"}


@pytest.mark.parametrize("folder", ["hl7-r4-examples", "genomics-reporting"])
def test_published_examples_are_read_save_where_hl7_has_them_wrong(folder):
    for path in examples(folder):
        if not hasattr(path, "read_bytes"):
            pytest.skip(f"the examples {folder} are absent")
        if path.name in WRONG:
            with pytest.raises(Unusable, match="does not belong here"):
                resource.read(json.loads(path.read_bytes()), NOW)
        else:
            resource.read(json.loads(path.read_bytes()), NOW)


@given(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["kg", "g", "lb", "stone", "", "KG"])
)
def test_a_weight_is_plausible_and_in_kilograms_or_quarantined(value, unit):
    quantity = {"value": value, "unit": unit} if unit else {"value": value}
    reading = resource.read(WEIGHT | {"valueQuantity": quantity}, NOW)
    if reading.items:
        (item,) = reading.items
        assert isinstance(item, Measurement)
        assert 0.2 <= item.value <= 700
        assert unit in ("kg", "g", "lb", "KG")
    else:
        (problem,) = reading.reasons
        assert problem.code in ("unit", "range")
        assert problem.signal == "body-weight"


@given(st.timedeltas(min_value=timedelta(days=-9000), max_value=timedelta(days=9000)))
def test_the_future_is_quarantined_and_the_past_is_not(offset):
    at = NOW + offset
    reading = resource.read(WEIGHT | {"effectiveDateTime": at.isoformat()}, NOW)
    assert bool(reading.items) == (offset <= timedelta(minutes=5))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ELEMENTS = [
    "status",
    "code",
    "subject",
    "effectiveDateTime",
    "effectivePeriod",
    "valueQuantity",
    "valueString",
    "component",
    "dataAbsentReason",
    "meta",
    "focus",
    "gender",
    "birthDate",
    "extension",
    "clinicalStatus",
    "verificationStatus",
    "onsetDateTime",
    "intent",
    "medicationCodeableConcept",
    "medicationReference",
    "contained",
    "authoredOn",
]


@given(
    st.sampled_from(sorted(resource.MAPPINGS)), st.dictionaries(st.sampled_from(ELEMENTS), JSON, max_size=8)
)
def test_any_elements_are_read_or_refused_and_nothing_else(kind, elements):
    with contextlib.suppress(Unusable):
        resource.read({**WEIGHT, **elements, "resourceType": kind}, NOW)


@given(st.sampled_from(["status", "effectiveDateTime", "valueQuantity", "code", "subject"]))
def test_no_refusal_and_no_reason_quotes_the_input(element):
    marked = "Marked-4711"
    spoilt = marked if element != "valueQuantity" else {"value": 70, "unit": marked}
    try:
        texts = [
            problem.text + problem.expression
            for problem in resource.read(WEIGHT | {element: spoilt}, NOW).reasons
        ]
    except Unusable as error:
        texts = [f"{error} {error.expression}"]
    assert texts
    assert not any(marked in text for text in texts)


def test_the_reading_names_what_the_gateway_needs():
    stored = WEIGHT | {
        "meta": {"versionId": "3", "lastUpdated": "2026-11-01T09:00:00+01:00", "security": [{"code": "R"}]}
    }
    reading = resource.read(stored, NOW)
    assert (reading.reference, reading.source, reading.version) == (
        "Observation/1",
        "Observation/1/_history/3",
        "3",
    )
    assert reading.last_updated == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert (reading.subject_id, reading.labels, reading.own, reading.relevant) == ("p", {"R"}, False, True)


@pytest.mark.parametrize(
    "spoilt", [{"resourceType": "Obs/../x"}, {"resourceType": None}, {"id": "a/b"}, {"id": None}]
)
def test_a_resource_without_type_or_id_is_refused(spoilt):
    with pytest.raises(Unusable):
        resource.read(WEIGHT | spoilt, NOW)


def test_every_fault_of_a_resource_that_is_still_suspected_is_a_reason():
    stored = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "84114007"}]},
        "onsetDateTime": "long ago",
        "recordedDate": 2020,
    }
    reading = resource.read(stored, NOW)
    assert [item.confirmed for item in reading.items] == [False]
    assert {problem.expression for problem in reading.reasons} == {
        "Condition.onset",
        "Condition.recordedDate",
    }


def test_a_server_without_versions_is_known_by_content():
    reading = resource.read(WEIGHT, NOW)
    assert reading.version is None
    assert reading.source.startswith("Observation/1/_history/sha256-")
    assert reading.source != resource.read(WEIGHT | {"status": "amended"}, NOW).source


DOUBT = [{"url": "http://example.org/opposite", "valueBoolean": True}]
MASKED = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    ]
}
STATIN = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "C10AA05"}]},
}


@pytest.mark.parametrize(
    "part",
    [
        {"dosageInstruction": [{"modifierExtension": DOUBT}]},
        {"dosageInstruction": [{"timing": {"modifierExtension": DOUBT}}]},
        {"_doNotPerform": MASKED},
    ],
)
def test_a_modifier_in_a_part_or_one_that_is_not_said_leaves_a_medication_in_doubt(part):
    found = resource.read(STATIN | part, NOW)
    assert {item.confirmed for item in found.items} == {False}
    assert "modifier" in {reason.code for reason in found.reasons}


@pytest.mark.parametrize(
    "part",
    [
        {"valueQuantity": {"value": 100, "unit": "mg/dL", "_comparator": MASKED}},
        {"referenceRange": [{"modifierExtension": DOUBT, "text": "normal"}]},
    ],
)
def test_a_modifier_of_a_value_leaves_no_value(part):
    glucose = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-01-02T03:04:05Z",
        "valueQuantity": {
            "value": 100,
            "unit": "mg/dL",
            "system": "http://unitsofmeasure.org",
            "code": "mg/dL",
        },
    }
    found = resource.read(glucose | part, NOW)
    assert found.items == ()
    assert found.reasons
