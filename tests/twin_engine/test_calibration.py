"""Scores against plain implementations and published closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import norm

from twin_engine.calibration import (
    Bin,
    brier,
    crps,
    expected_observed,
    intervals,
    line,
    pinball,
    reliability,
)

numbers = st.floats(-100, 100)
chances = st.floats(0, 1)


@given(st.lists(numbers, min_size=2, max_size=12), numbers)
def test_the_crps_is_the_mean_error_less_half_the_mean_difference(members, value):
    x = np.array(members)
    error = np.abs(x - value).mean()
    pairs = np.abs(x[:, None] - x[None, :])
    assert crps(members, value) == pytest.approx(error - pairs.mean() / 2, abs=1e-9)
    m = x.size
    fair = error - pairs.sum() / (2 * m * (m - 1))
    assert crps(members, value, fair=True) == pytest.approx(fair, abs=1e-9)


def test_the_crps_of_a_normal_distribution_is_the_closed_form():
    # Gneiting and Raftery 2007, equation 21: sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)).
    members = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    z = np.array([-2.0, 0.0, 0.7])
    closed = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / math.sqrt(math.pi)
    np.testing.assert_allclose(crps(np.tile(members, (3, 1)), z), closed, atol=2e-4)


def test_the_crps_of_one_member_is_the_error():
    assert crps([3.0], 5.0) == 2.0


def test_the_fair_crps_does_not_reward_larger_ensembles():
    rng = np.random.default_rng(2)
    value = rng.normal(size=40_000)
    small, large = (crps(rng.normal(size=(40_000, m)), value, fair=True) for m in (3, 30))
    assert small.mean() == pytest.approx(large.mean(), abs=0.01)


@given(st.lists(numbers, min_size=5, max_size=60), st.sampled_from([0.05, 0.3, 0.5, 0.9]))
def test_the_quantile_of_what_came_loses_least(values, level):
    best = np.quantile(values, level, method="inverted_cdf")
    losses = [pinball(guess, values, level).sum() for guess in values]
    assert pinball(best, values, level).sum() <= min(losses) + 1e-9


@given(chances, chances)
def test_who_says_what_they_believe_loses_least(belief, said):
    def foreseen(probability):
        return belief * brier(probability, 1) + (1 - belief) * brier(probability, 0)

    assert foreseen(belief) <= foreseen(said) + 1e-12


def test_an_interval_holds_its_ends():
    found = intervals([0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 3.0], [0.0, 1.0, 1.1, 2.0])
    assert (found.coverage, found.width) == (0.75, 1.5)


def test_bins_hold_forecasts_of_like_probability():
    found = reliability([0.0, 0.05, 0.1, 0.95, 1.0], [0, 1, 0, 1, 1])
    assert found == (Bin(2, 0.025, 0.5), Bin(1, 0.1, 0.0), Bin(2, 0.975, 1.0))


def test_expected_to_observed_counts_events():
    assert expected_observed([0.5, 0.5, 0.2], [1, 0, 0]) == pytest.approx(1.2)
    assert expected_observed([0.5], [0]) == math.inf


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_line_is_the_one_of_greatest_likelihood(seed):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, 400)
    logit = np.log(p / (1 - p))
    y = (rng.random(400) < 1 / (1 + np.exp(-(0.4 + 0.7 * logit)))).astype(float)

    def unlikelihood(beta):
        eta = beta[0] + beta[1] * logit
        return np.sum(np.logaddexp(0, eta) - y * eta)

    best = minimize(unlikelihood, [0.0, 1.0], method="BFGS", options={"gtol": 1e-8}).x
    alone = minimize(
        lambda beta: unlikelihood([beta[0], 1.0]), [0.0], method="BFGS", options={"gtol": 1e-8}
    ).x
    found = line(p, y)
    assert (found.intercept, found.slope, found.in_the_large) == pytest.approx((*best, *alone), abs=1e-4)


def test_a_line_of_shares_is_the_line_of_what_they_stand_for():
    p = np.array([0.1, 0.1, 0.1, 0.6, 0.6])
    y = np.array([0, 0, 1, 1, 0])
    together = line([0.1, 0.6], [1 / 3, 1 / 2], [3, 2])
    apart = line(p, y)
    assert (together.intercept, together.slope) == pytest.approx((apart.intercept, apart.slope))


@pytest.mark.parametrize(
    ("p", "y"),
    [([], []), ([0.2, 0.8], [0, 1]), ([0.2, 0.3], [0, 0]), ([0.0, 0.3], [0, 1]), ([0.2, 0.2], [0, 1])],
)
def test_there_is_no_line_where_there_is_no_maximum(p, y):
    assert line(p, y) is None
