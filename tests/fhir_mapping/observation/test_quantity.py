import pytest

from fhir_mapping import codes
from fhir_mapping.observation import quantity
from tests.fhir_mapping.observation.observations import (
    AT,
    LOINC,
    ORIGIN,
    TEMPERATURE,
    WEIGHT,
    items,
    observed,
    ucum,
)
from twin_engine.twin import Measurement

KILOGRAMS = codes.TARGETS[LOINC, WEIGHT]
DEGREES = codes.TARGETS[LOINC, TEMPERATURE]
PER_DECILITRE = codes.TARGETS[LOINC, "2093-3"]
UCUM = "http://unitsofmeasure.org"
MDC = "urn:iso:std:iso:11073:10101"
COMA_SCORE = "9269-2"


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"value": 70, "unit": "kg", "code": "kg"}, 70),
        ({"value": 70, "unit": "kg"}, 70),
        ({"value": 70, "code": "kg"}, 70),
        ({"value": 70000, "unit": "grams", "code": "g"}, 70),
        ({"value": 70, "unit": "g", "code": "kg"}, None),
        ({"value": 70, "unit": "kg", "code": "stone"}, None),
        ({"value": 70, "unit": "hogshead"}, None),
        ({"value": 70, "comparator": "<", "code": "kg"}, None),
        ({"value": 70}, None),
        ({"code": "kg"}, None),
    ],
)
def test_a_number_counts_in_a_unit_that_is_stated_known_and_not_contradicted(given, value):
    assert quantity.converted(KILOGRAMS, given) == value


@pytest.mark.parametrize("element", [{"valueInteger": 13}, {"valueQuantity": {"value": 13}}])
def test_a_score_needs_no_unit(element):
    score = Measurement("glasgow-coma-score", AT, ORIGIN.source, 13.0)
    assert items(observed(COMA_SCORE, **element)) == (score,)
    assert items(observed(COMA_SCORE, valueQuantity=ucum(13, "{score}"))) == (score,)


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("mg/dl", 200),
        ("milligram per deciliter", 200),
        ("mg/dL (serum)", 200),
        ("mmol/L", None),
        ("mmol/L blood", None),
        ("kg", None),
        ("kPa", None),
        ("mm Hg", None),
    ],
)
def test_a_printed_unit_that_is_known_must_be_the_coded_one(printed, value):
    given = {"value": 200, "unit": printed, "system": UCUM, "code": "mg/dL"}
    assert quantity.converted(PER_DECILITRE, given) == value


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"code": "kg", "system": UCUM}, 70),
        ({"code": "kg", "system": "urn:oid:2.16.840.1.113883.6.8"}, 70),
        ({"code": "263875", "system": MDC}, 70),
        ({"code": "263875", "system": "urn:oid:2.16.840.1.113883.6.24"}, 70),
        ({"code": "kg", "system": MDC}, None),
        ({"code": "kg", "system": "http://example.org/units"}, None),
        ({"code": "kg", "unit": "hogshead", "system": "http://example.org/units"}, None),
        ({"code": "258683005", "unit": "kg", "system": "http://snomed.info/sct"}, 70),
    ],
)
def test_a_code_counts_in_its_own_system_alone(given, value):
    assert quantity.converted(KILOGRAMS, {"value": 70, **given}) == value


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"code": "C", "system": UCUM}, None),
        ({"code": "C", "system": UCUM, "unit": "warm"}, None),
        ({"code": "C", "system": UCUM, "unit": "°F"}, None),
        ({"code": "C", "system": UCUM, "unit": "°C"}, 37),
        ({"code": "C", "system": UCUM, "unit": "C"}, 37),
        ({"code": "degC", "system": UCUM}, 37),
        ({"code": "F", "system": UCUM}, None),
    ],
)
def test_a_coulomb_is_a_degree_only_where_that_is_printed(given, value):
    assert quantity.converted(DEGREES, {"value": 37, **given}) == value
