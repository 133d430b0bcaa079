import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from twin_engine.linear import Noise, Observation, Trend, below, filtered, foretold, smoothed, updated

NOISE = Noise(0.3, 0.05)
PRIOR = Trend(np.array([5.0, -0.4]), np.array([[2.0, -0.1], [-0.1, 0.3]]))

finite = st.floats(-20, 20, allow_nan=False)
observations = st.lists(
    st.builds(
        Observation,
        st.floats(0, 10, allow_nan=False).map(lambda time: round(time, 2)),
        st.one_of(st.none(), finite),
        st.floats(0.05, 4),
    ),
    min_size=1,
    max_size=9,
)
noises = st.builds(Noise, st.floats(0, 2), st.floats(0, 0.5))


def covariances(times: np.ndarray, prior: Trend, noise: Noise) -> np.ndarray:
    """Covariances (n, n, 2, 2) of the trend at ``times`` (n,) since 0, from integrals of the white noises."""
    found = np.empty((times.size, times.size, 2, 2))
    for i, s in enumerate(times):
        for j, t in enumerate(times):
            m = min(s, t)
            integrated = s * t * m - (s + t) * m**2 / 2 + m**3 / 3
            wandered = np.array(
                [
                    [noise.level * m + noise.slope * integrated, noise.slope * (s * m - m**2 / 2)],
                    [noise.slope * (t * m - m**2 / 2), noise.slope * m],
                ]
            )
            at_s, at_t = np.array([[1.0, s], [0.0, 1.0]]), np.array([[1.0, t], [0.0, 1.0]])
            found[i, j] = at_s @ prior.covariance @ at_t.T + wandered
    return found


def conditioned(given_, prior: Trend, noise: Noise, at: float):
    """Mean (2,) and covariance (2, 2) of the trend at ``at``, and log-likelihood, by dense matrices."""
    seen = [each for each in given_ if each.value is not None]
    times = np.array([*(each.time for each in seen), at])
    whole = covariances(times, prior, noise)
    n = len(seen)
    measured = whole[:n, :n, 0, 0] + np.diag([each.variance for each in seen])
    crossed = whole[n, :n, :, 0].T
    expected = prior.mean[0] + prior.mean[1] * times[:n]
    gap = np.array([each.value for each in seen]) - expected
    start = np.array([prior.mean[0] + prior.mean[1] * at, prior.mean[1]])
    if not n:
        return start, whole[0, 0], 0.0
    gain = crossed @ np.linalg.inv(measured)
    density = stats.multivariate_normal(np.zeros(n), measured).logpdf(gap)
    return start + gain @ gap, whole[n, n] - gain @ crossed.T, float(density)


