"""The patient filter: the way to a state leaves no trace in it, and what it learns is true."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn_by
from hypothesis import settings
from hypothesis import strategies as st

from tests.twin_engine.models.glucose.synthetic import PERSON, drawn, given, record
from twin_engine.models.glucose import priors
from twin_engine.models.glucose.filtering import Ensemble, Habits, Readings, begun, filtered, predicted
from twin_engine.models.glucose.fitting import Discrepancy
from twin_engine.models.glucose.minimal import Inputs, Person

START = 20_000 * 1440 + 3
MEALS = tuple((minute + 1440 * n, grams, units) for n in range(2) for minute, grams, units in (
    (470, 0.0, 5.0), (480, 50.0, 0.0), (780, 70.0, 7.0), (1140, 60.0, 6.0)
))  # fmt: skip
INPUTS, BEFORE = given(2880, MEALS)
HABITS = Habits(PERSON)


def readings(z, seed=1, noise=4.0):
    of = record(z, INPUTS, BEFORE, np.random.default_rng(seed), Discrepancy(noise, 0.0))
    return Readings(START + of.at + 1, of.glucose, np.full(len(of.at), noise**2))


TRUTH = drawn(np.random.default_rng(3))[0]
READINGS = readings(TRUTH)


def cut(inputs, begin, end):
    parts = (inputs.insulin, inputs.carbohydrates, inputs.slow, inputs.parts)
    return Inputs(*(part[begin:end] for part in parts))


def between(readings, after, until):
    kept = (readings.minutes > after) & (readings.minutes <= until)
    return Readings(readings.minutes[kept], readings.glucose[kept], readings.variance[kept])


def follow(ensemble, until, readings=READINGS, habits=HABITS):
    inputs = cut(INPUTS, ensemble.at - START, until - START)
    return filtered(ensemble, habits, between(readings, ensemble.at, until), inputs)


FIRST = begun(HABITS, START, 130.0)
WHOLE = follow(FIRST, START + 1000)


@settings(deadline=None, max_examples=30)
@drawn_by(st.lists(st.integers(1, 999), max_size=5))
def test_a_way_in_several_pieces_ends_at_the_same_bits(stops):
    ensemble = FIRST
    for stop in sorted(stops):
        ensemble = follow(ensemble, START + stop)
    ensemble = follow(ensemble, START + 1000)
    assert ensemble.at == WHOLE.at
    assert (ensemble.members == WHOLE.members).all()
    assert (ensemble.recent == WHOLE.recent).all()


def test_the_ensemble_that_is_given_stays_as_it_was():
    kept = FIRST.members.copy()
    follow(FIRST, START + 300)
    predicted(FIRST, HABITS, cut(INPUTS, 0, 60), np.random.default_rng(1))
    assert (FIRST.members == kept).all()


def test_another_seed_is_another_ensemble():
    assert (begun(replace(HABITS, seed=2), START, 130.0).members != FIRST.members).any()


def test_a_new_ensemble_has_the_moments_of_its_habits():
    z = begun(HABITS, START, 130.0, members=16).members[:, 10:]
    assert z.mean(axis=0) == pytest.approx(HABITS.mean, abs=1e-9)
    assert z.std(axis=0, ddof=1) == pytest.approx(HABITS.sd)


def test_a_forecast_repeats_with_the_same_random_numbers_and_no_other():
    ahead = cut(INPUTS, 1000, 1060)
    one, same, other = (predicted(WHOLE, HABITS, ahead, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (32, 60)
    assert (one == same).all()
    assert (one != other).any()


def test_readings_out_of_order_or_place_are_refused():
    inputs = cut(INPUTS, 0, 60)
    for minutes in ([START + 20, START + 10], [START - 1], [START + 61]):
        wrong = Readings(np.array(minutes), np.full(len(minutes), 120.0), np.ones(len(minutes)))
        with pytest.raises(ValueError, match="in order"):
            filtered(FIRST, HABITS, wrong, inputs)


def test_glucose_is_followed_closer_than_the_sensor_errs():
    far = []
    for seed in range(6):
        z = drawn(np.random.default_rng(seed))[0]
        noisy, clean = readings(z, seed), readings(z, noise=1e-6)
        ensemble = begun(HABITS, START, float(noisy.glucose[0]), members=64)
        for until in range(START + 600, START + 2880, 60):
            ensemble = follow(ensemble, until, noisy)
            far.append(
                ensemble.glucose.mean()
                - clean.glucose[np.searchsorted(clean.minutes, ensemble.at, "right") - 1]
            )
    assert np.sqrt(np.mean(np.square(far))) < 4.0


def errors(person, seed, horizon=60):
    """Return forecast minus truth, and persistence minus truth, over the second day."""
    clean = readings(person, noise=1e-6)
    noisy = readings(person, seed)
    ensemble, ours, persistence = begun(HABITS, START, float(noisy.glucose[0]), members=64), [], []
    for until in range(START + 1440, START + 2880 - horizon, 90):
        ensemble = follow(ensemble, until, noisy)
        ahead = cut(INPUTS, until - START, until - START + horizon)
        path = predicted(ensemble, HABITS, ahead, np.random.default_rng(until))
        later = clean.glucose[np.searchsorted(clean.minutes, until + horizon, "right") - 1]
        known = noisy.glucose[np.searchsorted(noisy.minutes, until, "right") - 1]
        ours.append(path[:, -1].mean() - later)
        persistence.append(known - later)
    return ours, persistence


def test_forecasts_of_people_of_the_models_own_kind_beat_persistence_by_half():
    pairs = [errors(drawn(np.random.default_rng(seed))[0], seed) for seed in range(6)]
    ours, persistence = (
        np.sqrt(np.mean(np.square(np.concatenate(part)))) for part in zip(*pairs, strict=True)
    )
    assert ours < 0.5 * persistence


def test_in_a_gap_an_ensemble_forgets_where_glucose_was_but_not_who_the_person_is():
    gap = filtered(WHOLE, HABITS, between(READINGS, 0, 0), cut(INPUTS, 1000, 1480))
    assert gap.glucose.std() > 3 * WHOLE.glucose.std()
    spread = gap.members[:, 10:].std(axis=0) / WHOLE.members[:, 10:].std(axis=0)
    assert (spread < 1.6).all()
    assert np.isfinite(gap.members).all()


def test_a_reading_that_contradicts_everything_moves_less_than_one_that_is_believed():
    nearby = WHOLE.glucose.mean() - 10
    moved = []
    for limit, value in ((3.0, nearby), (3.0, 40.0), (1e9, 40.0)):
        alone = Readings(np.array([WHOLE.at + 1]), np.array([value]), np.array([9.0]))
        after = filtered(WHOLE, replace(HABITS, limit=limit), alone, cut(INPUTS, 1000, 1001))
        moved.append(abs(after.glucose.mean() - WHOLE.glucose.mean()))
    assert moved[1] < 0.5 * moved[2]


def test_a_reading_told_twice_as_one_of_half_the_variance_is_the_same():
    minutes, value = WHOLE.at + 2, WHOLE.glucose.mean() + 3
    inputs = cut(INPUTS, 1000, 1002)
    twice = Readings(np.array([minutes, minutes]), np.full(2, value), np.full(2, 8.0))
    once = Readings(np.array([minutes]), np.array([value]), np.array([4.0]))
    a, b = (filtered(WHOLE, HABITS, one, inputs).members for one in (twice, once))
    assert a.mean(axis=0) == pytest.approx(b.mean(axis=0), rel=1e-6, abs=1e-6)


def test_amounts_stay_positive_whatever_is_read():
    rng = np.random.default_rng(1)
    wild = replace(READINGS, glucose=rng.uniform(40, 400, len(READINGS.glucose)))
    ensemble = follow(begun(HABITS, START, 120.0), START + 2880, wild)
    assert np.isfinite(ensemble.members).all()
    assert (np.delete(ensemble.members[:, :9], 1, axis=1) >= 0).all()


def test_insulin_to_come_lowers_the_forecast_and_food_raises_it():
    ahead = Inputs.of(np.full(120, PERSON.basal), np.zeros(120))
    more, meal = replace(ahead, insulin=ahead.insulin.copy()), replace(ahead, carbohydrates=np.zeros(120))
    more.insulin[0] += 5.0
    meal.carbohydrates[:10] += 5.0
    paths = [
        predicted(WHOLE, HABITS, one, np.random.default_rng(1)).mean(axis=0)[-1]
        for one in (more, ahead, meal)
    ]
    assert paths[0] < paths[1] - 5 < paths[2] - 10


def test_the_hour_before_is_part_of_the_state():
    inputs = Inputs.of(np.zeros(5), np.zeros(5))
    inputs.insulin[4] = 6.0
    empty = Readings(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    given_now = filtered(Ensemble(START, FIRST.members, FIRST.recent * 0), HABITS, empty, inputs)
    assert given_now.recent[0, -1] == 6.0
    later = filtered(given_now, HABITS, empty, Inputs.of(np.zeros(60), np.zeros(60)))
    without = filtered(
        replace(given_now, recent=given_now.recent * 0), HABITS, empty, Inputs.of(np.zeros(60), np.zeros(60))
    )
    assert (later.members[:, 5] > without.members[:, 5] + 1).all()


def test_a_person_of_double_weight_needs_double_the_input():
    heavy = replace(HABITS, person=Person(140.0, PERSON.basal * 2))
    doubled = Inputs.of(2 * INPUTS.insulin[:600], 2 * INPUTS.carbohydrates[:600])
    light = filtered(FIRST, HABITS, between(READINGS, START, START + 600), cut(INPUTS, 0, 600))
    other = begun(heavy, START, 130.0)
    found = filtered(other, heavy, between(READINGS, START, START + 600), doubled)
    assert found.members == pytest.approx(light.members, rel=1e-9, abs=1e-12)


def test_deviates_of_members_are_those_of_the_priors():
    theta = priors.parameters(WHOLE.members[:, 10:])
    assert (theta > 0).all()
    assert ((theta[:, 8] > 0) & (theta[:, 8] < 60)).all()
