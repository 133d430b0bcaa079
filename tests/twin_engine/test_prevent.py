import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin_engine.people import (
    AT,
    MAN,
    WOMAN,
    aged,
    answer,
    forecast,
    found,
    measured,
    reasons,
    refusal,
    without,
)
from twin_engine.equations import ckd_epi
from twin_engine.models.prevent import Prevent
from twin_engine.models.prevent.equations import coefficients
from twin_engine.twin import (
    UNREAD_MEDICATION,
    Absence,
    Condition,
    Dose,
    Evidence,
    Plan,
    Refusal,
    Trajectory,
    Treatment,
)

MODEL = Prevent()
DAY = timedelta(days=1)
YEAR = timedelta(days=365)
DIABETES = Condition("diabetes", "Condition/1/_history/1", True)
TREATED = Treatment("antihypertensive", "MedicationRequest/1/_history/1", True)
ITEMS = (
    measured("systolic-blood-pressure", 160),
    measured("total-cholesterol", 200),
    measured("hdl-cholesterol", 45),
    measured("body-mass-index", 35),
    measured("egfr", 90),
    found("smoking-status", "former"),
    DIABETES,
    TREATED,
)


def risks(given_) -> dict[str, float]:
    return {risk.outcome: risk.probability for risk in given_.risks}


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (WOMAN, (0.147, 0.092, 0.081, 0.044, 0.054, 0.530, 0.354, 0.390, 0.198, 0.221)),
        (MAN, (0.163, 0.102, 0.106, 0.056, 0.052, 0.514, 0.349, 0.424, 0.216, 0.197)),
    ],
)
def test_the_published_person_gets_the_published_risks(subject, expected):
    told = risks(forecast(MODEL, subject, *ITEMS))
    assert list(told) == [
        "total-cvd-10y",
        "ascvd-10y",
        "heart-failure-10y",
        "chd-10y",
        "stroke-10y",
        "total-cvd-30y",
        "ascvd-30y",
        "heart-failure-30y",
        "chd-30y",
        "stroke-30y",
    ]
    assert tuple(round(probability, 3) for probability in told.values()) == expected


def test_risks_keep_full_precision_and_end_after_their_years():
    told = forecast(MODEL, WOMAN, *ITEMS)
    assert told.risks[0].probability == pytest.approx(0.146839, abs=5e-7)
    assert told.risks[0].probability != round(told.risks[0].probability, 6)
    assert told.risks[0].until == datetime(2036, 3, 15, 12, tzinfo=UTC)
    assert told.risks[5].until == datetime(2056, 3, 15, 12, tzinfo=UTC)
    assert (told.risks[0].low, told.risks[0].high) == (None, None)
    assert any("no interval" in note for note in told.notes)


def test_above_59_years_the_30_year_risks_are_left_out_and_said_so():
    told = forecast(MODEL, aged(WOMAN, 67), *ITEMS)
    assert [round(probability, 3) for probability in risks(told).values()] == [
        0.230,
        0.140,
        0.147,
        0.073,
        0.079,
    ]
    assert any("30-year" in note for note in told.notes)
    assert len(risks(forecast(MODEL, aged(WOMAN, 59), *ITEMS))) == 10


@pytest.mark.parametrize(
    "signal", ["systolic-blood-pressure", "total-cholesterol", "hdl-cholesterol", "smoking-status"]
)
def test_a_missing_input_is_refused_by_name(signal):
    assert reasons(MODEL, WOMAN, *without(ITEMS, signal)) == {("missing-input", signal)}


def test_every_missing_input_is_named():
    assert reasons(MODEL, WOMAN) == {
        ("missing-input", name)
        for name in (
            "systolic-blood-pressure",
            "total-cholesterol",
            "hdl-cholesterol",
            "body-mass-index",
            "egfr",
            "smoking-status",
        )
    }


@pytest.mark.parametrize(
    ("signal", "low", "high"),
    [
        ("systolic-blood-pressure", 90, 180),
        ("total-cholesterol", 130, 320),
        ("hdl-cholesterol", 20, 100),
        ("body-mass-index", 18.5, 39.9),
        ("egfr", 15, 140),
    ],
)
def test_the_published_range_is_included_and_beyond_it_is_refused(signal, low, high):
    rest = without(ITEMS, signal)
    for inside in (low, high):
        assert forecast(MODEL, WOMAN, *rest, measured(signal, inside))
    for outside in (low - 0.01, high + 0.01):
        assert reasons(MODEL, WOMAN, *rest, measured(signal, outside)) == {("out-of-range", signal)}


