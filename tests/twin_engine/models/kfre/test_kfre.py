import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin_engine.people import AT, MAN, WOMAN, aged, forecast, measured, reasons, without
from twin_engine.check import check_model
from twin_engine.equations import ckd_epi
from twin_engine.models.kfre import Kfre
from twin_engine.models.kfre.equations import CONTINENTS, Chemistry, Profile, risk
from twin_engine.twin import Condition, Evidence, Plan, Refusal

MODEL = Kfre.of("north-american")
DAY = timedelta(days=1)
ITEMS = (measured("egfr", 15), measured("urine-albumin-creatinine-ratio", 1762.00184))
BLOOD = (
    measured("albumin", 3.0),
    measured("phosphate", 3.162),
    measured("bicarbonate", 21.3),
    measured("calcium", 9.72),
)
# The worked person of the public implementation kfre 0.1.18, in %.
PERSON = Profile("female", 57.28, 15, 1762.00184)
CHEMISTRY = Chemistry(3.0, 3.162, 21.3, 9.72)


@pytest.mark.parametrize(
    ("years", "continent", "four", "eight"),
    [
        (2, "non-north-american", 44.6617, 41.1136),
        (2, "north-american", 58.6954, 49.0864),
        (5, "non-north-american", 89.8856, 90.7647),
        (5, "north-american", 93.6739, 88.9073),
    ],
)
def test_the_worked_person_is_reproduced_to_the_printed_digit(years, continent, four, eight):
    known = Profile("female", 57.28, 15, 1762.00184, CHEMISTRY)
    assert round(100 * risk(PERSON, years, continent), 4) == four
    assert round(100 * risk(known, years, continent), 4) == eight


def test_the_person_at_the_centre_has_the_published_baseline():
    for sex, excess in (("male", 1 - 0.5642), ("female", -0.5642)):
        centre = Profile(sex, 70.36, 36.11, math.exp(5.137))
        hazard = math.exp(0.2467 * excess)
        assert risk(centre, 5, "north-american") == pytest.approx(1 - 0.9240**hazard)
        assert risk(centre, 2, "non-north-american") == pytest.approx(1 - 0.9832**hazard)


@given(
    st.floats(18, 110),
    st.floats(5, 59),
    st.floats(0.1, 25000),
    st.sampled_from(CONTINENTS),
    st.sampled_from([None, CHEMISTRY]),
)
def test_worse_kidneys_and_more_years_mean_a_higher_risk(age, egfr, uacr, continent, chemistry):
    now = Profile("male", age, egfr, uacr, chemistry)
    assert risk(now, 2, continent) <= risk(now, 5, continent)
    assert risk(now, 2, continent) <= risk(Profile("male", age, egfr * 0.9, uacr, chemistry), 2, continent)
    assert risk(now, 2, continent) <= risk(Profile("male", age, egfr, uacr * 1.1, chemistry), 2, continent)


@pytest.mark.parametrize("continent", CONTINENTS)
def test_every_continent_keeps_the_contract(continent):
    check_model(Kfre.of(continent))


def test_four_variables_are_used_where_not_all_eight_are_known_and_it_is_said():
    told = forecast(MODEL, WOMAN, *ITEMS, *BLOOD[:3])
    assert [risk.outcome for risk in told.risks] == ["kidney-failure-2y", "kidney-failure-5y"]
    assert told.risks[0].probability == risk(Profile("female", 50, 15, 1762.00184), 2, "north-american")
    assert "with 4 variables was used. No calcium is known." in told.notes[0]
    assert set(told.basis) == {WOMAN.source, *(item.source for item in ITEMS)}


def test_eight_variables_are_used_where_all_are_known():
    told = forecast(MODEL, WOMAN, *ITEMS, *BLOOD)
    expected = risk(Profile("female", 50, 15, 1762.00184, CHEMISTRY), 5, "north-american")
    assert told.risks[1].probability == expected
    assert told.notes[0] == "The equation with 8 variables was used."
    assert {item.source for item in BLOOD} <= set(told.basis)
    assert len(told.contributions) == 7


def test_total_carbon_dioxide_stands_in_for_bicarbonate_where_it_is_newer():
    gas = measured("total-carbon-dioxide", 30, DAY / 48)
    told = forecast(MODEL, WOMAN, *ITEMS, *BLOOD, gas)
    assert told.risks == forecast(MODEL, WOMAN, *ITEMS, *BLOOD[:2], BLOOD[3], gas).risks
    assert told.risks != forecast(MODEL, WOMAN, *ITEMS, *BLOOD).risks
    assert gas.source in told.basis


def test_a_blood_value_out_of_range_counts_as_missing():
    told = forecast(MODEL, WOMAN, *ITEMS, *BLOOD[:3], measured("calcium", 2.4))
    assert "The newest calcium is outside" in told.notes[0]


@pytest.mark.parametrize("value", [60, 60.5, 90])
def test_an_egfr_of_60_or_more_is_out_of_scope(value):
    assert reasons(MODEL, WOMAN, ITEMS[1], measured("egfr", value)) == {("out-of-scope", "egfr")}
    assert forecast(MODEL, WOMAN, ITEMS[1], measured("egfr", 59.9))


def test_creatinine_gives_the_egfr():
    told = forecast(MODEL, WOMAN, ITEMS[1], measured("creatinine", 3))
    same = forecast(MODEL, WOMAN, ITEMS[1], measured("egfr", ckd_epi.egfr(3, 50, "female")))
    assert told.risks == same.risks


@pytest.mark.parametrize("name", ["dialysis", "kidney-transplant"])
def test_failed_kidneys_are_out_of_scope(name):
    record = Condition(name, "Condition/9/_history/1", active=False)
    assert reasons(MODEL, WOMAN, *ITEMS, record) == {("out-of-scope", name)}


@pytest.mark.parametrize("signal", ["egfr", "urine-albumin-creatinine-ratio"])
def test_a_missing_input_is_refused_by_name(signal):
    assert reasons(MODEL, WOMAN, *without(ITEMS, signal)) == {("missing-input", signal)}


def test_children_are_out_of_scope():
    assert reasons(MODEL, aged(MAN, 17), *ITEMS) == {("out-of-scope", "birth-date")}


def test_a_plan_with_less_albuminuria_lowers_the_path():
    state = MODEL.assimilate(MODEL.prior(MAN, AT), Evidence.of(MAN, ITEMS), AT)
    until = datetime(2029, 3, 15, 12, tzinfo=UTC)
    as_is, better = (
        MODEL.simulate(state, plan, until, np.random.default_rng(1))
        for plan in (Plan(), Plan({"urine-albumin-creatinine-ratio": 300}))
    )
    assert len(as_is.times) == 4
    assert all(
        b < a
        for a, b in zip(as_is.values["kidney-failure-2y"], better.values["kidney-failure-2y"], strict=True)
    )
    far = MODEL.simulate(state, Plan(), datetime(2200, 1, 1, tzinfo=UTC), np.random.default_rng(1))
    assert len(far.times) == 1 + 110 - 50
    beyond = MODEL.simulate(state, Plan({"egfr": 61}), until, np.random.default_rng(1))
    assert isinstance(beyond, Refusal)
