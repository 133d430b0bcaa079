"""The record that forecasts learn from says what the evidence says, by the clock of the place."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from twin_engine.models.glucose.learned_record import DAYS, traced
from twin_engine.twin import Dose, Evidence, Measurement, Subject

AT = datetime(2026, 7, 10, 12, 0, tzinfo=UTC)
SUBJECT = Subject("female", date(1980, 1, 1), False, "Patient/1")


def ago(minutes: float) -> datetime:
    return AT - timedelta(minutes=minutes)


def evidence(*items) -> Evidence:
    readings = [
        Measurement("interstitial-glucose", ago(m), f"Observation/{m}", 100.0 + m) for m in range(0, 60, 5)
    ]
    return Evidence(
        subject=SUBJECT,
        measurements=(*readings, *(one for one in items if isinstance(one, Measurement))),
        doses=tuple(one for one in items if isinstance(one, Dose)),
    )


def test_readings_are_in_order_and_by_the_local_clock():
    known = traced(evidence(), AT, ZoneInfo("Europe/London"))
    assert known.minutes[-1] % 1440 == 13 * 60
    assert known.glucose.tolist() == [100.0 + m for m in range(55, -1, -5)]


def test_a_meal_and_a_bolus_are_each_one_event():
    meal = Measurement("carbohydrate-intake", ago(40), "Observation/meal", 60.0)
    bolus = Dose("fast-acting-insulin", ago(45), "MedicationAdministration/1", 6.0)
    known = traced(evidence(meal, bolus), AT)
    assert known.food.amounts == pytest.approx([60])
    assert known.food.minutes % 1440 == pytest.approx([720 - 40])
    assert known.boluses.amounts.tolist() == [6]
    assert known.boluses.minutes % 1440 == pytest.approx([720 - 45])


def test_a_basal_rate_is_in_units_an_hour_and_ends():
    rate = Dose("fast-acting-insulin", ago(120), "MedicationAdministration/2", 0.9, until=ago(60))
    known = traced(evidence(rate), AT)
    assert known.basal.amounts == pytest.approx([0.9, 0])
    assert known.basal.minutes % 1440 == pytest.approx([600, 660])


def test_what_is_older_than_the_record_is_left_out():
    old = Dose("fast-acting-insulin", AT - timedelta(days=DAYS + 2), "MedicationAdministration/3", 5.0)
    assert not len(traced(evidence(old), AT).boluses.minutes)
    assert not len(traced(evidence(), AT).food.minutes)
