import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin_engine.people import AT, WOMAN, aged, forecast, measured, reasons, without
from twin_engine.check import check_model
from twin_engine.models.fib4 import Fib4
from twin_engine.models.fib4.index import Profile, grade, index
from twin_engine.twin import Evidence, Plan

MODEL = Fib4()
ITEMS = (
    measured("aspartate-aminotransferase", 107),
    measured("alanine-aminotransferase", 104),
    measured("platelets", 181),
)


def test_the_worked_example_is_reproduced():
    # MedCalc-Bench (doi 10.48550/arXiv.2406.12036): 35 years, AST 107, ALT 104, platelets 181.
    assert round(index(Profile(35, 107, 104, 181)), 5) == 2.02888


@given(st.integers(36, 90), st.floats(5, 500), st.floats(5, 500), st.floats(10, 1000))
def test_the_logarithm_has_the_published_slopes(age, aspartate, alanine, platelets):
    logarithm = math.log(age) + math.log(aspartate) - math.log(platelets) - math.log(alanine) / 2
    assert math.log(index(Profile(age, aspartate, alanine, platelets))) == pytest.approx(logarithm, abs=1e-9)


def scoring(value: float, age: int) -> Profile:
    """Return a person of that index: ALT 100, platelets 100."""
    return Profile(age, value * 1000 / age, 100, 100)


@pytest.mark.parametrize(
    ("value", "age", "expected"),
    [
        (1.29, 64, "low"),
        (1.31, 64, "indeterminate"),
        (1.31, 65, "low"),
        (1.99, 65, "low"),
        (2.01, 65, "indeterminate"),
        (2.66, 50, "indeterminate"),
        (2.68, 50, "high"),
        (2.68, 80, "high"),
    ],
)
def test_the_grade_turns_at_the_published_cut_offs(value, age, expected):
    assert grade(scoring(value, age)) == expected


def test_it_keeps_the_contract():
    check_model(MODEL)


def test_a_clinician_reads_index_grade_and_values():
    told = forecast(MODEL, WOMAN, *ITEMS)
    assert told.score == 2.90
    assert told.risks[0].qualitative == "high"
    assert told.risks[0].probability is None
    assert told.rationale.startswith("FIB-4 2.90 at 50 years: high risk")
    assert set(told.basis) == {WOMAN.source, *(item.source for item in ITEMS)}


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.signal)
def test_a_missing_input_is_refused_by_name(item):
    assert reasons(MODEL, WOMAN, *without(ITEMS, item.signal)) == {("missing-input", item.signal)}


def test_people_of_35_years_are_too_young():
    assert reasons(MODEL, aged(WOMAN, 35), *ITEMS) == {("out-of-scope", "birth-date")}
    assert forecast(MODEL, aged(WOMAN, 36), *ITEMS)


def test_the_index_rises_with_age_alone():
    state = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, ITEMS), AT)
    until = datetime(2028, 4, 1, tzinfo=UTC)
    path = MODEL.simulate(state, Plan({"platelets": 200}), until, np.random.default_rng(1))
    assert path.values["fib-4"] == pytest.approx([age * 107 / (200 * math.sqrt(104)) for age in (50, 51, 52)])
