"""Quantiles and events of ensembles, and intervals that learn from outcomes that come late."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from twin_engine.encoding import decode, encode
from twin_engine.prediction import (
    Conformal,
    conformal,
    course,
    crossing,
    learned,
    radii,
    replayed,
    share,
    widened,
)

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
TIMES = np.arange(0, 3600, 300.0)


def test_a_course_holds_the_quantiles_of_its_ensemble():
    paths = np.random.default_rng(1).normal(120, 20, (501, TIMES.size))
    made = course("glucose", "mg/dL", AT, TIMES, paths)
    assert made.times == tuple(TIMES)
    assert [level for level, _ in made.quantiles] == [0.05, 0.25, 0.5, 0.75, 0.95]
    np.testing.assert_allclose(made.median(), np.sort(paths, axis=0)[250])


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_no_quantile_passes_another(seed, members):
    paths = np.random.default_rng(seed).normal(0, 1e-9, (members, 3)) + 1e6
    fan = np.array([values for _, values in course("g", "1", AT, [0, 1, 2], paths).quantiles])
    assert (np.diff(fan, axis=0) >= 0).all()


def test_a_path_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="finite"):
        course("glucose", "mg/dL", AT, [0.0], [[1.0], [math.nan]])


def counted(paths, times, limit, window, samples):
    """Plain: walk along each path."""
    hits = 0
    for path in paths:
        run, found = 0, False
        for time, value in zip(times, path, strict=True):
            if window[0] <= time <= window[1]:
                run = run + 1 if value < limit else 0
                found = found or run >= samples
        hits += found
    return hits


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_a_crossing_is_found_as_by_walking_along_each_path(seed, samples):
    paths = np.random.default_rng(seed).normal(72, 5, (40, TIMES.size)).round()
    window = (600.0, 2400.0)
    found = crossing(TIMES, paths, 70, "below", window, samples)
    assert found.probability == counted(paths, TIMES, 70, window, samples) / 40
    mirrored = crossing(TIMES, -paths, -70, "above", window, samples)
    assert mirrored == found


def test_a_window_without_enough_times_is_refused():
    with pytest.raises(ValueError, match="window"):
        crossing(TIMES, np.zeros((2, TIMES.size)), 70, "below", (0.0, 300.0), 3)


@pytest.mark.parametrize(("hits", "members"), [(0, 10), (2, 10), (10, 10), (37, 500)])
def test_the_interval_of_a_chance_is_wilsons(hits, members):
    event, oracle = share(hits, members), binomtest(hits, members).proportion_ci(0.9, "wilson")
    assert (event.low, event.high) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


@given(st.integers(1, 2000), st.data())
def test_a_chance_lies_within_its_interval(members, data):
    event = share(data.draw(st.integers(0, members)), members)
    assert 0 <= event.low <= event.probability <= event.high <= 1


def plainly(scores, delay, coverage, gamma, window):
    """Adaptive conformal inference as in Gibbs and Candes, every quantile from the whole window."""
    alpha, issued, past = 1 - coverage, [], []
    for t in range(len(scores)):
        if t >= delay and not np.isnan(scores[t - delay]):
            error = 1.0 if scores[t - delay] > issued[t - delay] else 0.0
            alpha = alpha + gamma * ((1 - coverage) - error)
            past = [*past, scores[t - delay]][-window:]
        level = (1 - alpha) * (len(past) + 1) / max(len(past), 1)
        if level > 1 or not past:
            issued.append(np.inf)
        elif level <= 0:
            issued.append(-np.inf)
        else:
            issued.append(np.quantile(past, level, method="inverted_cdf"))
    return np.array(issued)


@pytest.mark.parametrize("delay", [1, 6])
def test_replay_equals_a_plain_implementation(delay):
    rng = np.random.default_rng(3)
    scores = rng.gamma(2, 10, 700) * (1 + np.arange(700) / 300)
    scores[rng.random(700) < 0.1] = np.nan
    made = replayed(scores, delay, (0.9,), 0.013, 97)[:, 0]
    np.testing.assert_array_equal(made, plainly(scores, delay, 0.9, 0.013, 97))


def test_replay_equals_one_step_after_the_other_through_storage():
    scores = np.random.default_rng(4).normal(0, 10, (2, 120))
    made = replayed(scores, 3, (0.5, 0.9), 0.02, 50)
    for row, expected in zip(scores, made, strict=True):
        known = conformal((0.5, 0.9), 0.02, 50)
        issued = []
        for step in range(row.size):
            if step >= 3:
                known = learned(known, row[step - 3], issued[step - 3])
            known = decode(Conformal, encode(known))
            issued.append(radii(known))
        np.testing.assert_array_equal(np.array(issued), expected)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([0.01, 0.05]), st.floats(-6, 6))
@settings(max_examples=30, deadline=None)
def test_coverage_tends_to_the_nominal_however_the_scores_drift(seed, delay, gamma, drift):
    n, coverage = 2000, 0.9
    rng = np.random.default_rng(seed)
    scale = np.exp(drift * np.arange(n) / n) * rng.choice([1, 10], n, p=[0.9, 0.1])
    scores = rng.normal(0, 1, n) * scale
    issued = replayed(scores, delay, (coverage,), gamma, 200)[:, 0]
    scored = n - delay
    missed = (scores > issued)[:scored].mean()
    # The level moves by gamma times the excess of misses, and never leaves [-c, 1 + c], c = gamma(1 + delay).
    assert abs(missed - (1 - coverage)) <= (1 + 2 * gamma * (1 + delay)) / (gamma * scored)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_a_wider_interval_never_has_a_smaller_radius(seed):
    scores = np.random.default_rng(seed).standard_cauchy(400)
    made = replayed(scores, 2, (0.5, 0.8, 0.9, 0.95), 0.05, 60)
    assert (made[:, 1:] >= made[:, :-1]).all()


def test_widening_gives_scores_their_coverage_back():
    rng = np.random.default_rng(5)
    truth = rng.normal(100, 30, 4000)
    narrow = course("glucose", "mg/dL", AT, [0.0], rng.normal(100, 10, (2000, 1)))
    fan = dict(narrow.quantiles)
    score = np.maximum(fan[0.05][0] - truth, truth - fan[0.95][0])
    issued = replayed(score, 6, (0.9,))[:, 0]
    hits = []
    for value, radius in list(zip(truth, issued, strict=True))[500:]:
        held = dict(widened(narrow, [0.0, radius], -500, 700).quantiles)
        hits.append(held[0.05][0] <= value <= held[0.95][0])
    assert np.mean(hits) == pytest.approx(0.9, abs=0.01)


@given(st.floats(-50, 50), st.floats(-50, 50) | st.just(math.inf))
def test_a_widened_course_keeps_its_order_and_its_bounds(inner, outer):
    paths = np.random.default_rng(6).normal(100, 15, (100, TIMES.size))
    made = course("glucose", "mg/dL", AT, TIMES, paths)
    wide = widened(made, [inner, outer], 40, 400)
    fan = np.array([values for _, values in wide.quantiles])
    assert (np.diff(fan, axis=0) >= 0).all()
    assert fan.min() >= 40
    assert fan.max() <= 400
    assert wide.median() == made.median()
