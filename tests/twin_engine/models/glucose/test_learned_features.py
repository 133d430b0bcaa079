"""Features know nothing that came later, and mean what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin_engine.models.glucose.traces import trace
from twin_engine.models.glucose.learned_features import (
    HORIZONS,
    NAMES,
    Events,
    Trace,
    features,
    in_gut,
    on_board,
    single,
    targets,
    usable,
)

FOUR_DAYS = trace()
ALL = features(FOUR_DAYS)


@settings(deadline=None, max_examples=25)
@given(row=st.integers(1, len(FOUR_DAYS.minutes) - 1))
def test_nothing_that_came_later_changes_a_feature(row):
    known = features(FOUR_DAYS.until(FOUR_DAYS.minutes[row]))
    np.testing.assert_allclose(known, ALL[: row + 1], rtol=0, atol=1e-8)


def test_features_are_finite_and_named():
    assert ALL.shape == (len(FOUR_DAYS.minutes), len(NAMES))
    assert len(set(NAMES)) == len(NAMES)
    assert np.isfinite(ALL).all()


def test_a_record_of_readings_alone_has_features_too():
    bare = Trace(FOUR_DAYS.minutes, FOUR_DAYS.glucose)
    found = dict(zip(NAMES, features(bare)[-1], strict=True))
    assert found["insulin-on-board"] == found["food-45"] == found["basal-rate"] == 0
    assert found["since-bolus"] == 600


def test_change_is_measured_back_from_now():
    at = np.arange(0, 600, 5.0)
    found = dict(zip(NAMES, features(Trace(at, 100 + at / 10))[-1], strict=True))
    assert found["change-30"] == pytest.approx(3)
    assert found["change-120"] == pytest.approx(12)


def test_a_bolus_counts_from_its_own_minute_on():
    at = np.arange(0, 600, 5.0)
    one = Trace(at, np.full(len(at), 120.0), boluses=Events(np.array([300.0]), np.array([4.0])))
    board = features(one)[:, NAMES.index("insulin-on-board")]
    assert board[at < 300].max() == 0
    assert board[at == 300] == pytest.approx(4)
    assert np.all(np.diff(board[at >= 300]) <= 0)


def test_all_of_a_dose_is_on_board_at_first_and_none_at_last():
    assert on_board(np.array([0.0, 360.0, 500.0])) == pytest.approx([1, 0, 0], abs=1e-9)
    assert in_gut(np.array([0.0, 1000.0])) == pytest.approx([1, 0], abs=1e-6)


def test_insulin_is_most_active_at_its_peak():
    age = np.arange(0, 360.0)
    assert np.argmax(-np.diff(on_board(age))) == pytest.approx(75, abs=1)


def test_a_habit_is_what_glucose_did_at_the_same_time_of_other_days():
    at = np.arange(0, 20 * 1440, 5.0)
    ramp = np.where((at % 1440 >= 480) & (at % 1440 < 600), (at % 1440 - 480) / 2, 60)
    glucose = 100 + np.where(at % 1440 < 480, 0, ramp)
    habit = features(Trace(at, glucose))[:, NAMES.index("usual-change-30")]
    last = at >= 19 * 1440
    rising, flat = last & (at % 1440 == 525), last & (at % 1440 == 900)
    assert habit[rising] > 8
    assert abs(habit[flat]) < 1
    assert habit[0] == 0


def test_readings_told_twice_count_once():
    at, g = single(np.array([0, 2, 5, 5, 9, 12.0]), np.array([100, 101, 102, 103, 104, 105.0]))
    assert at.tolist() == [0, 5, 9]
    assert g.tolist() == [100, 102, 104]


def test_an_hour_without_gap_is_needed():
    whole = np.arange(0, 300, 5.0)
    gappy = whole[(whole < 100) | (whole > 130)]
    told = usable(Trace(gappy, np.full(len(gappy), 100.0)))
    assert not told[gappy < 60].any()
    assert told[(gappy >= 60) & (gappy < 100)].all()
    assert not told[(gappy > 130) & (gappy < 190)].any()
    assert told[gappy >= 195].all()


def test_a_target_lies_between_readings_and_is_known_with_the_later_one():
    at = np.arange(0, 300, 15.0)
    y, known = targets(Trace(at, at.copy()))
    assert y[0].tolist() == list(HORIZONS)
    assert known[0].tolist() == [15, 30, 45, 60, 90, 120]
    shifted, known = targets(Trace(at + np.where(at > 0, 4, 0), at.copy()))
    assert known[0, 1] == 34
    assert shifted[0, 1] == pytest.approx(26)
    assert np.isnan(y[-1]).all()


def test_a_gap_has_no_target():
    at = np.array([0, 5, 10, 60, 65, 70.0])
    y, _ = targets(Trace(at, at.copy()))
    assert np.isnan(y[0, HORIZONS.index(30)])
    assert y[1, HORIZONS.index(60)] == 65


def test_later_events_are_not_in_what_was_known():
    known = FOUR_DAYS.until(600)
    assert known.minutes[-1] == 600
    for events in (known.boluses, known.food, known.basal, known.slow):
        assert not np.any(events.minutes > 600)
    assert FOUR_DAYS.food.minutes[-1] > 600
