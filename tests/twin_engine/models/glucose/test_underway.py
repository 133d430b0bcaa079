"""Insulin on board is what the published curve leaves of the doses on record."""

from datetime import timedelta

import numpy as np
import pytest

from tests.twin_engine.models.glucose.test_following import AT, DIAGNOSED, ITEMS, state
from twin_engine.models.glucose.record import FAST, FOOD, LONG
from twin_engine.models.glucose.underway import LASTS, PEAK, on_board, share
from twin_engine.twin import Dose, Measurement


def activity(minutes):
    """Return the published activity of one unit, 1/min, from which the curve is integrated."""
    tau = PEAK * (1 - PEAK / LASTS) / (1 - 2 * PEAK / LASTS)
    a = 2 * tau / LASTS
    s = 1 / (1 - a + (1 + a) * np.exp(-LASTS / tau))
    return s / tau**2 * minutes * (1 - minutes / LASTS) * np.exp(-minutes / tau)


def test_the_share_left_is_one_less_the_integral_of_the_published_activity():
    t = np.linspace(0, LASTS, 36001)
    rate = activity(t)
    integral = np.concatenate(([0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(t))))
    assert share(t) == pytest.approx(1 - integral, abs=1e-8)
    assert integral[-1] == pytest.approx(1.0, abs=1e-8)
    assert t[np.argmax(rate)] == pytest.approx(PEAK, abs=0.01)


def test_nothing_is_gone_before_a_dose_nor_left_after_six_hours():
    assert share(np.array([-10.0, 0.0, 360.0, 1e6])) == pytest.approx([1, 1, 0, 0], abs=1e-12)
    assert np.all(np.diff(share(np.arange(361.0))) < 0)


def test_only_what_a_pump_gives_beyond_the_usual_is_on_board():
    nothing, usual = np.zeros(1440), np.full(1440, 0.02)
    assert on_board(nothing, usual, 0.02) == pytest.approx(0.0)
    assert on_board(nothing, usual / 2, 0.02) == 0.0
    assert on_board(nothing, usual * 2, 0.02) == pytest.approx(0.02 * share(np.arange(1, 1441)).sum())


def test_what_was_withheld_earns_no_bolus():
    bolus = np.zeros(1440)
    bolus[-1] = 2.0
    assert on_board(bolus, np.zeros(1440), 0.02) == on_board(bolus, np.full(1440, 0.02), 0.02)


def fast(amount, minutes, until=None, name="extra"):
    ends = None if until is None else AT + timedelta(minutes=until)
    return Dose(
        FAST, AT + timedelta(minutes=minutes), f"MedicationAdministration/{name}/_history/1", amount, ends
    )


@pytest.mark.parametrize("minutes", [0.0, 0.4, -0.5, 3.0])
def test_a_bolus_of_this_very_minute_is_on_board(minutes):
    before, after = state(ITEMS).underway, state([*ITEMS, fast(4.0, minutes)]).underway
    assert after.on_board - before.on_board == pytest.approx(4.0, abs=0.01)
    assert after.day - before.day == pytest.approx(4.0)


def test_a_bolus_told_twice_is_on_board_once():
    once, twice = ([*ITEMS, fast(4.0, -30), *more] for more in ([], [fast(4.0, -29, name="again")]))
    assert state(once).underway.on_board == state(twice).underway.on_board


def test_the_insulin_of_a_day_holds_every_kind():
    known = state([*ITEMS, Dose(LONG, AT - timedelta(hours=2), "MedicationAdministration/l/_history/1", 10)])
    assert known.underway.day == pytest.approx(10 + 5 * 2)


def test_without_insulin_on_record_nothing_is_known_of_it():
    assert state([item for item in ITEMS if not isinstance(item, Dose)]).underway is None


def test_a_pump_is_known_by_its_rates_and_by_its_silence():
    pens = state(ITEMS).underway
    assert (pens.pumped, pens.rate) == (False, None)
    running = state([DIAGNOSED, *ITEMS[2:], fast(12.0, -600, 30, name="basal")]).underway
    assert running.pumped
    assert running.rate == pytest.approx(12.0 / 10.5)
    silent = state([DIAGNOSED, *ITEMS[2:], fast(12.0, -900, -180, name="basal")]).underway
    assert (silent.pumped, silent.rate) == (True, None)


@pytest.mark.parametrize(("minutes", "left"), [(-2, 40.0), (-12, 0.0), (4, 50.0)])
def test_food_that_is_being_eaten_is_still_to_come(minutes, left):
    meal = Measurement(FOOD, AT + timedelta(minutes=minutes), "Observation/meal/_history/1", 50.0)
    assert state([*ITEMS, meal]).underway.eating.sum() == pytest.approx(left)
