"""The fit of a day: its likelihood and prior against textbook densities, and known people found again."""

import numpy as np
import pytest
from scipy.stats import binom, gamma, lognorm, multivariate_normal

from tests.twin_engine.models.glucose.synthetic import covered, drawn, given, record
from twin_engine.models.glucose import fitting, priors
from twin_engine.models.glucose.fitting import PUBLISHED, Discrepancy

TWINS, CHAINS, STEPS = 40, 16, 150
MEALS = ((470, 0.0, 5.0), (480, 50.0, 0.0), (780, 70.0, 7.0), (1140, 60.0, 6.0))


@pytest.fixture(scope="module")
def day():
    rng = np.random.default_rng(5)
    z = drawn(rng, blocks=3)[0]
    return z, record(z, *given(1440, MEALS, blocks=3), rng, PUBLISHED)


def test_the_likelihood_is_that_of_noise_with_a_lasting_difference():
    rng = np.random.default_rng(1)
    z = drawn(rng, size=2)
    of = record(z[0], *given(300, MEALS[:0]), rng, Discrepancy(4.0, 12.0, 45.0))
    silent = record(z[0], of.inputs, of.before, rng, Discrepancy(1e-9, 0.0))
    distance = np.abs(of.at[:, None] - of.at[None, :])
    covariance = 16 * np.eye(len(of.at)) + 144 * np.exp(-distance / 45)
    density = multivariate_normal(np.zeros(len(of.at)), covariance)
    paths = [of.glucose - record(one, of.inputs, of.before, rng, silent.discrepancy).glucose for one in z]
    squares = np.sum(fitting.unexplained(of, z) ** 2, axis=1)
    expected = np.diff(density.logpdf(np.array(paths)))[0]
    assert -0.5 * np.diff(squares)[0] == pytest.approx(expected, rel=1e-6)


def test_the_published_prior_is_the_density_of_the_parameters_themselves():
    z = np.linspace(-1.5, 1.5, 7)[:, None] * np.ones((1, 9))
    theta = priors.parameters(z)
    squares = fitting.published_prior(z) ** 2
    assert np.all(squares[:, 8] == 0)
    for column, density in (
        (1, lognorm(0.5, scale=np.exp(-3.8))),
        (4, lognorm(0.6187, scale=np.exp(-3.5090))),
        (7, lognorm(1.4396, scale=np.exp(-5.4591))),
        (6, gamma(3.3, scale=5e-4 / 1.45)),
    ):
        expected = density.logpdf(theta[:, column])
        assert -0.5 * squares[:, column] - expected == pytest.approx(
            np.full(7, -0.5 * squares[0, column] - expected[0]), abs=1e-9
        )


def test_a_day_is_fitted_from_32_starts_no_worse_than_by_the_truth(day):
    z, of = day
    fit = fitting.fit(of, np.random.default_rng(1))
    assert len(fit.objectives) == 32
    truth = np.concatenate((fitting.unexplained(of, z[None])[0], fitting.published_prior(z[None])[0]))
    assert fit.objective <= 0.5 * np.sum(truth**2)
    assert fit.objective == fit.objectives.min()
    left = fitting.unexplained(of, fit.point[None])[0]
    assert 0.75 < np.sqrt(np.mean(left**2)) < 1.15
    sensitivity = priors.parameters(fit.point[None])[0, 6::3] / priors.parameters(z[None])[0, 6::3]
    assert np.median(np.abs(np.log(sensitivity))) < 0.2
    assert priors.violation(fit.point[None])[0] < 0.05


def test_an_order_of_rates_that_is_broken_is_impossible(day):
    z, of = day
    broken = z.copy()
    broken[4] = -6.0
    assert fitting.log_density(of, np.array([z, broken])).tolist()[1] == -np.inf


def test_ninety_percent_intervals_hold_the_truth_in_nine_of_ten_people():
    held = np.array([covered(seed, CHAINS, STEPS) for seed in range(TWINS)])
    # Each parameter within what 40 draws at 90 % give in 999 of 1000 cases, all of them together closer.
    assert (held.sum(axis=0) >= binom(TWINS, 0.9).ppf(0.001)).all()
    assert 0.85 <= held.mean() <= 0.95
