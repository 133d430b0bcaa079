"""Whatever is asked for, what comes out keeps the limits, told by a checker that knows nothing of the way."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin_engine.models.glucose.checking import violations
from twin_engine.models.glucose.limits import LIMITS, Candidate, Limits, Situation, bounded
from twin_engine.models.glucose.proposing import said

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALM = Situation(
    glucose=190.0,
    age=2.0,
    foretold=170.0,
    width=120.0,
    on_board=1.0,
    day=20.0,
    weight=70.0,
    usual=0.9,
    running=0.9,
)

ANY = st.floats(-10, 500) | st.sampled_from([nan, inf, -inf, 0.0])


def about(low, high):
    return st.floats(low, high) | st.sampled_from([nan, inf, -1.0, 0.0])


SITUATIONS = st.builds(
    Situation,
    glucose=about(40, 400),
    age=about(0, 15),
    foretold=about(20, 400),
    width=about(0, 300),
    on_board=about(0, 20),
    day=about(0, 100),
    weight=about(30, 150),
    usual=about(0, 5),
    running=st.none() | about(0, 15),
    since_bolus=about(0, 60),
)
ORDINARY = st.builds(
    Situation,
    glucose=st.floats(60, 300),
    age=st.floats(0, 10),
    foretold=st.floats(60, 300),
    width=st.floats(0, 200),
    on_board=st.floats(0, 12),
    day=st.floats(0, 80),
    weight=st.floats(45, 110),
    usual=st.floats(0.1, 3),
    running=st.none() | st.floats(0, 8),
    since_bolus=st.floats(0, 60) | st.just(inf),
)
CANDIDATES = st.builds(Candidate, basal=st.none() | ANY, bolus=ANY)
STRICT = st.builds(
    Limits,
    bolus=st.floats(0, 20),
    basal_factor=st.floats(0, 5),
    basal_rise=st.floats(0, 3),
    on_board=st.floats(0, 0.4),
    day=st.floats(0, 2),
    suspend=st.floats(60, 120),
    interval=st.floats(0, 60),
)


@given(CANDIDATES, SITUATIONS | ORDINARY, STRICT | st.just(LIMITS))
def test_nothing_that_was_bounded_breaks_a_limit(candidate, situation, limits):
    found = bounded(candidate, situation, limits)
    if found is not None:
        assert violations(said(found, situation, AT, limits), situation, limits) == ()


@given(SITUATIONS, st.sampled_from([field.name for field in fields(Situation)]))
def test_a_number_that_is_missing_anywhere_allows_nothing(situation, name):
    assert bounded(Candidate(1.0, 1.0), replace(situation, **{name: nan})) is None


@pytest.mark.parametrize(
    ("change", "candidate"),
    [
        ({"age": 10.1}, Candidate(0.9, 1.0)),
        ({"width": 221.0}, Candidate(0.9, 1.0)),
        ({"weight": 0.0}, Candidate(0.9, 1.0)),
        ({"usual": 0.0}, Candidate(0.9, 1.0)),
        ({"glucose": -1.0}, Candidate(0.9, 1.0)),
        ({}, Candidate(0.9, nan)),
        ({}, Candidate(inf, 0.0)),
    ],
)
def test_where_too_little_is_known_nothing_is_allowed(change, candidate):
    assert bounded(candidate, replace(CALM, **change)) is None


@pytest.mark.parametrize("name", ["glucose", "foretold"])
def test_nothing_is_given_while_glucose_is_low_or_going_to_be(name):
    assert bounded(Candidate(2.0, 5.0), replace(CALM, **{name: 79.9})) == Candidate(0.0, 0.0)
    assert bounded(Candidate(None, 5.0), replace(CALM, running=None, **{name: 79.9})) == Candidate(None, 0.0)


@pytest.mark.parametrize(
    ("change", "asked", "given_"),
    [
        ({}, Candidate(0.9, 3.0), Candidate(0.9, 3.0)),
        ({}, Candidate(0.9, 30.0), Candidate(0.9, 10.0)),
        ({}, Candidate(9.0, 0.0), Candidate(1.8, 0.0)),
        ({"running": 2.7}, Candidate(9.0, 0.0), Candidate(2.7, 0.0)),
        ({"on_board": 12.0}, Candidate(0.9, 5.0), Candidate(0.9, 2.0)),
        ({"on_board": 20.0}, Candidate(1.8, 5.0), Candidate(0.9, 0.0)),
        ({"day": 69.0}, Candidate(0.9, 5.0), Candidate(0.9, 1.0)),
        ({"since_bolus": 14.0}, Candidate(0.9, 5.0), Candidate(0.9, 0.0)),
        ({}, Candidate(-1.0, -1.0), Candidate(0.0, 0.0)),
        ({}, Candidate(0.93, 0.99), Candidate(0.9, 0.95)),
        ({"running": None}, Candidate(None, 0.5), Candidate(None, 0.5)),
    ],
)
def test_each_limit_holds_where_it_is_reached(change, asked, given_):
    assert bounded(asked, replace(CALM, **change)) == given_


def proposals(basal, bolus, situation=CALM):
    return said(Candidate(basal, bolus), situation, AT, LIMITS)


@pytest.mark.parametrize(
    ("change", "basal", "bolus", "broken"),
    [
        ({}, 0.9, 10.5, "a bolus above the largest"),
        ({}, 2.0, 0.0, "a basal rate that rises too fast"),
        ({"running": 2.7}, 2.8, 0.0, "a basal rate above the highest"),
        ({"on_board": 13.0}, 0.9, 1.5, "too much insulin on board"),
        ({"on_board": 13.99}, 1.8, 0.0, "too much insulin on board"),
        ({"day": 69.5}, 0.9, 1.0, "too much insulin in a day"),
        ({"since_bolus": 3.0}, 0.9, 1.0, "a bolus too soon after another"),
        ({"foretold": 79.0}, 0.9, 0.5, "insulin while glucose is low or going to be"),
        ({"glucose": nan}, 0.9, 0.5, "glucose that is not known"),
        ({"foretold": nan}, 0.9, 0.5, "glucose that is not known"),
        ({"on_board": nan}, 0.9, 0.5, "insulin that is not known"),
        ({"weight": nan}, 0.9, 0.5, "a person who is not known"),
        ({"age": 11.0}, 0.9, 0.5, "glucose that is old"),
        ({"width": nan}, 0.9, 0.5, "an uncertain forecast"),
    ],
)
def test_the_checker_finds_each_broken_limit(change, basal, bolus, broken):
    situation = replace(CALM, **change)
    assert broken in violations(proposals(basal, bolus, situation), situation, LIMITS)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"until": AT + timedelta(minutes=11)}, "no expiry within ten minutes"),
        ({"start": AT - timedelta(minutes=1)}, "no expiry within ten minutes"),
        ({"amount": nan}, "an amount that is none"),
        ({"amount": -1.0}, "an amount that is none"),
        ({"unit": "mg"}, "something other than an amount of rapid-acting insulin"),
        ({"treatment": "statin"}, "something other than an amount of rapid-acting insulin"),
        ({"rationale": "Because."}, "a use that is not said"),
        ({"limits": ()}, "a use that is not said"),
    ],
)
def test_the_checker_finds_a_proposal_that_is_not_of_its_form(changes, broken):
    (one,) = proposals(0.9, 1.0)
    assert violations((one,), CALM, LIMITS) == ()
    assert broken in violations((replace(one, **changes),), CALM, LIMITS)
    assert "more than one basal rate or bolus" in violations((one, one), CALM, LIMITS)


def test_a_pump_that_is_stopped_is_a_rate_withheld():
    situation = replace(CALM, foretold=70.0)
    (one,) = said(Candidate(0.0, 0.0), situation, AT, LIMITS)
    assert (one.withhold, one.hourly, one.amount) == (True, True, 0.9)
    assert violations((one,), situation, LIMITS) == ()


def test_what_goes_on_anyway_is_not_proposed():
    assert proposals(0.9, 0.0) == ()
