"""The UVA/Padova model: simglucose's trajectories, its own laws, and no bolus stepped over."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest

from tests.peers import virtual_people
from tests.twin_engine.published import VECTORS
from twin_engine.integration import LANES, adaptive_path, path
from twin_engine.models.glucose import uva_padova_kernel as kernel
from twin_engine.models.glucose.uva_padova import (
    EXACT,
    FAST,
    PHYSIOLOGY,
    State,
    basal_rate,
    basal_state,
    patients,
    simulate,
)

NAMES, PEOPLE, START = virtual_people.people()
N = len(PEOPLE)


def inputs(minutes, n=N, meal_at=30, grams=60.0):
    carbohydrate, insulin = np.zeros((n, minutes)), np.repeat(basal_rate(PEOPLE)[:n, None], minutes, axis=1)
    carbohydrate[:, meal_at] = grams
    insulin[:, meal_at] += grams / 15
    return carbohydrate, insulin


@pytest.fixture(scope="module")
def scenario():
    files = ["simglucose_scenario_inputs.npz", "simglucose_0.2.11_bare_30x1441.npz"]
    if not all((VECTORS / name).exists() for name in files):
        pytest.skip("the trajectories of simglucose are absent")
    given, expected = (np.load(VECTORS / name) for name in files)
    glucose = np.array([expected[name][1:] for name in given["names"]])
    return list(given["names"]), given["CHO_announced_g"], given["INS_U_per_min"], glucose


@pytest.mark.parametrize(("steps", "tolerance"), [(EXACT, 0.01), (FAST, 0.2)])
def test_the_thirty_days_of_simglucose_are_followed(scenario, steps, tolerance):
    names, carbohydrate, insulin, expected = scenario
    assert names == NAMES
    glucose, _ = simulate(PEOPLE, START, carbohydrate, insulin, steps)
    assert np.abs(glucose - expected).max() <= tolerance


@pytest.mark.parametrize("name", ["adult#001", "child#007"])
def test_simglucose_says_the_same_today(name):
    i = NAMES.index(name)
    carbohydrate, insulin = inputs(180)
    carbohydrate[:, 50] = 7.0  # a second meal while the first is still eaten, or just was
    expected = virtual_people.day_of(virtual_people.patient(name), carbohydrate[i], insulin[i])
    glucose, _ = simulate(PEOPLE, START, carbohydrate, insulin, EXACT)
    assert np.abs(glucose[i] - expected).max() <= 0.01


def test_parameters_follow_from_the_physiology():
    """What simglucose tabulates beside the physiology follows from it, but for the clearance of one adult."""
    made = patients({each.name: PEOPLE[each.name] for each in PHYSIOLOGY})
    for name in ("Vm0", "kp1", "m30"):
        assert made[name] == pytest.approx(PEOPLE[name], rel=1e-9)
    for name in ("m2", "m4", "u2ss"):
        agree = np.isclose(made[name], PEOPLE[name], rtol=1e-9)
        assert agree.sum() == N - 1


def test_at_basal_insulin_everybody_stays_at_basal_glucose():
    made = patients({each.name: PEOPLE[each.name] for each in PHYSIOLOGY})
    minutes = 1440
    insulin = np.repeat(basal_rate(made)[:, None], minutes, axis=1)
    glucose, _ = simulate(made, basal_state(made), np.zeros((N, minutes)), insulin, FAST)
    assert np.abs(glucose - made["Gb"][:, None]).max() < 1e-6


@pytest.mark.parametrize("steps", [FAST, EXACT])
def test_a_one_minute_bolus_is_not_stepped_over(steps):
    """Isc1 is linear: a minute of u adds u (1 - exp(-k)) / k to what is left of it, k = ka1 + kd."""
    nothing = State(np.where(np.arange(13)[:, None] < 10, START.body, 0.0), START.meal)
    _, before = simulate(PEOPLE, nothing, np.zeros((N, 600)), np.zeros((N, 600)), steps)
    bolus = np.full((N, 1), 5.0)
    _, after = simulate(PEOPLE, before, np.zeros((N, 1)), bolus, steps)
    k, u = PEOPLE["ka1"] + PEOPLE["kd"], 5.0 * 6000 / PEOPLE["BW"]
    assert before.body[10] == pytest.approx(0.0)
    assert after.body[10] == pytest.approx(u * -np.expm1(-k) / k, rel=1e-8)


def compiled_path(rhs):
    """Return ``path`` for one right-hand side, compiled for this test alone."""

    @numba.njit
    def run(x, ends, u, p, longest):
        return path(rhs, x, ends, u, p, longest)

    return run


@pytest.fixture(scope="module")
def digesting():
    """A block of people half an hour into a meal, and a bolus at one jump of the input."""
    chosen = PEOPLE.chosen(np.arange(LANES))
    carbohydrate, insulin = inputs(60, LANES)
    _, state = simulate(
        chosen, State(START.body[:, :LANES], START.meal[:, :LANES]), carbohydrate, insulin, EXACT
    )
    u = np.zeros((2, kernel.INPUTS * LANES))
    p = kernel.parameters(chosen)[0]
    for segment in u:
        for j in range(LANES):
            kernel.empty(kernel.in_blocks(state.meal)[0], p, segment, j)
    u[0, kernel.INSULIN :][:LANES] = 300.0
    return kernel.in_blocks(state.body)[0], np.array([1.0, 61.0]), u, p


def test_the_method_is_of_order_four_between_the_jumps_of_the_input(digesting):
    x, ends, u, p = digesting
    true = adaptive_path(numba.njit(kernel.rhs), x, ends, u, p, 1e-11)[-1]
    below_renal_threshold = x[kernel.GP :][:LANES] < 300
    run = compiled_path(kernel.rhs)
    errors = [
        np.abs(run(x, ends, u, p, longest)[-1] - true).reshape(13, LANES)[:, below_renal_threshold].max()
        for longest in (1.0, 0.5, 0.25)
    ]
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx(4, abs=0.35)


@pytest.mark.parametrize("x", np.linspace(-kernel.SATURATED, kernel.SATURATED, 37))
def test_the_exponential_is_one(x):
    assert kernel.exponential(x) == pytest.approx(math.exp(x), rel=3e-13)


def test_who_else_is_computed_changes_not_one_bit():
    carbohydrate, insulin = inputs(120)
    together, _ = simulate(PEOPLE, START, carbohydrate, insulin)
    for i in (0, 17, 29):
        only = [i]
        alone, _ = simulate(
            PEOPLE.chosen(np.array(only)),
            State(START.body[:, only], START.meal[:, only]),
            carbohydrate[only],
            insulin[only],
        )
        assert np.array_equal(alone[0], together[i])


@pytest.mark.parametrize("cut", [30, 33, 90])
def test_a_course_that_is_interrupted_goes_on_bit_for_bit(cut):
    carbohydrate, insulin = inputs(120)
    whole, end = simulate(PEOPLE, START, carbohydrate, insulin)
    first, middle = simulate(PEOPLE, START, carbohydrate[:, :cut], insulin[:, :cut])
    second, last = simulate(PEOPLE, middle, carbohydrate[:, cut:], insulin[:, cut:])
    assert np.array_equal(np.hstack([first, second]), whole)
    assert np.array_equal(last.body, end.body)
    assert np.array_equal(last.meal, end.meal)


def test_a_meal_is_eaten_at_five_grams_a_minute_and_all_of_it():
    carbohydrate, insulin = inputs(60, grams=23.0)
    _, state = simulate(PEOPLE, START, carbohydrate[:, :33], insulin[:, :33])
    assert state.meal[0] == pytest.approx(8.0)
    assert state.meal[2] == pytest.approx(15.0)
    _, state = simulate(PEOPLE, START, carbohydrate, insulin)
    assert state.meal[0] == pytest.approx(0.0)
    assert state.meal[2] == pytest.approx(23.0)
