"""The integrators: of order four where the solution is smooth, and restarted where an input jumps."""

from __future__ import annotations

import numpy as np
import pytest

from twin_engine.integration import adaptive_path, path


def predators(x, u, p, dx):
    """Lotka and Volterra, with animals set free at the rate u."""
    dx[0] = p[0] * x[0] - p[1] * x[0] * x[1] + u[0]
    dx[1] = -p[2] * x[1] + p[3] * x[0] * x[1]


def decay(x, u, p, dx):
    dx[0] = u[0] - p[0] * x[0]


RATES = np.array([1.0, 0.5, 0.8, 0.4])
START = np.array([2.0, 1.0])
# Ends that are no multiples of any step, and inputs that jump at them.
ENDS = np.array([0.7, 1.9, 4.0])
INPUTS = np.array([[0.0], [3.0], [0.5]])


def order(differences):
    return np.log2(differences[:-1] / differences[1:])


def test_halving_the_step_makes_the_error_a_sixteenth_also_across_jumps():
    true = adaptive_path(predators, START, ENDS, INPUTS, RATES, 1e-12)
    errors = [
        np.abs(path(predators, START, ENDS, INPUTS, RATES, longest) - true).max()
        for longest in (0.1, 0.05, 0.025, 0.0125)
    ]
    assert order(np.array(errors)) == pytest.approx(4, abs=0.15)


def test_a_step_across_a_jump_would_lose_the_order():
    """Without the restart at 0.7 the method is of first order: the restart is what the order rests on."""
    true = adaptive_path(predators, START, ENDS, INPUTS, RATES, 1e-12)
    late = np.array([0.8, 1.9, 4.0])  # the change is noticed at the end of a step of 0.1
    errors = [
        np.abs(path(predators, START, late, INPUTS, RATES, longest)[-1] - true[-1]).max()
        for longest in (0.1, 0.05)
    ]
    assert order(np.array(errors)) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("longest", [1.0, 60.0, 600.0])
def test_a_pulse_of_one_minute_in_ten_hours_is_not_stepped_over(longest):
    """The whole dose arrives, however long the steps before it were."""
    slow = np.array([1e-6])
    ends, pulse = np.array([300.0, 301.0, 600.0]), np.array([[0.0], [5.0], [0.0]])
    for solved in (
        path(decay, np.zeros(1), ends, pulse, slow, longest),
        adaptive_path(decay, np.zeros(1), ends, pulse, slow),
    ):
        assert solved[:, 0] == pytest.approx([0, 5, 5 * np.exp(-299e-6)], rel=1e-6)


def test_one_segment_cut_in_two_is_the_same_way():
    whole = adaptive_path(predators, START, np.array([2.0]), INPUTS[:1], RATES)
    cut = adaptive_path(predators, START, np.array([1.1, 2.0]), INPUTS[[0, 0]], RATES)
    assert cut[-1] == pytest.approx(whole[-1], rel=1e-7)


def test_a_solution_that_ceases_to_exist_is_not_made_up():
    def explodes(x, u, p, dx):
        dx[0] = x[0] ** 2

    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(ArithmeticError, match="no step keeps the tolerance"),
    ):
        adaptive_path(explodes, np.ones(1), np.array([2.0]), np.zeros((1, 1)), np.zeros(0))
