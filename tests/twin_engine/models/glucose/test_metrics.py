"""Consensus metrics against numbers worked out by hand from the published formulas."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin_engine.models.glucose.metrics import (
    Episode,
    episodes,
    gmi,
    grade,
    gri,
    metrics,
    profile,
    risk_indices,
    sufficiency,
)

GLUCOSE = st.lists(st.floats(40, 400), min_size=2, max_size=50)


def test_each_range_ends_where_the_consensus_says():
    found = metrics([53, 54, 69, 70, 180, 181, 250, 251])
    assert (found.very_low, found.low, found.in_range, found.high, found.very_high) == (
        12.5,
        25,
        25,
        25,
        12.5,
    )


def test_mean_deviation_and_variation_are_those_of_a_sample():
    found = metrics([100, 120, 140])
    assert (found.readings, found.mean, found.sd) == (3, 120, 20)
    assert found.cv == pytest.approx(100 * 20 / 120)


@pytest.mark.parametrize(("mean", "percent"), [(100, 5.7), (150, 6.9), (200, 8.1), (250, 9.3), (350, 11.7)])
def test_the_management_indicator_is_that_of_the_published_table(mean, percent):
    assert round(gmi(mean), 1) == percent


def test_the_risk_index_weighs_lows_above_highs_and_ends_at_a_hundred():
    assert gri(1, 2, 3, 4) == pytest.approx(3 * 1 + 2.4 * 2 + 1.6 * 4 + 0.8 * 3)
    assert gri(50, 10, 0, 0) == 100


@pytest.mark.parametrize(("value", "low", "high"), [(20, 100, 0), (112.5, 0, 0), (600, 0, 100)])
def test_risk_is_scaled_as_published(value, low, high):
    """Kovatchev 1997: none at 112.5 mg/dL, and a hundred at either end of 20 to 600 mg/dL."""
    assert risk_indices([value]) == pytest.approx((low, high), abs=0.1)


def test_indices_are_means_over_all_readings():
    assert risk_indices([20, 600, 112.5, 112.5]) == pytest.approx((25, 25), abs=0.05)


@given(values=GLUCOSE)
def test_an_index_is_not_a_mean_over_one_side_only(values):
    g = np.array(values)
    f = 1.509 * (np.log(g) ** 1.084 - 5.381)
    one_sided = 10 * np.mean(f[f < 0] ** 2) if np.any(f < 0) else 0.0
    assert risk_indices(g)[0] == pytest.approx(one_sided * np.mean(f < 0))


@given(values=GLUCOSE)
def test_shares_sum_to_a_hundred(values):
    found = metrics(values)
    total = found.very_low + found.low + found.in_range + found.high + found.very_high
    assert total == pytest.approx(100)


@pytest.mark.parametrize(
    ("index", "risk"), [(1.1, "minimal"), (1.2, "low"), (2.5, "low"), (2.6, "moderate"), (5.1, "high")]
)
def test_the_low_index_grades_the_risk(index, risk):
    assert grade(index) == risk


def test_readings_without_value_or_company_are_refused():
    for values in ([100], [100, 0], []):
        with pytest.raises(ValueError, match="two readings"):
            metrics(values)


def test_a_quarter_hour_counts_once_whatever_the_rhythm():
    slow, fast = np.arange(0, 1440, 15), np.arange(0, 1440, 5)
    assert sufficiency(slow, 0, 1440) == sufficiency(fast, 0, 1440) == 1
    assert sufficiency(fast[:144], 0, 1440) == 0.5
    assert sufficiency(fast + 1440, 0, 1440) == 0


def test_the_profile_is_by_the_clock_of_the_place():
    begin = datetime(2026, 7, 1, 23, 0, tzinfo=UTC)
    times = [begin + timedelta(days=day) for day in range(5)]
    rows = profile(times, [100, 110, 120, 130, 140], ZoneInfo("Europe/London"))
    assert rows.shape == (96, 5)
    assert rows[0].tolist() == [102, 110, 120, 130, 138]  # midnight in London in summer
    assert np.isnan(rows[1:]).all()


def test_three_readings_of_five_minutes_are_an_episode_and_two_are_not():
    at = np.arange(0, 60, 5)
    two, three = np.full(12, 100.0), np.full(12, 100.0)
    two[3:5], three[3:6] = 65, (66, 60, 66)
    assert episodes(at, two, 70) == ()
    assert episodes(at, three, 70) == (Episode(15, 25, 60),)
    assert episodes(at, three, 54) == ()


def test_an_episode_goes_on_through_a_short_recovery():
    at = np.arange(0, 100, 5)
    values = np.full(20, 100.0)
    values[2:5] = values[7:10] = 60
    assert episodes(at, values, 70) == (Episode(10, 45, 60),)
    values[5:9] = 100
    values[9:12] = 60
    assert len(episodes(at, values, 70)) == 2


def test_an_episode_ends_where_nothing_is_seen():
    assert episodes([0, 5, 10, 50, 55, 60], [60] * 6, 70) == (Episode(0, 10, 60), Episode(50, 60, 60))
