import pytest

from fhir_mapping import codes
from fhir_mapping.observation import quantity
from tests.fhir_mapping.observation.observations import AT, LOINC, ORIGIN, WEIGHT, items, observed, ucum
from twin_engine.twin import Measurement

KILOGRAMS = codes.TARGETS[LOINC, WEIGHT]
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
