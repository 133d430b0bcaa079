import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import codes
from tests.fhir_mapping.observation.observations import (
    ABSENT,
    AT,
    LOINC,
    ORIGIN,
    PRESSURE,
    SMOKING,
    SYSTOLIC,
    TEMPERATURE,
    WEIGHT,
    concept,
    items,
    observed,
    part,
    problem,
    ucum,
)
from twin_engine.twin import Absence, Finding, Measurement, Series

SOURCE = ORIGIN.source
SAMPLES = {"origin": ucum(0, "mm[Hg]"), "period": 10, "dimensions": 1, "data": "120 121"}
VALUES = {
    "valueQuantity": ucum(120, "mm[Hg]"),
    "valueCodeableConcept": concept("LA6576-8"),
    "valueString": "120",
    "valueBoolean": True,
    "valueInteger": 120,
    "valueRange": {"low": ucum(110, "mm[Hg]"), "high": ucum(120, "mm[Hg]")},
    "valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}},
    "valueSampledData": SAMPLES,
    "valueTime": "08:00:00",
    "valueDateTime": "2026-01-10",
    "valuePeriod": {"start": "2026-01-10"},
}
UNUSED = "the value is of a kind that is not used here"


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        ("valueCodeableConcept", "value", f"{UNUSED}: a coded answer where a number with a unit is needed"),
        ("valueString", "value", f"{UNUSED}: a text where a number with a unit is needed"),
        ("valueBoolean", "value", f"{UNUSED}: a yes or no where a number with a unit is needed"),
        ("valueInteger", "unit", "the unit is absent, unknown or contradicts itself"),
        ("valueRange", "value", f"{UNUSED}: a range where a number with a unit is needed"),
        ("valueRatio", "value", f"{UNUSED}: a ratio where a number with a unit is needed"),
        ("valueTime", "value", f"{UNUSED}: a time of day where a number with a unit is needed"),
        ("valueDateTime", "value", f"{UNUSED}: a point in time where a number with a unit is needed"),
        ("valuePeriod", "value", f"{UNUSED}: a period where a number with a unit is needed"),
    ],
)
def test_a_kind_that_is_no_number_is_refused_by_name(kind, code, text):
    found = problem(observed(SYSTOLIC, **{kind: VALUES[kind]}))
    assert (found.code, found.text, found.signal) == (code, text, "systolic-blood-pressure")
    assert found.expression.startswith("Observation.value")


@pytest.mark.parametrize("kind", [kind for kind in VALUES if kind != "valueCodeableConcept"])
def test_a_kind_that_is_no_coded_answer_is_refused_by_name(kind):
    found = problem(observed(SMOKING, **{kind: VALUES[kind]}))
    assert (found.code, found.expression) == ("value", "Observation.value")
    assert found.text.endswith(" where a coded answer is needed")


def test_a_quantity_is_a_measurement_and_sampled_data_a_series():
    (number,) = items(observed(SYSTOLIC, valueQuantity=VALUES["valueQuantity"]))
    (trace,) = items(observed(SYSTOLIC, valueSampledData=SAMPLES))
    assert number == Measurement("systolic-blood-pressure", AT, SOURCE, 120.0)
    assert trace == Series("systolic-blood-pressure", AT, SOURCE, 0.01, (120.0, 121.0))


@pytest.mark.parametrize(
    ("quantity", "code", "place"),
    [
        ({**ucum(120, "mm[Hg]"), "comparator": "<"}, "comparator", "value.comparator"),
        ({"value": 120}, "unit", "value.unit"),
        (ucum(120, "furlong"), "unit", "value.unit"),
        ({**ucum(120, "mm[Hg]"), "unit": "kPa"}, "unit", "value.unit"),
        (ucum(1200, "mm[Hg]"), "range", "value"),
        (ucum(10**18, "mm[Hg]"), "range", "value"),
        ({"unit": "mm[Hg]"}, "absent", "value"),
    ],
)
def test_a_quantity_that_cannot_be_used_has_its_reason(quantity, code, place):
    found = problem(observed(SYSTOLIC, valueQuantity=quantity))
    assert (found.code, found.expression) == (code, f"Observation.{place}")


