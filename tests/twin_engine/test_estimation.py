"""Ensembles that meet observations, and where a filter begins again when the past changed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin_engine.estimation import Checkpoint, assimilated, boundaries, carried, digests, noise


def kalman(mean, covariance, h, y, r):
    """Return mean and covariance after observations, by the textbook."""
    gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + np.diag(r))
    return mean + gain @ (y - h @ mean), (np.eye(len(mean)) - gain @ h) @ covariance


@settings(deadline=None)  # the first call compiles
@given(st.integers(2, 40), st.integers(1, 6), st.integers(1, 4), st.integers(0, 10**6))
def test_an_ensemble_comes_to_the_moments_of_the_kalman_filter(members, n, m, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(members, n)) @ rng.normal(size=(n, n))
    h, y, r = rng.normal(size=(m, n)), rng.normal(size=m), rng.uniform(0.1, 4, m)
    found = assimilated(z, z @ h.T, y, r)
    mean, covariance = kalman(z.mean(axis=0), np.cov(z.T).reshape(n, n), h, y, r)
    assert found.mean(axis=0) == pytest.approx(mean, abs=1e-9)
    assert np.cov(found.T).reshape(n, n) == pytest.approx(covariance, abs=1e-9)


def test_inflation_spreads_members_and_keeps_their_mean():
    z = np.random.default_rng(1).normal(size=(10, 2))
    same = assimilated(z, z[:, :1], np.array([0.0]), np.array([1e30]), inflation=1.5)
    assert same.mean(axis=0) == pytest.approx(z.mean(axis=0))
    assert same.std(axis=0) == pytest.approx(1.5 * z.std(axis=0))


def test_members_that_agree_learn_nothing():
    z = np.ones((8, 2))
    assert (assimilated(z, z[:, :1], np.array([5.0]), np.array([1.0])) == z).all()


def test_what_is_given_stays_as_it_was():
    z = np.arange(6.0).reshape(3, 2)
    kept = z.copy()
    assimilated(z, z[:, :1], np.array([1.0]), np.array([1.0]), inflation=2.0)
    assert (z == kept).all()


def test_noise_is_normal_and_a_function_of_seed_and_instant():
    drawn = noise(3, 10**7, 40_000)
    assert (noise(3, 10**7, 40_000) == drawn).all()
    assert abs(drawn.mean()) < 4 / 200
    assert abs(drawn.var() - 1) < 4 * np.sqrt(2) / 200
    assert abs(np.mean(drawn**4) - 3) < 4 * np.sqrt(96) / 200
    for other in (noise(4, 10**7, 40_000), noise(3, 10**7 + 1, 40_000), np.roll(drawn, 1)):
        assert abs(np.corrcoef(drawn, other)[0, 1]) < 4 / 200


def test_boundaries_lie_on_a_grid_that_the_present_does_not_move():
    assert boundaries(13, 59, 10, 3) == (30, 40, 50)
    assert boundaries(13, 60, 10, 3) == (30, 40, 50)
    assert boundaries(13, 61, 10, 3) == (40, 50, 60)
    assert boundaries(13, 19, 10, 3) == ()
    assert boundaries(13, 59, 10, 0) == ()


TIMES = np.array([3, 7, 7, 12])
ROWS = np.arange(8.0).reshape(4, 2)


def test_a_digest_changes_with_what_is_used_up_to_its_instant_and_with_nothing_else():
    before = digests(b"who", TIMES, ROWS, (5, 7, 20))
    changed = ROWS.copy()
    changed[2] += 1
    after = digests(b"who", TIMES, changed, (7, 5, 20))
    assert [before[t] == after[t] for t in (5, 7, 20)] == [True, False, False]
    assert not set(before.values()) & set(digests(b"else", TIMES, ROWS, (5, 7, 20)).values())
    shorter = digests(b"who", TIMES[:1], ROWS[:1], (5, 7))
    assert shorter[5] == before[5]
    assert shorter[7] != before[7]


def followed(values, known=(), log=None):
    """Follow a sum of values, one at each instant, with checkpoints at 10, 20 and 30."""
    times = np.arange(1, len(values) + 1)

    def advance(time, members, until):
        if log is not None:
            log.append((time, until))
        return members + sum(values[time:until])

    rows = np.asarray(values, float)[:, None]
    instants = {10, 20, 30, *(one.time for one in known)}
    return carried(
        known, (10, 20, 30), digests(b"", times, rows, instants), lambda: (0, np.zeros(2)), advance
    )


@given(st.integers(0, 29), st.integers(0, 29), st.lists(st.sampled_from([5, 10, 17, 20, 30]), unique=True))
def test_late_data_is_met_by_going_back_before_it_and_ends_where_it_would_have(late, other, kept):
    old = list(range(30))
    old[late] = -1
    old[other] = -2
    known = [one for one in followed(old) if one.time in kept]
    known += [Checkpoint(5, "of something else", np.full(2, np.nan))] if 5 in kept else []
    found, plain = followed(list(range(30)), known), followed(list(range(30)))
    assert [(one.time, one.digest, one.members.tolist()) for one in found] == [
        (one.time, one.digest, one.members.tolist()) for one in plain
    ]


def test_only_what_lies_after_the_change_is_run_again():
    values = list(range(30))
    known, log = followed(values), []
    values[25] = -1
    followed(values, known, log)
    assert log == [(20, 30)]
