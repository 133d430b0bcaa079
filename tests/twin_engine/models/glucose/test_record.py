"""Glucose, insulin and food as a record tells them, once each, on a grid of minutes."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from tests.twin_engine.people import WOMAN
from twin_engine.models.glucose.record import FAST, FOOD, HIGHEST, LONG, LOWEST, SENSOR, Grid, given, readings
from twin_engine.twin import Dose, Evidence, Measurement, Series

START = datetime(2026, 3, 15, tzinfo=UTC)
GRID = Grid(START, START + timedelta(hours=4))
MEMORY = timedelta(hours=36)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def reading(minutes, value, source="Observation/1"):
    return Measurement(SENSOR, after(minutes), source, value)


def bolus(minutes, amount, source="MedicationAdministration/1", substance=FAST):
    return Dose(substance, after(minutes), source, amount)


def rate(first, last, amount, source="MedicationAdministration/2"):
    return Dose(FAST, after(first), source, amount, after(last))


def read(*items):
    return readings(Evidence.of(WOMAN, items), GRID)


def inputs(*items):
    return given(Evidence.of(WOMAN, items), GRID, MEMORY)


def test_readings_come_in_order_and_those_before_and_after_are_left_out():
    found = read(reading(10, 120), reading(5, 110), reading(-1, 90), reading(300, 90))
    assert found.minutes.tolist() == [5, 10]
    assert found.values.tolist() == [110, 120]


def test_two_readings_of_one_minute_are_one():
    found = read(reading(5.1, 110), reading(5.6, 120, "Observation/2"), reading(10, 130))
    assert found.minutes.tolist() == [5, 10]
    assert found.values.tolist() == [115, 130]


def test_a_trace_gives_its_samples_and_a_mark_counts_as_the_limit_of_the_sensor():
    series = Series(SENSOR, after(0), "Observation/3", 300.0, (100.0, None, None, None, 90.0), 1, (1,), (3,))
    found = read(series)
    assert found.minutes.tolist() == [0, 5, 15, 20]
    assert found.values.tolist() == [100, LOWEST, HIGHEST, 90]


def test_a_bolus_told_by_pump_and_diary_counts_once_and_two_boluses_of_one_record_both():
    told_twice = inputs(bolus(60, 4), bolus(62, 4, "MedicationStatement/9"))
    assert told_twice.bolus.sum() == 4
    split = inputs(
        bolus(60, 4), bolus(60, 3, "MedicationAdministration/2"), bolus(70, 4, "MedicationAdministration/3")
    )
    assert split.bolus.sum() == 11


def test_the_basal_rate_that_began_last_holds_and_then_the_earlier_one_is_over():
    found = inputs(rate(0, 120, 2), rate(60, 90, 3, "MedicationAdministration/5"))
    assert found.basal[:60] == pytest.approx(2 / 120)
    assert found.basal[60:90] == pytest.approx(0.1)
    assert found.basal[90:120] == pytest.approx(2 / 120)
    assert not found.basal[120:].any()


def test_a_rate_that_began_before_the_grid_is_cut_and_keeps_its_height():
    assert inputs(rate(-60, 60, 4)).basal.sum() == pytest.approx(2)


def test_a_meal_is_eaten_over_minutes_and_nothing_of_it_is_lost():
    found = inputs(Measurement(FOOD, after(30), "Observation/4", 50))
    assert found.food.sum() == pytest.approx(50)
    assert np.count_nonzero(found.food) > 1


def test_long_acting_insulin_of_the_evening_before_is_remembered():
    found = inputs(bolus(-600, 20, substance=LONG), bolus(-6000, 20, "MedicationAdministration/8", LONG))
    assert found.slow.tolist() == [20]
    assert found.slow_at.tolist() == [-600]


def test_everything_that_goes_in_is_named():
    found = inputs(bolus(60, 4), rate(0, 120, 2), Measurement(FOOD, after(30), "Observation/4", 50))
    assert found.sources == ("MedicationAdministration/1", "MedicationAdministration/2", "Observation/4")


@over(st.lists(st.tuples(st.integers(0, 239), st.floats(20, 600)), max_size=30), st.randoms())
def test_the_order_of_arrival_changes_nothing(points, order):
    items = [reading(minute, value, f"Observation/{n}") for n, (minute, value) in enumerate(points)]
    once = read(*items)
    order.shuffle(items)
    again = read(*items, *items[:3])
    assert again.values.tobytes() == once.values.tobytes()
    assert again.sources == once.sources
