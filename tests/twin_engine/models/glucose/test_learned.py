"""Forecasts that learn: from people, from one person, and never from the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin_engine.models.glucose.traces import trace
from twin_engine.models.glucose import learned
from twin_engine.models.glucose.learned import fitted, followed, foretold, shipped, summed, weights
from twin_engine.models.glucose.learned_features import DAY, HORIZONS, NAMES, targets, usable
from twin_engine.models.glucose.learned_population import opened, sealed

NEW = trace(days=6, seed=9)


@pytest.fixture(scope="module")
def population():
    return fitted([trace(days=8, seed=seed) for seed in (1, 2, 3)])


def error(found, record, rows):
    y = targets(record)[0]
    return np.sqrt(np.nanmean((found.glucose - y)[rows] ** 2, axis=0))


def test_a_forecast_for_a_stranger_beats_persistence(population):
    rows = usable(NEW) & (NEW.minutes > 2 * DAY)
    found = foretold(population, weights(population), NEW)
    same = learned.Foretold(np.repeat(NEW.glucose[:, None], len(HORIZONS), 1), found.spread)
    assert np.all(error(found, NEW, rows) < 0.9 * error(same, NEW, rows))


def test_the_own_past_makes_it_better(population):
    odd = trace(days=25, seed=9, swing=90)
    rows = usable(odd) & (odd.minutes > 20 * DAY)
    stranger = foretold(population, weights(population), odd)
    assert error(followed(population, odd), odd, rows)[3] < error(stranger, odd, rows)[3]


@settings(deadline=None, max_examples=6)
@given(row=st.integers(300, len(NEW.minutes) - 1))
def test_nothing_that_came_later_changes_a_forecast(population, row):
    known, whole = NEW.until(NEW.minutes[row]), followed(population, NEW)
    np.testing.assert_allclose(followed(population, known).glucose, whole.glucose[: row + 1], atol=1e-3)


def test_following_is_learning_anew_from_the_record_at_midnight(population):
    at = 4.0 * DAY
    own = weights(population, summed(population, NEW, at))
    today = (NEW.minutes >= at) & (NEW.minutes < at + DAY)
    once = foretold(population, own, NEW).glucose[today]
    np.testing.assert_allclose(once, followed(population, NEW).glucose[today], atol=0.05)


def test_without_a_past_the_weights_are_those_of_the_population(population):
    none = summed(population, NEW, 30.0)
    np.testing.assert_allclose(weights(population, none), weights(population), rtol=1e-3, atol=1e-3)


def test_learning_twice_gives_the_same(population):
    again = fitted([trace(days=8, seed=seed) for seed in (1, 2, 3)])
    assert sealed(again) == sealed(population)


def test_fewer_features_can_be_learned_from():
    names = NAMES[:14]
    small = fitted([trace(days=3)], names=names)
    assert small.names == names
    assert np.isfinite(foretold(small, weights(small), NEW).glucose).all()


def test_a_population_comes_back_from_its_file(population):
    back = opened(sealed(population))
    found = [foretold(one, weights(one), NEW) for one in (population, back)]
    np.testing.assert_allclose(found[0].glucose, found[1].glucose, atol=0.2)
    assert sealed(back) == sealed(population)


def test_the_shipped_population_is_small_and_knows_its_features():
    known = shipped()
    assert known.names == NAMES
    assert len(sealed(known)) < 200_000


def test_the_shipped_population_foretells_a_made_up_person():
    found = foretold(shipped(), weights(shipped()), NEW)
    assert np.isfinite(found.glucose).all()
    assert np.all(found.spread > 0)
    rows = usable(NEW)
    assert np.all(np.diff(found.spread[rows].mean(axis=0)) > 0)
    assert np.all(np.abs(found.glucose - NEW.glucose[:, None])[rows].mean(axis=0) < 60)