def test_the_newest_value_counts_even_where_an_older_one_would_do():
    newest = measured("systolic-blood-pressure", 200, DAY / 100, "Observation/new/_history/1")
    assert reasons(MODEL, WOMAN, *ITEMS, newest) == {("out-of-range", "systolic-blood-pressure")}


def test_at_one_instant_the_largest_source_is_taken():
    twice = (
        measured("systolic-blood-pressure", 120, source="Observation/a/_history/1"),
        measured("systolic-blood-pressure", 150, source="Observation/b/_history/1"),
    )
    told = forecast(MODEL, WOMAN, *without(ITEMS, "systolic-blood-pressure"), *twice)
    assert "Observation/b/_history/1" in told.basis
    assert "Observation/a/_history/1" not in told.basis


@pytest.mark.parametrize(
    ("signal", "limit"),
    [
        ("systolic-blood-pressure", 731 * DAY),
        ("total-cholesterol", 1827 * DAY),
        ("hdl-cholesterol", 1827 * DAY),
        ("body-mass-index", 731 * DAY),
        ("egfr", 731 * DAY),
        ("smoking-status", 731 * DAY),
    ],
)
def test_a_value_is_used_until_it_is_too_old_and_the_forecast_ends_with_it(signal, limit):
    rest = without(ITEMS, signal)
    make = (
        (lambda ago: found(signal, "never", ago))
        if signal == "smoking-status"
        else (lambda ago: measured(signal, 90, ago))
    )
    if signal == "body-mass-index":
        make = lambda ago: measured(signal, 30, ago)  # noqa: E731
    if signal == "total-cholesterol":
        make = lambda ago: measured(signal, 200, ago)  # noqa: E731
    told = forecast(MODEL, WOMAN, *rest, make(limit - DAY))
    assert told.expires == AT + DAY
    assert reasons(MODEL, WOMAN, *rest, make(limit)) == {("stale-input", signal)}


def test_the_forecast_ends_on_the_next_birthday():
    assert forecast(MODEL, WOMAN, *ITEMS).expires == datetime(2026, 7, 1, tzinfo=UTC)


def test_from_its_expiry_on_the_stored_state_answers_anew():
    young = aged(MAN, 59)
    state = MODEL.assimilate(MODEL.prior(young, AT), Evidence.of(young, ITEMS), AT)
    (first,) = MODEL.forecast(state, AT, np.random.default_rng(1))
    (later,) = MODEL.forecast(state, first.expires, np.random.default_rng(1))
    assert (len(first.risks), len(later.risks)) == (10, 5)
    assert later.expires > first.expires


@pytest.mark.parametrize(("age", "spoken"), [(29, False), (30, True), (79, True), (80, False)])
def test_ages_30_to_79_are_in_scope(age, spoken):
    assert isinstance(answer(MODEL, aged(WOMAN, age), *ITEMS), Refusal) is not spoken


def test_who_is_too_young_may_ask_again_at_30():
    given_ = refusal(MODEL, aged(WOMAN, 29), *ITEMS)
    assert given_.retry == datetime(2027, 1, 1, tzinfo=UTC)
    assert refusal(MODEL, aged(WOMAN, 80), *ITEMS).retry is None


@pytest.mark.parametrize("name", ["cardiovascular-disease", "heart-failure"])
@pytest.mark.parametrize("active", [True, False])
def test_known_disease_active_or_past_is_out_of_scope(name, active):
    record = Condition(name, "Condition/9/_history/1", active)
    assert reasons(MODEL, WOMAN, *ITEMS, record) == {("out-of-scope", name)}


def test_the_dead_and_the_unknown_are_refused():
    assert reasons(MODEL, replace(WOMAN, deceased=True), *ITEMS) == {("out-of-scope", "deceased")}
    assert reasons(MODEL, replace(WOMAN, sex=None), *ITEMS) == {("missing-input", "sex")}
    assert reasons(MODEL, replace(WOMAN, birth_date=None), *ITEMS) == {("missing-input", "birth-date")}


def test_unknown_smoking_is_not_taken_as_no():
    rest = without(ITEMS, "smoking-status")
    assert reasons(MODEL, WOMAN, *rest, found("smoking-status", "unknown")) == {
        ("unconfirmed", "smoking-status")
    }


