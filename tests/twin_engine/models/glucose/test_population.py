"""The virtual population: where its numbers are from, and what its people have in common with people."""

from __future__ import annotations

import numpy as np
import pytest

from tests.peers import virtual_people
from twin_engine.models.glucose import population, therapy
from twin_engine.models.glucose.population import GROUPS, ORDINARY, SHARES, Limits
from twin_engine.models.glucose.uva_padova import FAST, PHYSIOLOGY, basal_rate, basal_state, simulate

NAMES, THIRTY, _ = virtual_people.people()
GROUP_OF = np.array([name.split("#")[0] for name in NAMES])
QUANTITIES = [each.name for each in PHYSIOLOGY]


@pytest.fixture(scope="module")
def drawn():
    return population.mixed(90, np.random.default_rng(20080))


def logarithms(people):
    values = np.array([people[name] for name in QUANTITIES])
    share = np.isin(QUANTITIES, SHARES)[:, None]
    return np.log(np.where(share, values / np.where(share, 1 - values, 1), values))


def test_its_medians_and_spreads_are_those_of_the_thirty():
    for group in GROUPS:
        mean, spread, _ = population.distribution(group)
        of_ten = logarithms(THIRTY)[:, group == GROUP_OF]
        assert mean == pytest.approx(of_ten.mean(axis=1), abs=2e-3)
        assert spread == pytest.approx(of_ten.std(axis=1, ddof=1), abs=6e-4)


def test_its_correlations_are_the_strong_ones_of_the_thirty():
    residual = np.empty((len(QUANTITIES), len(NAMES)))
    for group in GROUPS:
        of_ten = logarithms(THIRTY)[:, group == GROUP_OF]
        residual[:, group == GROUP_OF] = (of_ten - of_ten.mean(axis=1, keepdims=True)) / of_ten.std(
            axis=1, ddof=1, keepdims=True
        )
    pooled = residual @ residual.T / (len(NAMES) - len(GROUPS))
    kept = np.where(np.abs(pooled) > 0.55, pooled, 0.0)
    for group in GROUPS:
        assert population.distribution(group)[2] == pytest.approx(kept, abs=0.006)


def test_nobody_of_the_thirty_is_in_it(drawn):
    assert not np.isin(drawn.people["BW"], THIRTY["BW"]).any()


def test_the_same_seed_draws_the_same_people():
    one, other = (population.draw(5, "child", np.random.default_rng(7)) for _ in range(2))
    assert all(np.array_equal(one.people[name], other.people[name]) for name in QUANTITIES)


def test_groups_are_equally_many_and_children_are_lighter_and_need_less(drawn):
    assert [int((drawn.group == group).sum()) for group in GROUPS] == [30, 30, 30]
    for value in (drawn.people["BW"], drawn.therapy.basal, 1 / drawn.therapy.carbohydrate_ratio):
        child, _, adult = (np.median(value[drawn.group == group]) for group in GROUPS)
        assert child < adult


def test_everybody_stays_where_basal_insulin_keeps_them(drawn):
    insulin = np.repeat(basal_rate(drawn.people)[:, None], 600, axis=1)
    start = basal_state(drawn.people)
    start.body[3] *= 1.05  # and comes back there
    glucose, _ = simulate(drawn.people, start, np.zeros_like(insulin), insulin, FAST)
    away = np.abs(glucose - drawn.people["Gb"][:, None])
    assert (away[:, -1] < 0.02 * drawn.people["Gb"]).all()


def test_everybody_is_within_the_limits_of_what_people_need(drawn):
    need = drawn.people["u2ss"] * 1440 / 6000
    for value, (low, high) in (
        (need, ORDINARY.basal_need),
        (drawn.therapy.carbohydrate_ratio, ORDINARY.carbohydrate_ratio),
        (drawn.therapy.correction_factor, ORDINARY.correction_factor),
    ):
        assert low <= value.min()
        assert value.max() <= high


def test_a_meal_with_its_bolus_ends_where_it_began(drawn):
    people = drawn.people
    grams = therapy.MEAL_A_KG * people["BW"]
    insulin = np.repeat(basal_rate(people)[:, None], therapy.MEAL_ENDS, axis=1)
    carbohydrate = np.zeros_like(insulin)
    carbohydrate[:, 0] = grams
    insulin[:, 0] += grams / drawn.therapy.carbohydrate_ratio
    glucose, _ = simulate(people, basal_state(people), carbohydrate, insulin, FAST)
    assert glucose[:, -1] == pytest.approx(people["Gb"], abs=0.5)


def test_the_correction_factors_of_the_adults_are_those_that_simglucose_tabulates():
    adults = THIRTY.chosen(GROUP_OF == "adult")
    table = virtual_people.table("Quest.csv")
    known = dict(zip(table["Name"], table["CF"], strict=True))
    expected = [float(known[name]) for name in NAMES if name.startswith("adult")]
    ratio = therapy.correction_factor(adults) / expected
    assert np.median(ratio) == pytest.approx(1, abs=0.05)
    assert np.abs(ratio - 1).max() < 0.25


def test_no_plausible_people_are_not_made_up():
    nobody = Limits(basal_need=(90.0, 91.0))
    with pytest.raises(ArithmeticError, match="too few"):
        population.draw(3, "adult", np.random.default_rng(1), nobody)
