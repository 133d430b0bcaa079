"""The second opinion against its equations, solved by another method, and against what must be so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from twin_engine.models.glucose.hovorka import Body, basal, simulated, steady_state, suited

BODY = Body(70.0)


def derivative(_, x, u, d, weight):
    """Return the published derivative; u in mU/min, d in mmol/min."""
    vg, vi, egp0, f01 = 0.16 * weight, 0.12 * weight, 0.0161 * weight, 0.0097 * weight
    d1, d2, s1, s2, q1, q2, i, x1, x2, x3 = x
    g = q1 / vg
    f01c = f01 if g >= 4.5 else f01 * g / 4.5
    fr = 0.003 * (g - 9) * vg if g >= 9 else 0.0
    return [
        0.8 * d - d1 / 40,
        d1 / 40 - d2 / 40,
        u - s1 / 55,
        s1 / 55 - s2 / 55,
        -(f01c + fr) - x1 * q1 + 0.066 * q2 + d2 / 40 + egp0 * (1 - x3),
        x1 * q1 - (0.066 + x2) * q2,
        s2 / 55 / vi - 0.138 * i,
        0.006 * 51.2e-4 * i - 0.006 * x1,
        0.06 * 8.2e-4 * i - 0.06 * x2,
        0.03 * 520e-4 * i - 0.03 * x3,
    ]


def day():
    insulin, food = np.full(1440, basal(BODY, 110.0)), np.zeros(1440)
    insulin[475] += 2.0
    insulin[900] += 3.0
    food[480:490] += 9.0
    food[905:910] += 10.0
    return insulin, food


def test_a_day_is_that_of_an_independent_transcription():
    insulin, food = day()
    x = steady_state(BODY, 110.0)
    found, last = simulated(BODY, x, insulin, food)
    reference, ends = [], [475, 476, 480, 490, 900, 901, 905, 910, 1440]
    for begin, end in zip([0, *ends], ends, strict=False):
        given = (insulin[begin] * 1000, food[begin] * 1000 / 180.156, 70.0)
        minutes = np.arange(begin + 1, end + 1)
        solved = solve_ivp(derivative, (begin, end), x, "DOP853", minutes, args=given, rtol=1e-9, atol=1e-11)
        x = solved.y[:, -1]
        reference += (solved.y[4] / 11.2 * 18.0156).tolist()
    assert np.ptp(reference) > 80
    assert found == pytest.approx(np.array(reference), abs=1e-3)
    assert last == pytest.approx(x, rel=1e-5)


# Golden: mg/dL at the full hours from 8 to 20 h of the day above, from that independent transcription.
HOURS = (8, 10, 12, 14, 16, 18, 20)
GOLDEN = (109.99, 259.23, 186.69, 163.2, 191.82, 84.76, 64.29)


def test_the_day_is_the_golden_one():
    found, _ = simulated(BODY, steady_state(BODY, 110.0), *day())
    assert [found[60 * hour - 1] for hour in HOURS] == pytest.approx(GOLDEN, abs=0.01)


@given(st.floats(80, 160), st.floats(40, 120))
@settings(deadline=None)
def test_basal_insulin_holds_glucose_where_it_is(glucose, weight):
    body = Body(weight)
    rate = basal(body, glucose)
    found, last = simulated(body, steady_state(body, glucose), np.full(600, rate), np.zeros(600))
    assert rate > 0
    assert found == pytest.approx(glucose, abs=1e-6)
    assert last == pytest.approx(steady_state(body, glucose), rel=1e-6, abs=1e-9)


def test_glucose_that_no_lack_of_insulin_explains_is_refused():
    with pytest.raises(ValueError, match="without insulin"):
        basal(BODY, 600.0)


def test_all_food_that_is_taken_up_and_all_insulin_are_accounted_for():
    x = np.zeros(10)
    x[4] = 6.0 * 11.2
    insulin, food = np.zeros(3000), np.zeros(3000)
    insulin[0], food[0] = 2.0, 50.0
    entered = cleared = 0.0
    for minute in range(3000):
        before = x
        part = slice(minute, minute + 1)
        _, x = simulated(BODY, x, insulin[part], food[part])
        entered += (before[1] + x[1]) / 2 / 40
        cleared += 0.138 * (before[6] + x[6]) / 2 * 0.12 * 70
    assert entered == pytest.approx(0.8 * 50 * 1000 / 180.156, rel=1e-4)
    assert cleared == pytest.approx(2000.0, rel=1e-4)


@given(st.floats(0.2, 10), st.integers(0, 600))
@settings(deadline=None, max_examples=20)
def test_insulin_lowers_and_food_raises_glucose(amount, minute):
    insulin, food = np.full(900, basal(BODY, 120.0)), np.zeros(900)
    x = steady_state(BODY, 120.0)
    still, _ = simulated(BODY, x, insulin, food)
    more = insulin.copy()
    more[minute] += amount
    assert (simulated(BODY, x, more, food)[0] <= still + 1e-9).all()
    food[minute] = 10 * amount
    assert (simulated(BODY, x, insulin, food)[0] >= still - 1e-9).all()


@given(st.floats(0.2, 3.0))
def test_a_body_is_made_to_need_the_insulin_it_is_given(hourly):
    body = suited(BODY, hourly / 60, 120.0)
    assert basal(body, 120.0) == pytest.approx(hourly / 60, rel=1e-6)
    assert (body.sensitivity < 1) == (hourly / 60 > basal(BODY, 120.0))