def test_a_refusal_says_why_the_record_has_no_value():
    declined = Absence("smoking-status", AT - DAY, "Observation/9/_history/1", "asked-declined")
    (reason,) = refusal(MODEL, WOMAN, *without(ITEMS, "smoking-status"), declined).reasons
    assert reason.text == "No smoking status is known; the record says it was asked and not answered."
    assert risks(forecast(MODEL, WOMAN, *ITEMS, declined)) == risks(forecast(MODEL, WOMAN, *ITEMS))


def test_smoking_counts_only_while_it_lasts():
    rest = without(ITEMS, "smoking-status")
    never, former, current = (
        risks(forecast(MODEL, WOMAN, *rest, found("smoking-status", status)))["ascvd-10y"]
        for status in ("never", "former", "current")
    )
    assert never == former < current


def test_absence_of_records_means_absence_and_is_stated():
    bare = [item for item in ITEMS if item not in (DIABETES, TREATED)]
    told = forecast(MODEL, WOMAN, *bare)
    ended = (replace(DIABETES, active=False), replace(TREATED, active=False))
    assert risks(told) == risks(forecast(MODEL, WOMAN, *bare, *ended))
    assert risks(told)["total-cvd-10y"] < risks(forecast(MODEL, WOMAN, *ITEMS))["total-cvd-10y"]
    assert any("not recorded counts as absent" in note for note in told.notes)


@pytest.mark.parametrize("name", ["cardiovascular-disease", "heart-failure", "diabetes"])
def test_a_condition_that_cannot_be_read_is_neither_yes_nor_no(name):
    bare = [item for item in ITEMS if item != DIABETES]
    doubtful = Condition(name, "Condition/9/_history/1", active=False, confirmed=False)
    assert reasons(MODEL, WOMAN, *bare, doubtful) == {("unconfirmed", name)}


@pytest.mark.parametrize("name", ["statin", "antihypertensive"])
def test_a_treatment_that_cannot_be_read_is_neither_yes_nor_no(name):
    bare = [item for item in ITEMS if item != TREATED]
    doubtful = Treatment(name, "MedicationRequest/9/_history/1", active=False, confirmed=False)
    assert reasons(MODEL, WOMAN, *bare, doubtful) == {("unconfirmed", name)}
    ending = replace(doubtful, until=AT + DAY)
    assert refusal(MODEL, WOMAN, *bare, ending).retry == AT + DAY
    assert forecast(MODEL, WOMAN, *bare, ending, at=AT + DAY)


def test_what_another_record_settles_is_not_in_doubt():
    doubtful = (
        replace(DIABETES, source="Condition/9/_history/1", active=False, confirmed=False),
        replace(TREATED, source="MedicationRequest/9/_history/1", active=False, confirmed=False),
    )
    assert forecast(MODEL, WOMAN, *ITEMS, *doubtful) == forecast(MODEL, WOMAN, *ITEMS)
    known = Condition("heart-failure", "Condition/8/_history/1", True)
    unread = replace(known, source="Condition/9/_history/1", confirmed=False)
    assert reasons(MODEL, WOMAN, *ITEMS, known, unread) == {("out-of-scope", "heart-failure")}


def test_a_medication_of_unknown_class_is_named_and_changes_no_risk():
    unread = Treatment(UNREAD_MEDICATION, "MedicationRequest/9/_history/1", active=False, confirmed=False)
    told = forecast(MODEL, WOMAN, *ITEMS, unread)
    assert told.risks == forecast(MODEL, WOMAN, *ITEMS).risks
    assert any("A medication could not be read" in note for note in told.notes)
    assert unread.source in told.basis


@pytest.mark.parametrize("ending", [replace(TREATED, until=AT + DAY), replace(DIABETES, until=AT + DAY)])
def test_a_recorded_end_takes_effect_when_it_comes_and_the_forecast_expires_with_it(ending):
    rest = [item for item in ITEMS if item.source != ending.source]
    told = forecast(MODEL, WOMAN, *rest, ending)
    assert risks(told) == risks(forecast(MODEL, WOMAN, *ITEMS))
    assert told.expires == AT + DAY
    state = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, [*rest, ending]), AT)
    (later,) = MODEL.forecast(state, told.expires, np.random.default_rng(1))
    assert risks(later) == risks(forecast(MODEL, WOMAN, *rest, at=told.expires))
    assert risks(later) != risks(told)


def test_the_basis_names_every_source_used():
    statin = Treatment("statin", "MedicationStatement/4/_history/2", False)
    older = measured("egfr", 50, 30 * DAY, "Observation/old/_history/1")
    told = forecast(MODEL, WOMAN, *ITEMS, statin, older)
    assert set(told.basis) == {WOMAN.source, *(item.source for item in ITEMS), statin.source}


