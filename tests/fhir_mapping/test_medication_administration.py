"""What was given is told once, in the unit of its substance; what cannot be counted is never a dose."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import resource
from twin_engine.twin import Dose, Treatment

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
START = datetime(2026, 1, 14, 6, tzinfo=UTC)
LISPRO = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "86009"}]}
UCUM = "http://unitsofmeasure.org"


def quantity(value, unit):
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def given_over(seconds, dosage, status="completed"):
    end = START + timedelta(seconds=seconds)
    stored = {
        "resourceType": "MedicationAdministration",
        "id": "a",
        "status": status,
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": LISPRO,
        "effectivePeriod": {"start": START.isoformat(), "end": end.isoformat()},
        "dosage": dosage,
    }
    return resource.read(stored, NOW)


def given_at(at, dosage, status="completed"):
    stored = {
        "resourceType": "MedicationAdministration",
        "id": "a",
        "status": status,
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": LISPRO,
        "effectiveDateTime": at,
        "dosage": dosage,
    }
    return resource.read(stored, NOW)


RATES = st.floats(min_value=0, max_value=30).map(lambda rate: round(rate, 3))
LENGTHS = st.integers(min_value=60, max_value=86400)


@given(RATES, LENGTHS)
def test_a_rate_gives_its_product_with_the_time(rate, seconds):
    (dose,) = given_over(seconds, {"rateQuantity": quantity(rate, "U/h")}).items
    assert isinstance(dose, Dose)
    assert dose.amount == pytest.approx(rate * seconds / 3600)
    assert (dose.time, dose.until) == (START, START + timedelta(seconds=seconds))


@given(RATES, LENGTHS)
def test_a_rate_is_the_same_however_it_is_written(rate, seconds):
    ways = (
        {"rateQuantity": quantity(rate, "U/h")},
        {"rateQuantity": quantity(rate * 1000, "mU/h")},
        {"rateQuantity": quantity(rate * 24, "[iU]/d")},
        {"rateRatio": {"numerator": quantity(rate, "U"), "denominator": quantity(60, "min")}},
    )
    amounts = [given_over(seconds, dosage).items[0].amount for dosage in ways]
    assert amounts == [pytest.approx(amounts[0])] * len(ways)


@given(st.integers(min_value=-14, max_value=14))
def test_a_bolus_is_at_the_same_instant_in_any_zone(hours):
    local = START.astimezone(timezone(timedelta(hours=hours)))
    (dose,) = given_at(local.isoformat(), {"dose": quantity(4, "U")}).items
    assert (dose.time, dose.until, dose.amount) == (START, None, 4)


@pytest.mark.parametrize("status", ["in-progress", "not-done", "on-hold", "entered-in-error", "unknown"])
def test_only_what_is_over_is_a_dose(status):
    reading = given_over(3600, {"dose": quantity(4, "U"), "rateQuantity": quantity(4, "U/h")}, status)
    assert not any(isinstance(item, Dose) for item in reading.items)
    assert reading.reasons


@given(st.text("UIiumgL[]nts/", min_size=1, max_size=5).filter(str.strip))
def test_a_unit_that_is_not_listed_is_quarantined(unit):
    reading = given_at(START.isoformat(), {"dose": {"value": 4, "unit": unit}})
    if any(isinstance(item, Dose) for item in reading.items):
        assert unit in ("U", "mU", "IU", "[iU]", "[IU]", "unit", "units", "Units", "UNT")
    else:
        assert reading.reasons


def test_what_is_no_dose_still_says_that_it_was_given():
    reading = given_at("2026-01-14", {"dose": quantity(4, "U")})
    assert {(item.name, item.active) for item in reading.items if isinstance(item, Treatment)} == {
        ("insulin", False),
        ("fast-acting-insulin", False),
    }
    assert [problem.code for problem in reading.reasons] == ["time"]


def test_a_suspended_basal_rate_is_a_dose_of_nothing():
    (dose,) = given_over(3600, {"rateQuantity": quantity(0, "U/h")}).items
    assert dose.amount == 0


@pytest.mark.parametrize("printed", ["mL", "mg", "kU", "mU"])
def test_a_dose_whose_printed_unit_contradicts_its_code_is_no_dose(printed):
    reading = given_at(START.isoformat(), {"dose": quantity(10, "[iU]") | {"unit": printed}})
    assert not any(isinstance(item, Dose) for item in reading.items)
    assert [problem.code for problem in reading.reasons] == ["unit"]


@pytest.mark.parametrize("printed", ["mL/h", "U/min", "U"])
def test_a_rate_whose_printed_unit_contradicts_its_code_is_no_dose(printed):
    reading = given_over(3600, {"rateQuantity": quantity(1, "[iU]/h") | {"unit": printed}})
    assert not any(isinstance(item, Dose) for item in reading.items)
    assert [problem.code for problem in reading.reasons] == ["unit"]


def test_a_rate_may_be_printed_in_words():
    (dose,) = given_over(3600, {"rateQuantity": quantity(1, "[iU]/h") | {"unit": "units/hour"}}).items
    assert dose.amount == 1


@pytest.mark.parametrize(
    ("system", "amounts"),
    [
        (UCUM, [10]),
        ("urn:oid:2.16.840.1.113883.6.8", [10]),
        ("http://example.org/vial", []),
    ],
)
def test_the_code_of_a_unit_counts_in_ucum_alone(system, amounts):
    reading = given_at(START.isoformat(), {"dose": quantity(10, "U") | {"system": system}})
    assert [item.amount for item in reading.items if isinstance(item, Dose)] == amounts
    assert [problem.code for problem in reading.reasons] == ([] if amounts else ["unit"])
