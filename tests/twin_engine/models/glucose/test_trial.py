"""The controller on six virtual adults over twelve hours, against basal-bolus therapy."""

import numpy as np
import pytest

from twin_engine.models.glucose.trial import Setting, compared, difference


@pytest.fixture(scope="module")
def found():
    return compared(Setting(people=6, hours=12, before=12, seed=5))


def test_no_order_breaks_a_limit(found):
    assert found.broken == ()
    assert found.refused < 0.05


def test_low_glucose_is_no_more_frequent_than_under_basal_bolus_therapy(found):
    assert found.controlled.below_70.mean() <= found.basal_bolus.below_70.mean() + 0.5
    assert found.controlled.below_54.mean() <= found.basal_bolus.below_54.mean()


def test_unannounced_meals_are_met_better_than_by_basal_insulin_alone():
    found = compared(Setting(people=3, hours=8, before=5, announced=False, seed=6))
    assert found.controlled.in_range.mean() > found.basal_bolus.in_range.mean() + 5
    assert found.controlled.below_70.mean() <= found.basal_bolus.below_70.mean()
    assert found.broken == ()


def test_a_paired_difference_is_told_with_its_interval():
    rng = np.random.default_rng(1)
    other = rng.normal(0, 10, 40)
    mean, low, high = difference(other + 1.0, other, rng)
    assert (mean, low, high) == pytest.approx((1.0, 1.0, 1.0))
    mean, low, high = difference(rng.normal(1, 1, 40), np.zeros(40), rng)
    assert low < mean < high
    assert high - low == pytest.approx(2 * 1.96 / 40**0.5, rel=0.3)