@settings(max_examples=60, deadline=None)
@given(observations, noises)
def test_the_filter_equals_dense_conditioning_on_what_was_measured_so_far(given_, noise):
    path = filtered(PRIOR, 0.0, given_, noise)
    mean, covariance, density = conditioned(path.observations, PRIOR, noise, path.observations[-1].time)
    np.testing.assert_allclose(path.filtered[-1].mean, mean, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(path.filtered[-1].covariance, covariance, rtol=1e-6, atol=1e-7)
    assert path.log_likelihood == pytest.approx(density, rel=1e-7, abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(observations, noises)
def test_the_smoother_equals_dense_conditioning_on_everything_measured(given_, noise):
    path = filtered(PRIOR, 0.0, given_, noise)
    for each, trend in zip(path.observations, smoothed(path), strict=True):
        mean, covariance, _ = conditioned(path.observations, PRIOR, noise, each.time)
        np.testing.assert_allclose(trend.mean, mean, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(trend.covariance, covariance, rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(observations)
def test_without_process_noise_the_state_is_the_prediction_of_a_mixed_model(given_):
    """Henderson's equations of a random intercept and slope, solved for one person."""
    path = filtered(PRIOR, 0.0, given_, Noise())
    seen = [each for each in path.observations if each.value is not None]
    design = np.array([[1.0, each.time] for each in seen]).reshape(-1, 2)
    weights = np.array([1 / each.variance for each in seen])
    precision = design.T @ (weights[:, None] * design) + np.linalg.inv(PRIOR.covariance)
    gap = np.array([each.value for each in seen]) - design @ PRIOR.mean
    effects = PRIOR.mean + np.linalg.solve(precision, design.T @ (weights * gap))
    last = path.observations[-1].time
    np.testing.assert_allclose(
        path.filtered[-1].mean, [effects[0] + effects[1] * last, effects[1]], rtol=1e-6, atol=1e-7
    )
    # Every smoothed place lies on the one line.
    for each, trend in zip(path.observations, smoothed(path), strict=True):
        assert trend.level == pytest.approx(effects[0] + effects[1] * each.time, rel=1e-6, abs=1e-6)


def test_without_noise_and_with_a_flat_prior_the_state_is_generalised_least_squares():
    rng = np.random.default_rng(5)
    times, variances = np.sort(rng.uniform(0, 8, 12)), rng.uniform(0.2, 3, 12)
    values = 90 - 2.3 * times + rng.normal(0, np.sqrt(variances))
    flat = Trend(np.zeros(2), np.diag([1e10, 1e10]))
    path = filtered(flat, 0.0, map(Observation, times, values, variances), Noise())
    slope, intercept = np.polyfit(times, values, 1, w=1 / np.sqrt(variances))
    assert path.filtered[-1].slope == pytest.approx(slope, rel=1e-6)
    assert path.filtered[-1].level == pytest.approx(intercept + slope * times[-1], rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(observations, noises, st.randoms())
def test_the_order_of_arrival_changes_no_bit(given_, noise, random):
    shuffled = list(given_)
    random.shuffle(shuffled)
    one, other = filtered(PRIOR, 0.0, given_, noise), filtered(PRIOR, 0.0, shuffled, noise)
    assert one.log_likelihood == other.log_likelihood
    for mine, theirs in zip(smoothed(one), smoothed(other), strict=True):
        assert mine.mean.tobytes() == theirs.mean.tobytes()
        assert mine.covariance.tobytes() == theirs.covariance.tobytes()


def mirrored(trend: Trend) -> Trend:
    turn = np.diag([1.0, -1.0])
    return Trend(turn @ trend.mean, turn @ trend.covariance @ turn)


@settings(max_examples=40, deadline=None)
@given(observations)
def test_a_line_smoothed_backwards_in_time_is_the_same_line(given_):
    end = max(each.time for each in given_)
    turned = [replace(each, time=end - each.time) for each in given_]
    forward = filtered(PRIOR, 0.0, given_, Noise())
    backward = filtered(mirrored(foretold(PRIOR, end, Noise())), 0.0, turned, Noise())
    at = {
        end - each.time: mirrored(trend)
        for each, trend in zip(turned, smoothed_of(backward, turned), strict=True)
    }
    for each, trend in zip(forward.observations, smoothed(forward), strict=True):
        other = at[end - (end - each.time)]
        np.testing.assert_allclose(trend.mean, other.mean, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(trend.covariance, other.covariance, rtol=1e-5, atol=1e-6)
    assert forward.log_likelihood == pytest.approx(backward.log_likelihood, rel=1e-7, abs=1e-7)


def smoothed_of(path, given_):
    """Smoothed trends in the order of ``given_``."""
    places = {id(each): trend for each, trend in zip(path.observations, smoothed(path), strict=True)}
    return [places[id(each)] for each in given_]


def test_a_wandering_level_smoothed_backwards_in_time_is_the_same_where_the_prior_is_flat():
    rng = np.random.default_rng(11)
    times = np.array([0.0, 0.4, 0.4, 1.7, 3.0, 6.5])
    values = rng.normal(40, 4, times.size)
    flat = Trend(np.zeros(2), np.diag([1e7, 1e5]))
    forward = filtered(flat, 0.0, [Observation(t, v, 2.0) for t, v in zip(times, values, strict=True)], NOISE)
    turned = [Observation(6.5 - t, v, 2.0) for t, v in zip(times, values, strict=True)]
    backward = smoothed(filtered(flat, 0.0, turned, NOISE))
    levels = [trend.level for trend in smoothed(forward)]
    np.testing.assert_allclose(levels, [trend.level for trend in reversed(backward)], rtol=2e-4)


def test_several_values_of_one_instant_count_as_their_weighted_mean():
    twice = filtered(PRIOR, 0.0, [Observation(2.0, 4.0, 1.0), Observation(2.0, 7.0, 2.0)], NOISE)
    once = filtered(PRIOR, 0.0, [Observation(2.0, (4.0 + 3.5) / 1.5, 1 / 1.5)], NOISE)
    np.testing.assert_allclose(twice.filtered[-1].mean, once.filtered[-1].mean)
    np.testing.assert_allclose(twice.filtered[-1].covariance, once.filtered[-1].covariance)


def test_a_time_without_a_value_teaches_nothing():
    with_gap = filtered(PRIOR, 0.0, [Observation(1.0, None), Observation(3.0, 4.2, 1.0)], NOISE)
    without = filtered(PRIOR, 0.0, [Observation(3.0, 4.2, 1.0)], NOISE)
    np.testing.assert_allclose(with_gap.filtered[-1].mean, without.filtered[-1].mean, rtol=1e-12)
    assert with_gap.log_likelihood == pytest.approx(without.log_likelihood, rel=1e-12)


def test_two_steps_foretell_what_one_step_does():
    once = foretold(PRIOR, 5.0, NOISE)
    twice = foretold(foretold(PRIOR, 1.3, NOISE), 3.7, NOISE)
    np.testing.assert_allclose(once.mean, twice.mean)
    np.testing.assert_allclose(once.covariance, twice.covariance)


def test_foretold_levels_have_the_spread_of_simulated_ones():
    rng, steps, people = np.random.default_rng(3), 200, 20_000
    level, slope = rng.multivariate_normal(PRIOR.mean, PRIOR.covariance, people).T
    for _ in range(steps):
        level = level + slope * 4 / steps + rng.normal(0, math.sqrt(NOISE.level * 4 / steps), people)
        slope = slope + rng.normal(0, math.sqrt(NOISE.slope * 4 / steps), people)
    told = foretold(PRIOR, 4.0, NOISE)
    assert told.spread == pytest.approx(level.std(), rel=0.02)
    assert below(told, 2.0) == pytest.approx((level < 2.0).mean(), abs=0.01)


def test_a_slope_that_is_known_exactly_can_be_smoothed():
    fixed = Trend(np.array([5.0, 0.0]), np.diag([2.0, 0.0]))
    path = filtered(fixed, 0.0, [Observation(1.0, 6.0, 1.0), Observation(2.0, 4.0, 1.0)], Noise())
    assert [trend.level for trend in smoothed(path)] == pytest.approx([5.0, 5.0])


def test_an_observation_before_the_start_is_refused():
    with pytest.raises(ValueError, match="before the start"):
        filtered(PRIOR, 1.0, [Observation(0.5, 4.0, 1.0)], NOISE)


def test_what_is_known_exactly_cannot_be_measured_without_error():
    with pytest.raises(ValueError, match="without error"):
        updated(Trend(np.zeros(2), np.zeros((2, 2))), 1.0, 0.0)


def test_a_level_without_spread_is_below_or_it_is_not():
    exact = Trend(np.array([3.0, 0.0]), np.zeros((2, 2)))
    assert (below(exact, 3.1), below(exact, 2.9)) == (1.0, 0.0)
