import math
from statistics import NormalDist

import numpy as np
import pytest

from twin_engine.equations.effects import marker_effect
from twin_engine.linear import Noise, Trend, foretold
from twin_engine.models.progression.course import QUANTILES, Change, change_until, changes, level_at

NOISE = Noise(0.0004, 0.000025)
TREND = Trend(np.array([math.log(45.0), -0.06]), np.array([[0.0016, 0.0004], [0.0004, 0.0006]]))
SLOWED = Change(8 / 52, (-0.062, 0.003), (0.5, 0.041))


def simulated(trend: Trend, years: float, plan: tuple[Change, ...], people: int = 200_000):
    """Level now and after ``years``, person by person."""
    rng = np.random.default_rng(2)
    now, slope = rng.multivariate_normal(trend.mean, trend.covariance, people).T
    wandered = foretold(Trend(np.zeros(2), np.zeros((2, 2))), years, NOISE).covariance[0, 0]
    left, shift = np.ones(people), np.zeros(people)
    for change in plan:
        left = left * (1 - rng.normal(*change.slowing, people))
        reached = min(years / change.years, 1.0) if change.years else 1.0
        shift = shift + reached * rng.normal(*change.shift, people)
    return now, now + left * slope * years + shift + rng.normal(0, math.sqrt(wandered), people)


@pytest.mark.parametrize("plan", [(), (SLOWED,), (SLOWED, Change(0.0, (0.0, 0.0), (0.345, 0.046)))])
@pytest.mark.parametrize("years", [0.05, 2.0, 5.0])
def test_the_level_is_distributed_as_simulated_people(years, plan):
    _, later = simulated(TREND, years, plan)
    told = level_at(TREND, years, NOISE, plan)
    assert told.mean == pytest.approx(later.mean(), abs=0.001)
    assert told.spread == pytest.approx(later.std(), rel=0.01)
    assert told.below(math.log(35.0)) == pytest.approx((later < math.log(35.0)).mean(), abs=0.006)


@pytest.mark.parametrize("plan", [(), (SLOWED,)])
def test_the_change_is_distributed_as_simulated_people_change(plan):
    sure = Trend(TREND.mean, np.diag([TREND.covariance[0, 0], TREND.covariance[1, 1]]))
    now, later = simulated(sure, 5.0, plan)
    told = change_until(TREND, 5.0, NOISE, plan)
    assert told.mean == pytest.approx((later - now).mean(), abs=0.001)
    assert told.spread == pytest.approx((later - now).std(), rel=0.01)


def test_without_a_plan_the_level_is_what_the_filter_foretells():
    plain, told = foretold(TREND, 3.0, NOISE), level_at(TREND, 3.0, NOISE)
    assert (told.mean, told.spread) == pytest.approx((plain.level, plain.spread))


def test_a_marker_that_does_not_decline_is_not_slowed():
    rising = Trend(np.array([math.log(45.0), 0.02]), TREND.covariance)
    only_slowed = Change(0.0, (0.0, 0.0), (0.5, 0.04))
    assert level_at(rising, 5.0, NOISE, (only_slowed,)) == level_at(rising, 5.0, NOISE)


def test_the_dip_comes_first_and_the_benefit_later():
    early = [level_at(TREND, 8 / 52, NOISE, plan).mean for plan in ((), (SLOWED,))]
    late = [level_at(TREND, 5.0, NOISE, plan).mean for plan in ((), (SLOWED,))]
    assert early[1] < early[0]
    assert late[1] > late[0]


def test_a_share_of_the_level_becomes_its_logarithm():
    (change,) = changes([marker_effect("sglt2-inhibitor", "egfr")], logarithmic=True)
    assert change.shift[0] == pytest.approx(math.log(0.94))
    with pytest.raises(ValueError, match="scale"):
        changes([marker_effect("sglt2-inhibitor", "egfr")], logarithmic=False)


def test_the_corners_hold_the_whole_interval():
    shifts = {round(change.shift[0], 6) for change in SLOWED.ends()}
    slowings = {round(change.slowing[0], 6) for change in SLOWED.ends()}
    assert (min(shifts), max(shifts)) == pytest.approx(
        (-0.062 - 1.96 * 0.003, -0.062 + 1.96 * 0.003), abs=1e-4
    )
    assert (min(slowings), max(slowings)) == pytest.approx((0.42, 0.58), abs=0.001)
    assert all(change.shift[1] == change.slowing[1] == 0 for change in SLOWED.ends())


def test_quantiles_are_those_of_the_normal_distribution():
    for share, standard in QUANTILES:
        assert standard == pytest.approx(NormalDist().inv_cdf(share))
