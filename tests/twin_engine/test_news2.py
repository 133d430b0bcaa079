from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin_engine.people import (
    AT,
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
from twin_engine.models.news2 import News2
from twin_engine.twin import Absence, Condition, Evidence, Forecast, Item, Measurement, Plan, Refusal

MODEL = News2()
HOUR = timedelta(hours=1)
HYPERCAPNIC = Condition("hypercapnic-respiratory-failure", "Condition/5/_history/1", True)
PREGNANT = Condition("pregnancy", "Condition/6/_history/1", True)


def vitals(ago: timedelta = HOUR, tag: str = "now", **changed: float | str) -> tuple[Item, ...]:
    """Return one complete set, normal but for what is changed."""
    told = {
        "respiratory-rate": 16.0,
        "oxygen-saturation": 97.0,
        "systolic-blood-pressure": 120.0,
        "heart-rate": 70.0,
        "body-temperature": 37.0,
        "consciousness": "alert",
        "supplemental-oxygen": "air",
    }
    told |= {name.replace("_", "-"): value for name, value in changed.items()}
    return tuple(
        (found if isinstance(value, str) else measured)(
            name, value, ago, f"Observation/{tag}-{name}/_history/1"
        )
        for name, value in told.items()
    )


def told_score(*items: Item) -> float:
    return forecast(MODEL, WOMAN, *items).score


def test_a_normal_set_scores_nothing_and_is_low():
    told = forecast(MODEL, WOMAN, *vitals())
    assert (told.score, told.scale, told.risks[0].qualitative) == (0, "points", "low")
    assert told.risks[0].outcome == told.family == "clinical-deterioration"
    assert told.risks[0].probability is None
    assert told.rationale == "NEWS2 0 of 20: low clinical risk, ward-based response. Points: none."


def test_a_deteriorating_person_is_high_and_the_points_say_why():
    told = forecast(
        MODEL,
        WOMAN,
        *vitals(
            respiratory_rate=26.0, oxygen_saturation=91.0, heart_rate=115.0, supplemental_oxygen="oxygen"
        ),
    )
    assert (told.score, told.risks[0].qualitative) == (10, "high")
    assert {part.signal: part.weight for part in told.contributions if part.weight} == {
        "respiratory-rate": 3,
        "oxygen-saturation": 3,
        "supplemental-oxygen": 2,
        "heart-rate": 2,
    }
    assert "urgent or emergency response" in told.rationale


@pytest.mark.parametrize("level", ["confusion", "voice", "pain", "unresponsive"])
def test_one_sign_of_3_points_is_low_medium(level):
    told = forecast(MODEL, WOMAN, *vitals(consciousness=level))
    assert (told.score, told.risks[0].qualitative) == (3, "low-medium")


@pytest.mark.parametrize("signal", [item.signal for item in vitals()])
def test_a_missing_sign_is_refused_never_taken_as_normal(signal):
    assert reasons(MODEL, WOMAN, *without(vitals(), signal)) == {("missing-input", signal)}


def test_a_refusal_says_why_the_record_has_no_sign():
    failed = Absence("heart-rate", AT - HOUR, "Observation/9/_history/1", "error")
    (reason,) = refusal(MODEL, WOMAN, *without(vitals(), "heart-rate"), failed).reasons
    assert reason.text == "No heart rate is known; the record says it is lost through an error."


@pytest.mark.parametrize("signal", [item.signal for item in vitals()])
def test_a_sign_of_12_hours_is_stale_and_the_score_expires_with_the_oldest(signal):
    rest = without(vitals(), signal)
    (young,) = (item for item in vitals(11 * HOUR) if item.signal == signal)
    (old,) = (item for item in vitals(12 * HOUR) if item.signal == signal)
    assert forecast(MODEL, WOMAN, *rest, young).expires == AT + HOUR
    assert reasons(MODEL, WOMAN, *rest, old) == {("stale-input", signal)}


def test_a_timer_at_the_expiry_turns_the_stored_state_into_a_stated_refusal():
    state = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, vitals()), AT)
    (told,) = MODEL.forecast(state, AT, np.random.default_rng(1))
    (later,) = MODEL.forecast(state, told.expires, np.random.default_rng(1))
    assert isinstance(later, Refusal)
    assert {reason.code for reason in later.reasons} == {"stale-input"}


