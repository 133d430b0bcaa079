"""One person followed over days: whatever the way, equal evidence gives an equal state, bit for bit."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.twin_engine.people import WOMAN
from twin_engine.encoding import decode, encode
from twin_engine.models.glucose import TypeOneDiabetes
from twin_engine.models.glucose.record import FAST, FOOD, LONG, SENSOR
from twin_engine.models.glucose.state import State
from twin_engine.twin import Condition, Dose, Evidence, Measurement, Series

AT = datetime(2026, 3, 15, 14, 2, tzinfo=UTC)
MODEL = TypeOneDiabetes()
DIAGNOSED = Condition("type-1-diabetes", "Condition/1/_history/1", True)


def days(hours: int = 30) -> list:
    """Return a sensor's readings up to AT with three meals, their boluses and a long-acting dose."""
    rng = np.random.default_rng(7)
    level = 140 + np.cumsum(rng.normal(0, 4, hours * 12))
    begin = AT - timedelta(hours=hours)
    items: list = [DIAGNOSED, Dose(LONG, begin, "MedicationAdministration/slow/_history/1", 20)]
    for n, value in enumerate(np.clip(level, 60, 300)):
        time = begin + timedelta(minutes=5 * n)
        items.append(Measurement(SENSOR, time, f"Observation/g{n}/_history/1", float(value)))
    for n in range(3):
        time = begin + timedelta(hours=4 + 8 * n)
        items.append(Dose(FAST, time, f"MedicationAdministration/b{n}/_history/1", 5))
        items.append(Measurement(FOOD, time, f"Observation/m{n}/_history/1", 50))
    return items


ITEMS = days()


def state(items, at=AT, before=None) -> State:
    known = MODEL.prior(WOMAN, at) if before is None else before
    return MODEL.assimilate(known, Evidence.of(WOMAN, items), at)


@pytest.fixture(scope="module")
def whole():
    return state(ITEMS)


def test_a_stored_state_goes_on_with_new_readings_as_if_it_had_known_them_all(whole):
    at = AT - timedelta(hours=7)
    early = [item for item in ITEMS if isinstance(item, Condition) or item.time <= at]
    stored = decode(MODEL.state_type, encode(state(early, at)))
    assert len(stored.filter.checkpoints) == 2
    assert encode(state(ITEMS, AT, stored)) == encode(whole)


@pytest.mark.parametrize("late", ["MedicationAdministration/b2/_history/1", "Observation/g20/_history/1"])
def test_late_data_and_a_withdrawal_end_where_one_that_knew_it_all_along_does(whole, late):
    without = [item for item in ITEMS if item.source != late]
    short = state(without)
    assert encode(short) != encode(whole)
    assert encode(state(ITEMS, AT, short)) == encode(whole)
    assert encode(state(without, AT, whole)) == encode(short)


def test_checkpoints_of_another_week_are_not_used(whole):
    next_day = AT + timedelta(hours=11)
    more = [*ITEMS, Measurement(SENSOR, next_day - timedelta(minutes=3), "Observation/new/_history/1", 120)]
    assert encode(state(more, next_day, whole)) == encode(state(more, next_day))


def test_a_trace_is_followed_like_its_single_readings(whole):
    single = [item for item in ITEMS if getattr(item, "signal", "") == SENSOR]
    others = [item for item in ITEMS if item not in single]
    values = tuple(item.value for item in single)
    trace = Series(SENSOR, single[0].time, "Observation/trace/_history/1", 300.0, values)
    followed = state([*others, trace]).filter
    assert followed.members.tobytes() == whole.filter.members.tobytes()


def test_the_filter_ends_near_the_last_readings(whole):
    last = max((item for item in ITEMS if getattr(item, "signal", "") == SENSOR), key=lambda one: one.time)
    assert whole.filter.ensemble.glucose.mean() == pytest.approx(last.value, abs=15)


def test_a_gap_of_hours_makes_it_less_sure():
    early = AT - timedelta(hours=4)
    gap = [item for item in ITEMS if getattr(item, "signal", "") != SENSOR or item.time < early]
    assert state(gap).filter.ensemble.glucose.std() > 2 * state(ITEMS).filter.ensemble.glucose.std()


def test_a_state_is_small_enough_to_be_kept(whole):
    assert len(encode(whole)) < 100_000
