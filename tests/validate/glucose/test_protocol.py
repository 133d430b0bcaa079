"""The rules under which forecasts of glucose are compared."""

import numpy as np
import pytest

from tests.twin_engine.models.glucose.traces import trace
from tests.validate.glucose import baselines, uom
from tests.validate.glucose.protocol import enrolled, macro
from tests.validate.glucose.scores import alarms, better, covered
from twin_engine.models.glucose.learned_features import Trace


@pytest.fixture(scope="module")
def people():
    return enrolled({name: trace(days=10, seed=n) for n, name in enumerate("abcde")}, folds=2)


def test_nobody_is_learned_from_for_the_own_test(people):
    for person in people:
        assert all(other is not person.trace for other in person.others)
    assert [len(person.others) for person in people] == [2, 3, 2, 3, 2]


def test_the_test_is_the_last_fifth_of_the_days(people):
    one = people[0]
    assert one.begin == pytest.approx(0.8 * one.trace.minutes[-1])
    assert one.trace.minutes[one.scored].min() >= one.begin


def test_a_truth_is_a_reading_near_the_due_time_and_never_between_two():
    at = np.array([0, 5, 10, 31, 40, 58, 65.0])
    one = enrolled({"a": Trace(at, 100 + at), "b": Trace(at, at + 1)})[0]
    assert one.truth[0].tolist() == [131, 158]  # of 30 and 60 minutes later
    assert np.isnan(one.truth[1, 0])  # due at 35: 4 minutes from 31, 5 from 40
    assert one.truth[1, 1] == 165
    assert np.isnan(one.truth[-1]).all()


def test_a_baseline_is_taught_nothing_of_the_test(people):
    one = people[0]
    cut = one.trace.until(one.begin)
    given = baselines.lessons(one, 20.0, {})
    short = enrolled({person.name: person.trace for person in people[1:]} | {"a": cut}, folds=2)[0]
    known = baselines.lessons(short, 20.0, {})
    own = given.weight == 20
    assert own.sum() > 0
    assert given.x[own].shape[0] <= np.sum(cut.minutes < one.begin - 60)
    assert known.x[known.weight == 20].shape[0] <= own.sum()


def test_ridge_beats_persistence_on_what_can_be_foretold(people):
    for person in people:
        same, found = (
            macro([person], forecast([person]))[person.name][0]
            for forecast in (baselines.persistence, baselines.ridge)
        )
        assert np.all(found < same)


def test_a_gain_is_that_of_the_means_with_an_interval_around_it():
    theirs = np.array([20.0, 30, 25, 22, 28])
    value, low, high = better(0.9 * theirs, theirs)
    assert (value, low, high) == pytest.approx((10, 10, 10))
    value, low, high = better(theirs + np.array([-3, 1, -2, 0, -1]), theirs)
    assert value == pytest.approx(4)
    assert low < value < high


def test_intervals_hold_as_many_outcomes_as_they_say(people):
    rng = np.random.default_rng(1)
    shares = []
    for person in people:
        foretold = np.where(np.isnan(person.truth), 100.0, person.truth)
        foretold = foretold + rng.normal(0, 10, foretold.shape)
        shares.append(covered(person, foretold, np.full(foretold.shape, 5.0))[0])
    assert np.mean(shares) == pytest.approx(0.9, abs=0.03)


def test_an_alarm_that_knows_the_future_hears_every_low(people):
    lower = [Trace(person.trace.minutes, np.maximum(person.trace.glucose - 60, 40)) for person in people]
    some = enrolled({str(n): one for n, one in enumerate(lower)}, folds=2)
    seer = {one.name: np.nan_to_num(one.truth, nan=200.0).min(axis=1) for one in some}
    knowing, _, _ = alarms(some, seer)
    blind, _, _ = alarms(some, {one.name: np.full(len(one.truth), 200.0) for one in some})
    assert knowing > 80
    assert blind == 0


@pytest.fixture(scope="module")
def records():
    found = uom.people()
    if not found:
        pytest.skip(f"T1D-UOM is absent at {uom.folder()}")
    return found


def test_readings_of_another_person_are_taken_out(records):
    mixed, other = records["2304"], records["2303"]
    assert not set(mixed.minutes.tolist()) & set(other.minutes.tolist())
    assert np.abs(np.diff(mixed.glucose))[np.diff(mixed.minutes) <= 6].max() < 60


def test_every_record_is_in_order_and_in_range(records):
    for one in records.values():
        assert np.all(np.diff(one.minutes) >= 4)
        assert one.glucose.min() >= 30
        assert one.glucose.max() < 520
        for events in (one.boluses, one.food, one.basal, one.slow):
            assert np.all(np.diff(events.minutes) >= 0)


def test_an_absent_data_set_is_said_and_not_passed_over(monkeypatch, tmp_path):
    from tests.validate.glucose.group import validate

    monkeypatch.setenv(uom.VARIABLE, str(tmp_path))
    found, notes = validate(short=True)
    assert found == []
    assert notes[0].startswith("SKIPPED")