@pytest.mark.parametrize(
    ("supply", "points"),
    [
        (measured("inhaled-oxygen-flow", 0), 0),
        (measured("inhaled-oxygen-flow", 2), 2),
        (measured("inhaled-oxygen-fraction", 21), 0),
        (measured("inhaled-oxygen-fraction", 28), 2),
    ],
)
def test_flow_and_fraction_tell_air_from_oxygen(supply, points):
    told = forecast(MODEL, WOMAN, *without(vitals(), "supplemental-oxygen"), supply)
    assert told.score == points
    assert supply.source in told.basis


def test_the_newest_record_of_oxygen_counts_and_a_disagreement_is_refused():
    flow = measured("inhaled-oxygen-flow", 2)
    assert told_score(*vitals(2 * HOUR), flow) == 2
    assert reasons(MODEL, WOMAN, *vitals(), flow) == {("unconfirmed", "supplemental-oxygen")}


@pytest.mark.parametrize(
    ("records", "scale"),
    [
        ((), 1),
        ((found("spo2-scale", "1"),), 1),
        ((found("spo2-scale", "2"),), 2),
        ((HYPERCAPNIC,), 2),
        ((HYPERCAPNIC, found("spo2-scale", "2")), 2),
        ((HYPERCAPNIC, found("spo2-scale", "1")), 1),
        ((replace(HYPERCAPNIC, active=False), found("spo2-scale", "2")), 2),
        ((replace(HYPERCAPNIC, active=False),), 1),
        ((replace(HYPERCAPNIC, until=AT),), 1),
        ((replace(HYPERCAPNIC, confirmed=False),), 1),
        (
            (found("spo2-scale", "1", 9 * HOUR), found("spo2-scale", "2", source="Observation/z/_history/1")),
            2,
        ),
    ],
)
def test_scale_2_is_used_only_where_it_is_confirmed(records, scale):
    told = forecast(MODEL, WOMAN, *vitals(oxygen_saturation=90.0), *records)
    assert told.score == {1: 3, 2: 0}[scale]
    assert told.notes[0].startswith(f"SpO2 scale {scale}")


@pytest.mark.parametrize(
    "records",
    [
        (found("spo2-scale", "1"), found("spo2-scale", "2", source="Observation/z/_history/1")),
        (found("spo2-scale", "3"),),
    ],
)
def test_conflicting_records_of_the_scale_are_refused(records):
    assert reasons(MODEL, WOMAN, *vitals(), *records) == {("unconfirmed", "spo2-scale")}


def test_an_end_of_the_failure_still_to_come_ends_the_score_with_it():
    ending = replace(HYPERCAPNIC, until=AT + HOUR)
    told = forecast(MODEL, WOMAN, *vitals(oxygen_saturation=90.0), ending)
    assert (told.score, told.expires) == (0, AT + HOUR)
    later = forecast(MODEL, WOMAN, *vitals(oxygen_saturation=90.0), ending, at=told.expires)
    assert later.score == 3


def test_a_failure_that_is_not_confirmed_is_named_beside_scale_1():
    told = forecast(MODEL, WOMAN, *vitals(), replace(HYPERCAPNIC, confirmed=False))
    assert "not confirmed" in told.notes[0]
    assert HYPERCAPNIC.source in told.basis


@pytest.mark.parametrize(("age", "spoken"), [(15, False), (16, True), (95, True)])
def test_people_of_16_and_over_are_in_scope(age, spoken):
    assert isinstance(answer(MODEL, aged(WOMAN, age), *vitals()), Forecast) is spoken


def test_a_child_may_be_asked_again_at_16():
    assert refusal(MODEL, aged(WOMAN, 15), *vitals()).retry == datetime(2027, 1, 1, tzinfo=UTC)


def test_pregnancy_is_out_of_scope():
    assert reasons(MODEL, WOMAN, *vitals(), PREGNANT) == {("out-of-scope", "pregnancy")}
    pregnant = found("pregnancy", "pregnant", timedelta(weeks=20))
    assert reasons(MODEL, WOMAN, *vitals(), pregnant) == {("out-of-scope", "pregnancy")}
    assert refusal(MODEL, WOMAN, *vitals(), pregnant).retry == AT + timedelta(weeks=22)


def test_a_pregnancy_that_has_ended_is_no_hindrance():
    assert told_score(*vitals(), replace(PREGNANT, active=False)) == 0
    assert told_score(*vitals(), found("pregnancy", "pregnant", timedelta(weeks=43))) == 0
    after = found("pregnancy", "not-pregnant", source="Observation/z/_history/1")
    assert told_score(*vitals(), found("pregnancy", "pregnant", 9 * HOUR), after) == 0


