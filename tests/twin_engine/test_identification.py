"""Fits and posteriors whose answers are known."""

import numpy as np
import pytest

from twin_engine.identification import effective, fitted, sampled, spread


def test_a_linear_problem_is_solved_exactly():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(20, 3)), rng.normal(size=20)
    wide = np.full(3, 50.0)
    fit = fitted(lambda x: x @ a.T - b, -wide, wide, rng.normal(size=(4, 3)))
    exact = np.linalg.lstsq(a, b)[0]
    assert fit.point == pytest.approx(exact, abs=1e-6)
    assert fit.objectives == pytest.approx(np.full(4, 0.5 * np.sum((a @ exact - b) ** 2)))


def test_a_bound_is_kept():
    fit = fitted(lambda x: x - 3.0, np.array([-1.0]), np.array([2.0]), np.array([[0.0]]))
    assert fit.point == pytest.approx([2.0])


def test_many_starts_find_the_deeper_of_two_valleys():
    def valleys(x):
        return np.stack((x[:, 0] ** 2 - 1, 0.3 * (x[:, 0] + 1)), axis=1)

    low, high = np.array([-3.0]), np.array([3.0])
    assert fitted(valleys, low, high, np.array([[2.0]])).point[0] > 0.5
    assert fitted(valleys, low, high, np.linspace(-2, 2, 8)[:, None]).point == pytest.approx([-1.0], abs=1e-5)


COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 2.0, 0.3], [0.0, 0.3, 0.5]])
PRECISION = np.linalg.inv(COVARIANCE)


def gaussian(x):
    d = x - np.array([1.0, -2.0, 0.5])
    return -0.5 * np.einsum("ij,jk,ik->i", d, PRECISION, d)


@pytest.fixture(scope="module")
def posterior():
    rng = np.random.default_rng(2)
    return sampled(gaussian, rng.normal(size=(24, 3)) * 4, 2000, rng, burn=500)


def test_a_gaussian_is_sampled_with_its_mean_and_covariance(posterior):
    draws = posterior.flat()
    assert draws.mean(axis=0) == pytest.approx([1.0, -2.0, 0.5], abs=0.06)
    assert np.cov(draws.T) == pytest.approx(COVARIANCE, abs=0.1)
    assert posterior.log_density[-1] == pytest.approx(gaussian(posterior.draws[-1]))
    assert 0.1 < posterior.accepted < 0.7


def test_chains_that_agree_say_so(posterior):
    assert (spread(posterior.draws) < 1.02).all()
    assert (effective(posterior.draws) > 1000).all()


def test_chains_that_disagree_say_so():
    rng = np.random.default_rng(3)
    apart = rng.normal(size=(500, 4, 1)) + np.array([0, 0, 3, 3])[None, :, None]
    assert spread(apart)[0] > 1.5


def test_the_effective_number_of_draws_is_that_of_an_autoregression():
    rng, rho, steps, chains = np.random.default_rng(4), 0.8, 4000, 8
    x = np.empty((steps, chains, 1))
    x[0] = rng.normal(size=(chains, 1))
    for i in range(1, steps):
        x[i] = rho * x[i - 1] + np.sqrt(1 - rho**2) * rng.normal(size=(chains, 1))
    assert effective(x)[0] == pytest.approx(steps * chains * (1 - rho) / (1 + rho), rel=0.15)


def test_a_forbidden_region_is_never_entered():
    rng = np.random.default_rng(5)
    positive = sampled(
        lambda x: np.where(x[:, 0] > 0, -x[:, 0], -np.inf), rng.uniform(0.5, 2, (16, 1)), 3000, rng, burn=200
    )
    draws = positive.flat()
    assert draws.min() > 0
    assert draws.mean() == pytest.approx(1.0, abs=0.08)
    assert np.quantile(draws, 0.9) == pytest.approx(np.log(10), abs=0.2)


def test_two_summits_are_both_visited():
    rng = np.random.default_rng(6)

    def summits(x):
        return np.logaddexp(-0.5 * np.sum((x - 4) ** 2, axis=1), -0.5 * np.sum((x + 4) ** 2, axis=1))

    draws = sampled(summits, rng.normal(size=(32, 2)) * 5, 3000, rng, burn=500).flat()
    assert 0.3 < np.mean(draws[:, 0] > 0) < 0.7
