"""The small model against its equations, solved by another method, and against what must be so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.stats import gamma, norm

from twin_engine.models.glucose import minimal, priors
from twin_engine.models.glucose.minimal import (
    Inputs,
    Person,
    appearance,
    part_of_day,
    simulated,
    steady_state,
)

PERSON = Person(weight=70.0, basal=1 / 60)
DAY = 1440
BEFORE = Inputs.of(np.full(60, PERSON.basal), np.zeros(60))


def day(*events, parts=None):
    """Return a day of basal insulin with ``events``: (minute, grams, units)."""
    insulin, food = np.full(DAY, PERSON.basal), np.zeros(DAY)
    for minute, grams, units in events:
        food[minute] += grams
        insulin[minute] += units
    return Inputs(insulin, food, np.zeros(DAY), np.zeros(DAY, np.int64) if parts is None else parts)


MEALS = ((480, 50.0, 5.0), (780, 70.0, 7.5), (1140, 60.0, 6.0))


def typical(blocks=1):
    theta = priors.parameters(np.zeros((1, len(minimal.names(blocks)))))
    theta[:, 7::3] *= 3  # kabs: the median of its prior is so low that no meal is seen
    return theta


def run(inputs, theta, start=119.13):
    return simulated(PERSON, theta, steady_state(PERSON, theta, start), inputs, BEFORE)[0]


def exact(inputs, theta, start=119.13):
    """Return IG after each minute, the published equations solved by an adaptive method of order 8."""
    gb, sg, p2, ka2, kd, kempt, si, kabs, beta = theta
    vg, vi, ke, f, r1, r2 = 1.45, 0.126, 0.127, 0.9, 1.4407, 0.8124
    basal = PERSON.basal * 1000 / PERSON.weight / vi
    fast = np.concatenate((BEFORE.insulin, inputs.insulin)) * 1000 / PERSON.weight / vi
    food = np.concatenate((BEFORE.carbohydrates, inputs.carbohydrates)) * 1000 / PERSON.weight

    def derivative(_, x, u, cho):
        g, action, ig, sc1, sc2, ip, sto1, sto2, gut = x
        low = min(max(g, 60.0), gb)
        rho = 1 + 10 * r1 * (np.log(low) ** r2 - np.log(gb) ** r2) ** 2
        return [
            -(sg + rho * action) * g + sg * gb + f * kabs * gut / vg,
            -p2 * (action - si * (ip - basal / ke)),
            -(ig - g) / 7,
            -kd * sc1 + u,
            kd * sc1 - ka2 * sc2,
            ka2 * sc2 - ke * ip,
            -kempt * sto1 + cho,
            kempt * (sto1 - sto2),
            kempt * sto2 - kabs * gut,
        ]

    x = np.array([start, 0, start, basal / kd, basal / ka2, basal / ke, 0, 0, 0])
    n = len(inputs.insulin)
    held = np.column_stack((fast[52 : 52 + n], food[60 - round(beta) : 60 - round(beta) + n]))
    ends = [*(np.flatnonzero(np.any(np.diff(held, axis=0), axis=1)) + 1), n]
    path = []
    for begin, end in zip([0, *ends], ends, strict=False):
        minutes = np.arange(begin + 1, end + 1)
        solved = solve_ivp(derivative, (begin, end), x, "DOP853", minutes, args=held[begin], rtol=1e-8)
        x = solved.y[:, -1]
        path += solved.y[2].tolist()
    return np.array(path)


def test_a_day_differs_from_the_exact_solution_by_no_more_than_steps_of_a_minute_do():
    theta = typical()
    theta[0, 8] = 10.0
    inputs = day(*MEALS)
    short = Inputs(
        *(part[:900] for part in (inputs.insulin, inputs.carbohydrates, inputs.slow, inputs.parts))
    )
    reference = exact(short, theta[0])
    found = run(short, theta)[0]
    assert np.ptp(reference) > 60
    assert np.abs(found - reference).max() < 8
    assert np.abs(found - reference).mean() < 1.5


def plain(inputs, theta, start):
    """Return IG after each minute by the same backward Euler steps, written without haste."""
    gb, sg, p2, ka2, kd, kempt = theta[:6]
    entry = 1000 / PERSON.weight / 0.126
    fast = np.concatenate((BEFORE.insulin, inputs.insulin)) * entry
    food = np.concatenate((BEFORE.carbohydrates, inputs.carbohydrates)) * 1000 / PERSON.weight
    part = np.concatenate((BEFORE.parts, inputs.parts))
    blocks = range((len(theta) - 6) // 3)
    g = ig = start
    x, sc1, sc2, ip = 0.0, PERSON.basal * entry / kd, PERSON.basal * entry / ka2, PERSON.basal * entry / 0.127
    gut = np.zeros((len(blocks), 3))
    path = []
    for k in range(len(inputs.insulin)):
        sc1 = (sc1 + fast[k + 52]) / (1 + kd)
        sc2 = (sc2 + kd * sc1) / (1 + ka2)
        ip = (ip + ka2 * sc2 + inputs.slow[k] * entry) / 1.127
        ra = 0.0
        for m in blocks:
            si, kabs, beta = theta[6 + 3 * m : 9 + 3 * m]
            own = np.where(part == m, food, 0.0)
            eaten = np.interp(k + 60 - beta, np.arange(len(own)), own)
            gut[m, 0] = (gut[m, 0] + eaten) / (1 + kempt)
            gut[m, 1] = (gut[m, 1] + kempt * gut[m, 0]) / (1 + kempt)
            gut[m, 2] = (gut[m, 2] + kempt * gut[m, 1]) / (1 + kabs)
            ra += 0.9 * kabs * gut[m, 2]
        si = theta[6 + 3 * inputs.parts[k]]
        x = (x + p2 * si * (ip - PERSON.basal * entry / 0.127)) / (1 + p2)
        low = min(max(g, 60.0), gb)
        rho = 1 + 14.407 * (np.log(low) ** 0.8124 - np.log(gb) ** 0.8124) ** 2
        g = (g + sg * gb + ra / 1.45) / (1 + sg + rho * x)
        ig = (ig + g / 7) / (1 + 1 / 7)
        path.append(ig)
    return np.array(path)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from([1, 3]))
def test_the_compiled_steps_are_those_written_without_haste(seed, blocks):
    rng = np.random.default_rng(seed)
    theta = priors.parameters(rng.normal(size=(1, len(minimal.names(blocks)))))
    parts = part_of_day(np.arange(DAY)) if blocks == 3 else None
    inputs = day(*MEALS, (700, 15.0, 0.0), parts=parts)
    if blocks == 3:
        before = Inputs(BEFORE.insulin, BEFORE.carbohydrates, BEFORE.slow, np.full(60, 2))
        found = simulated(PERSON, theta, steady_state(PERSON, theta, 140.0), inputs, before)[0][0]
    else:
        found = run(inputs, theta, 140.0)[0]
    assert found == pytest.approx(plain(inputs, theta[0], 140.0), rel=1e-9)


def test_at_basal_insulin_and_basal_glucose_nothing_moves():
    assert run(day(), typical()) == pytest.approx(119.13, abs=1e-9)


def test_a_one_minute_bolus_is_not_stepped_over():
    theta = typical()
    x = steady_state(PERSON, theta, 120.0)
    given, none = (
        simulated(
            PERSON, theta, x, Inputs.of(*(part[:12] for part in (one.insulin, one.carbohydrates))), BEFORE
        )
        for one in (day((3, 0.0, 5.0)), day())
    )
    assert given[1][0, 3] - none[1][0, 3] == pytest.approx(5000 / 70 / 0.126 / (1 + theta[0, 4]))
    assert (run(day((300, 0.0, 5.0)), theta)[0, 300:600] < 119).sum() > 200


def test_all_insulin_leaves_through_plasma_and_all_food_through_the_gut():
    theta = typical()
    theta[0, 8] = 17.3
    inputs = Inputs.of(np.zeros(5 * DAY), np.zeros(5 * DAY))
    inputs.insulin[0], inputs.carbohydrates[0] = 4.0, 60.0
    person = Person(70.0, 0.0)
    x = steady_state(person, theta, 119.13)
    cleared = appeared = 0.0
    for minute in range(3000):
        part = slice(minute, minute + 1)
        step = Inputs.of(inputs.insulin[part], inputs.carbohydrates[part])
        earlier = np.arange(minute - 60, minute)
        before = Inputs.of(*(np.where(earlier >= 0, source[np.maximum(earlier, 0)], 0.0)
                             for source in (inputs.insulin, inputs.carbohydrates)))  # fmt: skip
        _, x = simulated(person, theta, x, step, before)
        cleared += minimal.KE * x[0, 5] * minimal.VI * 70 / 1000
        appeared += theta[0, 7] * x[0, 8] * 70 / 1000
    assert cleared == pytest.approx(4.0, rel=1e-6)
    assert appeared == pytest.approx(60.0, rel=1e-6)


@given(st.floats(0.5, 15), st.integers(10, 1200))
@settings(deadline=None, max_examples=20)
def test_insulin_lowers_and_food_raises_glucose(amount, minute):
    theta, still = typical(), run(day(), typical())
    assert (run(day((minute, 0.0, amount)), theta) <= still + 1e-9).all()
    assert (run(day((minute, 10 * amount, 0.0)), theta) >= still - 1e-9).all()


def test_a_member_is_alone():
    theta = priors.parameters(np.random.default_rng(1).normal(size=(5, 9)))
    together = run(day(*MEALS), theta)
    assert (together[3] == run(day(*MEALS), theta[3:4])[0]).all()


def test_insulin_sensitivity_is_that_of_the_part_of_the_day():
    parts = part_of_day(np.arange(DAY))
    theta = typical(3)
    base = run(day((900, 0.0, 4.0), parts=parts), theta)
    theta[0, 6 + 3] *= 2
    changed = run(day((900, 0.0, 4.0), parts=parts), theta)
    assert (base[0, :660] == changed[0, :660]).all()
    assert changed[0, 900:].min() < base[0, 900:].min() - 5


def test_parts_of_the_day_begin_at_four_eleven_and_seventeen():
    hours = np.arange(0, 48) * 60
    assert part_of_day(hours)[:24].tolist() == [2] * 4 + [0] * 7 + [1] * 6 + [2] * 7
    assert (part_of_day(hours)[24:] == part_of_day(hours)[:24]).all()
    assert part_of_day(np.array([239, 240, 659, 660, 1019, 1020])).tolist() == [2, 0, 0, 1, 1, 2]


@given(st.floats(1, 60), st.floats(-2000, 500))
def test_a_dose_of_long_acting_insulin_appears_whole_and_only_after_it(units, time):
    shown = appearance(np.array([units]), np.array([time]), 20_000)
    assert (shown >= -1e-12).all()
    if time >= 0:
        assert shown.sum() == pytest.approx(units, rel=1e-6)
        assert (shown[: int(time)] == 0).all()


def test_half_of_a_long_acting_dose_has_appeared_after_ten_to_eleven_hours():
    shown = appearance(np.array([20.0]), np.array([0.0]), 3000)
    assert shown[:600].sum() < 10.0 < shown[:660].sum()
    assert shown[1200] / shown[1200 + 499] == pytest.approx(2.0, rel=0.01)


def test_a_daily_dose_comes_to_the_same_as_the_pump():
    doses, times = np.full(10, 24.0), np.arange(-9, 1) * 1440.0
    shown = appearance(doses, times, 1440)
    assert shown.sum() == pytest.approx(24.0, rel=1e-3)


def test_deviates_have_the_published_distributions():
    z = np.linspace(-2, 2, 41)
    theta = priors.parameters(np.repeat(z[:, None], 9, axis=1))
    assert theta[:, 6] * 1.45 == pytest.approx(gamma.ppf(norm.cdf(z), 3.3, scale=5e-4), rel=0.025)
    assert theta[:, 8] == pytest.approx(60 * norm.cdf(z))
    assert np.log(theta[:, 7]) == pytest.approx(-5.4591 + 1.4396 * z)
    assert np.sqrt(theta[:, 2]) == pytest.approx(0.11 + 0.004 * z)
    assert theta[:, 0] == pytest.approx(119.13 + 7.11 * z)


def test_the_order_of_rates_is_broken_by_as_much_as_their_logarithms_differ():
    z = np.zeros((1, 15))
    assert priors.violation(z) == [0.0]
    z[0, 4] = -3  # kd below ka2
    assert priors.violation(z)[0] == pytest.approx(-4.2875 + 3.5090 + 3 * 0.6187)
    z[0, 4], z[0, 13] = 0, 3  # kabs of the third part above kempt
    assert priors.violation(z)[0] == pytest.approx(-5.4591 + 3 * 1.4396 + 1.9646)


def test_a_history_that_is_not_an_hour_is_refused():
    with pytest.raises(ValueError, match="an hour"):
        simulated(
            PERSON,
            typical(),
            steady_state(PERSON, typical(), 120.0),
            day(),
            Inputs.of(np.zeros(3), np.zeros(3)),
        )