def test_a_pregnancy_in_doubt_is_refused_unless_a_finding_settles_it():
    doubtful = replace(PREGNANT, confirmed=False, active=False)
    assert reasons(MODEL, WOMAN, *vitals(), doubtful) == {("unconfirmed", "pregnancy")}
    assert told_score(*vitals(), doubtful, found("pregnancy", "not-pregnant")) == 0


def test_a_pregnancy_holds_until_its_recorded_end():
    ending = replace(PREGNANT, until=AT + HOUR)
    assert refusal(MODEL, WOMAN, *vitals(), ending).retry == AT + HOUR
    assert forecast(MODEL, WOMAN, *vitals(), ending, at=AT + HOUR).score == 0


def test_the_dead_and_those_without_a_birth_date_are_refused():
    assert reasons(MODEL, replace(WOMAN, deceased=True), *vitals()) == {("out-of-scope", "deceased")}
    assert reasons(MODEL, replace(WOMAN, birth_date=None), *vitals()) == {("missing-input", "birth-date")}


def test_an_impossible_value_is_refused():
    assert reasons(MODEL, WOMAN, *vitals(oxygen_saturation=101.0)) == {("out-of-range", "oxygen-saturation")}


@pytest.mark.parametrize(("rate", "trend"), [(26.0, "falling"), (16.0, "steady")])
def test_the_trend_compares_with_the_set_before(rate, trend):
    before = vitals(6 * HOUR, "before", respiratory_rate=rate)
    told = forecast(MODEL, WOMAN, *before, *vitals())
    assert told.trend == trend
    assert not {item.source for item in before} & set(told.basis)


def test_a_worsening_person_is_rising():
    told = forecast(MODEL, WOMAN, *vitals(6 * HOUR, "before"), *vitals(heart_rate=120.0))
    assert told.trend == "rising"
    assert any("0 points" in note for note in told.notes)


@pytest.mark.parametrize(
    "before",
    [(), vitals(26 * HOUR, "before"), without(vitals(6 * HOUR, "before"), "heart-rate")],
    ids=["none", "too long ago", "incomplete"],
)
def test_without_a_complete_set_before_there_is_no_trend(before):
    told = forecast(MODEL, WOMAN, *before, *vitals())
    assert told.trend is None
    assert any("no trend" in note for note in told.notes)


def test_signs_recorded_apart_count_as_one_set_and_the_set_before_shares_none_of_them():
    apart = (*without(vitals(3 * HOUR), "heart-rate"), measured("heart-rate", 135, HOUR))
    told = forecast(MODEL, WOMAN, *vitals(8 * HOUR, "before"), *apart)
    assert (told.score, told.trend) == (3, "rising")


def test_the_basis_names_the_person_each_sign_and_the_records_relied_on():
    ended = replace(PREGNANT, active=False)
    told = forecast(MODEL, WOMAN, *vitals(), HYPERCAPNIC, ended)
    used = {item.source for item in vitals()}
    assert set(told.basis) == {WOMAN.source, *used, HYPERCAPNIC.source, ended.source}


def test_no_course_is_foretold():
    state = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, vitals()), AT)
    assert isinstance(MODEL.simulate(state, Plan(), AT + HOUR, np.random.default_rng(1)), Refusal)


MEASURED = st.builds(
    lambda signal, value, minutes, source: Measurement(
        signal, AT - timedelta(minutes=minutes), f"Observation/{source}", value
    ),
    st.sampled_from([signal.name for signal in MODEL.inputs.signals]),
    st.floats(0, 120),
    st.integers(-10, 2000),
    st.integers(1, 9),
)
FOUND = st.builds(
    lambda signal, place, minutes, source: found(
        signal.name,
        signal.values[place % len(signal.values)],
        timedelta(minutes=minutes),
        f"Observation/{source}",
    ),
    st.sampled_from(MODEL.inputs.findings),
    st.integers(0, 9),
    st.integers(-10, 2000),
    st.integers(1, 9),
)


@settings(max_examples=100)
@given(st.lists(MEASURED | FOUND, max_size=25), st.randoms(use_true_random=False), st.integers(1, 19))
def test_any_order_and_repetition_of_evidence_gives_the_same_state(more, order, times):
    items = [*vitals(), *more]
    mixed = items + [order.choice(items) for _ in range(times)]
    order.shuffle(mixed)
    one, other = (
        MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, given_), AT) for given_ in (items, mixed)
    )
    assert one == other
    told = MODEL.forecast(one, AT, np.random.default_rng(1))[0]
    assert told == MODEL.forecast(other, AT, np.random.default_rng(1))[0]
    if isinstance(told, Forecast):
        assert 0 <= told.score <= 20
        assert told.expires > AT