@pytest.mark.parametrize(
    ("coding", "reason"),
    [
        ({"system": ABSENT, "code": "asked-declined"}, "asked-declined"),
        ({"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "NASK"}, "not-asked"),
        ({"system": ABSENT, "code": "forgotten"}, "unknown"),
        ({"system": "http://example.org", "code": "error"}, "unknown"),
    ],
)
@pytest.mark.parametrize("code", [SYSTOLIC, SMOKING])
def test_an_absence_keeps_the_reason_that_the_record_gives(code, coding, reason):
    (item,) = items(observed(code, dataAbsentReason={"coding": [coding]}))
    assert isinstance(item, Absence)
    assert (item.time, item.source, item.reason) == (AT, SOURCE, reason)


def test_an_absence_in_words_is_of_unknown_reason():
    (item,) = items(observed(SYSTOLIC, dataAbsentReason={"text": "cuff too small"}))
    assert item.reason == "unknown"


def test_the_reason_may_stand_in_an_extension_of_the_missing_number():
    url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    missing = {"extension": [{"url": url, "valueCode": "error"}]}
    quantity = {"unit": "mm[Hg]", "_value": missing}
    assert items(observed(SYSTOLIC, valueQuantity=quantity))[0].reason == "error"
    assert items(observed(SYSTOLIC, _valueString=missing))[0].reason == "error"


def test_an_answer_may_itself_be_that_there_is_none():
    (item,) = items(observed(SMOKING, valueCodeableConcept=concept("asked-unknown", ABSENT)))
    assert item == Absence("smoking-status", AT, SOURCE, "asked-unknown")


def test_no_value_and_no_word_of_it_is_quarantined():
    assert problem(observed(SYSTOLIC)).text == "there is no value"
    assert problem(observed(SMOKING)).text == "there is no value"


def test_a_component_with_a_value_and_a_reason_for_its_absence_is_refused():
    both = part(SYSTOLIC, valueQuantity=ucum(120, "mm[Hg]"), dataAbsentReason=concept("error", ABSENT))
    found = problem(observed(PRESSURE, component=[both]))
    assert (found.code, found.expression) == ("value", "Observation.component[0].dataAbsentReason")


def test_answers_that_disagree_or_are_not_known_are_refused():
    two = {"coding": [{"system": LOINC, "code": code} for code in ("LA18978-9", "LA15920-4")]}
    for answer in (two, concept("LA0-0"), {"text": "never"}):
        assert problem(observed(SMOKING, valueCodeableConcept=answer)).code == "code"


def test_a_code_may_imply_its_answer_where_no_value_stands():
    air = {"system": "http://snomed.info/sct", "code": "722742002"}
    (item,) = items(observed(SMOKING, code={"coding": [air]}))
    assert item == Finding("supplemental-oxygen", AT, SOURCE, "air")
    (item,) = items(observed(SMOKING, code={"coding": [air]}, dataAbsentReason=concept("error", ABSENT)))
    assert isinstance(item, Absence)


def test_a_code_may_name_its_answer_whatever_the_value():
    scale = {"coding": [{"system": "http://snomed.info/sct", "code": "1104321000000108"}]}
    (item,) = items(observed(SMOKING, code=scale, valueInteger=3))
    assert item == Finding("spo2-scale", AT, SOURCE, "2")


@given(st.sampled_from([SYSTOLIC, TEMPERATURE, WEIGHT]), st.floats(0, 1), st.data())
def test_a_value_and_the_bounds_of_its_range_are_converted_alike(code, part_, data):
    signal = codes.TARGETS[LOINC, code]
    unit = data.draw(st.sampled_from(sorted(signal.scales)))
    scale = signal.scales[unit]
    least, most = (_sent(scale, bound) for bound in (signal.low, signal.high))
    sent = least + (0.001 + 0.998 * part_) * (most - least)
    bound = {"value": sent, "unit": unit}
    (item,) = items(observed(code, valueQuantity=bound, referenceRange=[{"low": bound, "high": bound}]))
    assert signal.low <= item.value <= signal.high
    assert item.context.low == item.context.high == item.value


def _sent(scale, value: float) -> float:
    """Return what a server sends for ``value``: the scale is a straight line."""
    zero, one = scale.apply(0.0), scale.apply(1e6)
    return (value - zero) / (one - zero) * 1e6
