"""What of a forecast can be scored, when, and against which value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin_engine.people import AT, MAN, WOMAN, measured
from twin_engine.drift import records
from twin_engine.encoding import decode, encode
from twin_engine.model import Inputs, Signal
from twin_engine.scoring import (
    HORIZONS,
    Period,
    Score,
    Tally,
    bare,
    nearest,
    periods,
    scores,
)
from twin_engine.scoring import measured as seen
from twin_engine.twin import Course, Evidence, Forecast, Risk, Series

HOUR = timedelta(hours=1)
COURSE = Course(
    "glucose",
    "mg/dL",
    AT,
    (0.0, 1800.0, 3600.0),
    ((0.05, (90.0, 80.0, 60.0)), (0.5, (100.0, 100.0, 100.0)), (0.95, (110.0, 120.0, 140.0))),
)
RISK = Risk("hypoglycaemia", AT + HOUR, 1.0)
FORECAST = Forecast(
    "glucose", AT, AT + 2 * HOUR, (RISK,), ("Patient/1/_history/1",), "Why.", courses=(COURSE,)
)


class Courses:
    inputs = Inputs(signals=(Signal("glucose", "mg/dL"),))


class Outcomes(Courses):
    def outcomes(self, evidence, forecast, at):
        return {RISK: True} if evidence.measurements else {}


def told(*items, subject=WOMAN):
    return Evidence.of(subject, items)


def after(minutes, value, source="Observation/1/_history/1"):
    return measured("glucose", value, -timedelta(minutes=minutes), source)


def test_a_course_is_scored_after_a_quarter_a_half_and_at_its_end():
    found = periods(Courses(), FORECAST)
    assert [(one.what, one.horizon, one.until - AT) for one in found] == [
        ("glucose", 900, HOUR / 4),
        ("glucose", 1800, HOUR / 2),
        ("glucose", 3600, HOUR),
    ]


def test_risks_are_scored_where_the_model_can_tell():
    assert [one.kind for one in periods(Outcomes(), FORECAST)] == ["course", "course", "course", "risk"]
    endless = replace(
        FORECAST, risks=(replace(RISK, until=None), replace(RISK, probability=None, qualitative="low"))
    )
    assert {one.kind for one in periods(Outcomes(), endless)} == {"course"}


def test_a_course_in_another_unit_than_the_signal_is_not_compared():
    other = replace(FORECAST, courses=(replace(COURSE, unit="mmol/L"),))
    assert periods(Courses(), other) == ()


def test_a_course_that_is_over_when_it_is_told_is_not_scored():
    past = replace(FORECAST, courses=(replace(COURSE, start=AT - 2 * HOUR),))
    assert periods(Courses(), past) == ()


@given(st.floats(1, 40 * 365.25 * 86_400))
def test_every_span_has_its_horizon(seconds):
    risk = replace(RISK, until=AT + timedelta(seconds=seconds))
    (found,) = periods(Outcomes(), replace(FORECAST, risks=(risk,), courses=()))
    longest = HORIZONS[-1][0]
    assert found.horizon in dict(HORIZONS)
    assert found.horizon >= min(seconds, longest) * (1 - 1e-9)


def test_ten_years_are_ten_years_with_their_leap_days():
    risk = replace(RISK, until=AT.replace(year=AT.year + 10))
    (found,) = periods(Outcomes(), replace(FORECAST, risks=(risk,), courses=()))
    assert dict(HORIZONS)[found.horizon] == "10 a"


def test_the_nearest_value_counts_if_it_is_near():
    evidence = told(after(24.1, 1.0), after(28, 2.0), after(31, 3.0), after(36.1, 4.0))
    assert nearest(COURSE, AT, AT + HOUR / 2, evidence) == (AT + timedelta(minutes=31), 3.0)
    assert nearest(COURSE, AT, AT + HOUR / 2, told(after(23, 1.0), after(37, 4.0))) is None


def test_what_is_measured_after_the_course_is_over_is_not_compared():
    assert nearest(COURSE, AT, AT + HOUR, told(after(60.5, 1.0))) is None


def test_other_signals_and_traces_are_told_apart():
    trace = Series("glucose", AT, "Observation/2/_history/1", 600.0, (1.0, None, 3.0, 4.0))
    wide = replace(trace, channels=2)
    stray = measured("creatinine", 9.0, -HOUR / 2)
    found = list(seen(told(trace, wide, stray, after(20, 5.0)), "glucose", AT, AT + HOUR / 3))
    assert sorted(found) == [(AT, 1.0), (AT + HOUR / 3, 3.0), (AT + HOUR / 3, 5.0)]


@pytest.mark.parametrize(
    ("value", "between"),
    [
        (79.9, (0.0, 0.05)),
        (80.0, (0.05, 0.5)),
        (100.0, (0.05, 0.5)),
        (120.0, (0.5, 0.95)),
        (120.1, (0.95, 1.0)),
    ],
)
def test_a_value_at_the_edge_of_an_interval_is_inside(value, between):
    (half,) = [one for one in periods(Courses(), FORECAST) if one.horizon == 1800]
    (score,) = scores(Courses(), FORECAST, [half], told(after(30, value)), AT + HOUR).values()
    assert score.between == between


def test_quantiles_are_those_of_the_instant_of_the_value():
    (half,) = [one for one in periods(Courses(), FORECAST) if one.horizon == 1800]
    (score,) = scores(Courses(), FORECAST, [half], told(after(33, 100.0)), AT + HOUR).values()
    assert score.width == pytest.approx(44.0)


def test_a_risk_is_scored_by_what_the_model_tells():
    over = [one for one in periods(Outcomes(), FORECAST) if one.kind == "risk"]
    assert scores(Outcomes(), FORECAST, over, told(), AT + HOUR) == {}
    (score,) = scores(Outcomes(), FORECAST, over, told(after(5, 60.0), subject=MAN), AT + HOUR).values()
    assert (score.between, score.loss, score.observed, score.expected, score.sex) == (
        (0.9, 1.0),
        0,
        1,
        1,
        "male",
    )


@pytest.mark.parametrize(
    ("born", "band"),
    [(None, "age unknown"), (date(2010, 1, 1), "under 18"), (date(1930, 1, 1), "65 and over")],
)
def test_people_are_told_apart_by_age(born, band):
    over = [one for one in periods(Outcomes(), FORECAST) if one.kind == "risk"]
    subject = replace(WOMAN, birth_date=born, sex=None)
    (score,) = scores(Outcomes(), FORECAST, over, told(after(5, 60.0), subject=subject), AT + HOUR).values()
    assert (score.band, score.sex) == (band, "sex unknown")


def test_what_is_kept_to_be_scored_is_scored_the_same():
    evidence = told(after(15, 99.0), after(30, 130.0), after(60, 70.0))
    kept = bare(FORECAST)
    assert kept.rationale == ""
    assert kept.basis == ()
    asked, again = periods(Outcomes(), FORECAST), periods(Outcomes(), kept)
    assert scores(Outcomes(), FORECAST, asked, evidence, AT + HOUR) == scores(
        Outcomes(), kept, again, evidence, AT + HOUR
    )


def test_a_score_comes_back_from_storage():
    score = Score("risk", "x", 900, AT, AT + HOUR, "female", "under 18", (0.1, 0.2), 0.01, 1.0, 0.1)
    assert decode(Score, encode(score)) == score


def test_the_record_of_a_group_is_the_sum_of_its_parts():
    inside = Tally("course", "glucose", 900, "female", "18 to 39", (0.05, 0.5), True, 8, 16.0, width=80.0)
    outside = replace(inside, sex="male", between=(0.95, 1.0), apart=False, n=2, loss=14.0, width=20.0)
    everybody, young, women, men = records([inside, outside])
    assert str(everybody.group) == "glucose in 15 min"
    assert (everybody.n, everybody.apart, everybody.loss) == (10, 8, 3.0)
    assert (everybody.coverage, everybody.width) == (0.8, 10.0)
    assert [one.group.people for one in (young, women, men)] == ["18 to 39", "female", "male"]
    assert (women.coverage, men.coverage) == (1.0, 0.0)


def test_the_record_of_risks_has_its_reliability():
    low = Tally("risk", "x", 900, "female", "18 to 39", (0.1, 0.2), True, 100, 9.0, 10.0, 15.0)
    high = replace(low, between=(0.6, 0.7), n=50, observed=30.0, expected=33.0)
    found = records([low, high])[0]
    assert (found.observed, found.expected) == (40.0, 48.0)
    assert [(one.count, one.foretold, one.happened) for one in found.bins] == [
        (100, 0.15, 0.1),
        (50, 0.66, 0.6),
    ]
    assert found.line is not None
    assert found.line.in_the_large < 0


def test_a_period_without_anything_to_know_is_not_scored():
    nothing = Period("risk", "x", 900, AT)
    assert scores(Outcomes(), FORECAST, [nothing], told(after(5, 60.0)), AT) == {}