def test_creatinine_gives_egfr_where_it_is_newer():
    rest = without(ITEMS, "egfr")
    creatinine = measured("creatinine", 1.4, DAY)
    told = forecast(MODEL, WOMAN, *rest, measured("egfr", 90, 2 * DAY), creatinine)
    same = forecast(MODEL, WOMAN, *rest, measured("egfr", ckd_epi.egfr(1.4, 50, "female")))
    assert risks(told) == risks(same)
    assert creatinine.source in told.basis
    assert "Observation/egfr/_history/1" not in told.basis
    assert any("CKD-EPI 2021" in note for note in told.notes)


def test_a_reported_egfr_of_the_same_instant_is_preferred_to_creatinine():
    told = forecast(MODEL, WOMAN, *ITEMS, measured("creatinine", 1.4))
    assert risks(told) == risks(forecast(MODEL, WOMAN, *ITEMS))


def test_creatinine_is_taken_with_the_age_at_the_sample():
    creatinine = measured("creatinine", 1.4, YEAR)
    told = forecast(MODEL, WOMAN, *without(ITEMS, "egfr"), creatinine)
    same = forecast(MODEL, WOMAN, *without(ITEMS, "egfr"), measured("egfr", ckd_epi.egfr(1.4, 49, "female")))
    assert risks(told) == risks(same)


def test_an_egfr_from_creatinine_is_held_to_the_same_range():
    old_man = aged(MAN, 75)
    assert reasons(MODEL, old_man, *without(ITEMS, "egfr"), measured("creatinine", 5.2)) == {
        ("out-of-range", "egfr")
    }


def test_body_mass_index_comes_from_weight_and_height_where_the_weight_is_newer():
    rest = without(ITEMS, "body-mass-index")
    height, weight = measured("body-height", 170, 3 * YEAR), measured("body-weight", 90, DAY)
    told = forecast(MODEL, WOMAN, *rest, height, weight, measured("body-mass-index", 25, 2 * DAY))
    assert risks(told) == risks(forecast(MODEL, WOMAN, *rest, measured("body-mass-index", 90 / 1.7**2)))
    assert {height.source, weight.source} <= set(told.basis)
    assert reasons(MODEL, WOMAN, *rest, weight) == {("missing-input", "body-mass-index")}
    heavy = measured("body-weight", 120)
    assert reasons(MODEL, WOMAN, *rest, height, heavy) == {("out-of-range", "body-mass-index")}
    tall_long_ago = measured("body-height", 170, 11 * YEAR)
    assert reasons(MODEL, WOMAN, *rest, tall_long_ago, weight) == {("stale-input", "body-height")}


OPTIONAL = (
    measured("urine-albumin-creatinine-ratio", 92),
    measured("hba1c", 9.2),
    measured("social-deprivation-index", 3),
)


@pytest.mark.parametrize(
    ("more", "which", "expected"),
    [
        (OPTIONAL[:1], "albumin-creatinine ratio", 0.181),
        (OPTIONAL[1:2], "HbA1c", 0.165),
        (OPTIONAL[2:], "social deprivation index", 0.127),
        (OPTIONAL, "full", 0.174),
    ],
)
def test_the_fullest_equations_that_the_record_permits_are_used_and_named(more, which, expected):
    told = forecast(MODEL, WOMAN, *ITEMS, *more)
    assert round(told.risks[0].probability, 3) == expected
    assert which in told.rationale
    assert which in told.notes[0]
    assert {item.source for item in more} <= set(told.basis)
    moved = math.fsum(part.weight for part in told.contributions)
    constant = coefficients(variant_of(more))["10y", "female", "total-cvd"]["constant"]
    probability = told.risks[0].probability
    assert constant + moved == pytest.approx(math.log(probability / (1 - probability)), abs=1e-12)


def variant_of(more) -> str:
    names = {"urine-albumin-creatinine-ratio": "uacr", "hba1c": "hba1c", "social-deprivation-index": "sdi"}
    return names[more[0].signal] if len(more) == 1 else "full"


def test_in_the_full_equations_a_missing_predictor_moves_the_risk_and_is_said_to_be_unknown():
    told = forecast(MODEL, WOMAN, *ITEMS, *OPTIONAL[:2])
    assert "full equations" in told.rationale
    (part,) = (each for each in told.contributions if each.signal == "social-deprivation-index")
    assert (part.value, part.source) == ("not known", None)
    assert part.weight == coefficients("full")["10y", "female", "total-cvd"]["no_sdi"]
    assert "No social deprivation index is known." in told.notes[0]


