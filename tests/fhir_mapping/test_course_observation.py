"""A course and a derived number stand as Observations that nobody takes for measurements."""

from datetime import UTC, datetime, timedelta

import pytest

from fhir_mapping import course_observation
from fhir_mapping.codes import TARGETS
from fhir_mapping.course_observation import Derived
from fhir_mapping.device import Software
from fhir_mapping.errors import Unusable
from fhir_mapping.heading import Heading
from tests.fhir_mapping.validators import accepted_by_all
from twin_engine.twin import Course, Summary

AT = datetime(2026, 3, 15, 12, 0, 0, 250, tzinfo=UTC)
HEAD = Heading(
    "a" * 32,
    "Patient/17",
    ("urn:didymos:derived", "a" * 32),
    Software("type-1-diabetes", "1", "Type 1 diabetes twin", "c" * 64, ("A source",)),
    frozenset({"R"}),
)
FAN = Course(
    "interstitial-glucose",
    "mg/dL",
    AT,
    (300.0, 600.0, 900.0),
    ((0.05, (80.0, 70.5, 61.25)), (0.5, (100.0, 101.0, 102.0)), (0.95, (120.0, 130.0, 140.125))),
)
YEARS = Course(
    "egfr", "mL/min/{1.73_m2}", AT, (3.15e7, 6.3e7, 1.6e8), ((0.05, (1.0, 2.0, 3.0)), (0.5, (4.0, 5.0, 6.0)))
)
TIME_IN_RANGE = Summary("time-in-range", "%", 71.5, AT - timedelta(days=14), AT)
NEED = Summary("basal-insulin", "[iU]/h", 0.8, AT - timedelta(days=7), AT, 0.6, 1.1)
BASIS = ("Observation/1/_history/2", "Patient/17/_history/1", "MedicationAdministration/4/_history/1")


@pytest.mark.parametrize("value", [FAN, YEARS, TIME_IN_RANGE, NEED])
def test_what_is_derived_is_valid_and_comes_back(value):
    resource = course_observation.render(Derived(HEAD, value, BASIS))
    accepted_by_all(resource)
    back = course_observation.read(resource)
    assert back == Derived(HEAD, value, ("Observation/1/_history/2",))


def test_no_code_of_a_forecast_is_one_that_is_read_as_a_measurement():
    resource = course_observation.render(Derived(HEAD, FAN, BASIS))
    codes = {(coding["system"], coding["code"]) for coding in resource["code"]["coding"]}
    assert not codes & set(TARGETS)
    assert "not a measurement" in resource["code"]["text"]


def test_a_summary_carries_the_code_of_loinc_where_there_is_one():
    resource = course_observation.render(Derived(HEAD, TIME_IN_RANGE, ()))
    assert {"system": "http://loinc.org", "code": "97510-2"} in resource["code"]["coding"]
    assert "derivedFrom" not in resource


def test_another_observation_is_not_read_as_ours():
    with pytest.raises(Unusable):
        course_observation.read({"resourceType": "Observation", "code": {"coding": []}})