@pytest.mark.parametrize(
    "useless", [measured("hba1c", 4.4), measured("hba1c", 9.2, 731 * DAY), measured("hba1c", math.nan)]
)
def test_an_optional_predictor_that_cannot_be_used_counts_as_missing(useless):
    told = forecast(MODEL, WOMAN, *ITEMS, useless)
    assert risks(told) == risks(forecast(MODEL, WOMAN, *ITEMS))
    assert "The newest HbA1c is" in told.notes[0]
    assert useless.source not in told.basis


def test_a_forecast_ends_when_an_optional_predictor_is_too_old():
    told = forecast(MODEL, WOMAN, *ITEMS, measured("hba1c", 9.2, 730 * DAY))
    assert told.expires == AT + DAY


def test_contributions_add_up_to_the_log_odds_from_the_reference_person():
    told = forecast(MODEL, WOMAN, *ITEMS)
    probability = told.risks[0].probability
    constant = coefficients("base")["10y", "female", "total-cvd"]["constant"]
    moved = sum(part.weight for part in told.contributions)
    assert constant + moved == pytest.approx(math.log(probability / (1 - probability)), abs=1e-12)
    weights = [abs(part.weight) for part in told.contributions]
    assert weights == sorted(weights, reverse=True)
    assert told.contributions[0].signal == "diabetes"
    assert "raises the odds" in told.contributions[0].text


def test_a_clinician_reads_the_person_and_the_risks():
    told = forecast(MODEL, WOMAN, *ITEMS)
    assert told.rationale.startswith("AHA PREVENT base equations for a woman of 50 years: ")
    assert "cardiovascular disease in 10 years 14.7 %" in told.rationale


def test_a_value_from_the_future_is_not_known_yet_but_a_clock_may_run_ahead():
    rest = without(ITEMS, "egfr")
    assert forecast(MODEL, WOMAN, *rest, measured("egfr", 90, timedelta(minutes=-4)))
    assert reasons(MODEL, WOMAN, *rest, measured("egfr", 90, -DAY)) == {("missing-input", "egfr")}


def test_a_plan_shows_the_path_of_people_with_the_planned_values():
    state = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, ITEMS), AT)
    rng = np.random.default_rng(1)
    until = datetime(2031, 3, 15, 12, tzinfo=UTC)
    as_is = MODEL.simulate(state, Plan(), until, rng)
    treated = MODEL.simulate(state, Plan({"systolic-blood-pressure": 120}, {"statin": True}), until, rng)
    assert isinstance(as_is, Trajectory)
    assert isinstance(treated, Trajectory)
    assert len(as_is.times) == 6
    assert as_is.values["total-cvd-10y"][0] == forecast(MODEL, WOMAN, *ITEMS).risks[0].probability
    pairs = zip(treated.values["total-cvd-10y"], as_is.values["total-cvd-10y"], strict=True)
    assert all(less < more for less, more in pairs)


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (Plan({"systolic-blood-pressure": 70}), "out-of-range"),
        (Plan({"heart-rate": 70}), "out-of-scope"),
        (Plan({}, {"aspirin": True}), "out-of-scope"),
        (Plan(scaled={"insulin": 0.5}), "out-of-scope"),
        (Plan(doses=(Dose("insulin", AT, "", 4),)), "out-of-scope"),
    ],
)
def test_a_plan_beyond_the_equations_is_refused(plan, code):
    state = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, ITEMS), AT)
    given_ = MODEL.simulate(state, plan, AT + YEAR, np.random.default_rng(1))
    assert isinstance(given_, Refusal)
    assert [reason.code for reason in given_.reasons] == [code]


MEASURED = st.builds(
    lambda signal, value, hours, source: measured(
        signal, value, timedelta(hours=hours), f"Observation/{source}"
    ),
    st.sampled_from([signal.name for signal in MODEL.inputs.signals]),
    st.floats(20, 200),
    st.integers(0, 48),
    st.integers(1, 9),
)


@settings(max_examples=60)
@given(st.lists(MEASURED, max_size=20), st.randoms(use_true_random=False), st.integers(1, 19))
def test_any_order_and_repetition_of_evidence_gives_the_same_state(more, order, times):
    items = [*ITEMS, *more]
    mixed = items + [order.choice(items) for _ in range(times)]
    order.shuffle(mixed)
    one, other = (
        MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, given_), AT) for given_ in (items, mixed)
    )
    assert one == other
    assert MODEL.assimilate(one, Evidence.of(WOMAN, mixed), AT) == one
