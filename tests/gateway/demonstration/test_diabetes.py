from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count, islice, pairwise

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping import intake
from gateway.demonstration.diabetes import DAYS, Diary, history, lived
from gateway.demonstration.events import events
from gateway.demonstration.patients import cohort
from tests.fhir_mapping.validators import accepted_by_all
from twin_engine.models.glucose import TypeOneDiabetes
from twin_engine.twin import Dose, Evidence, Forecast, Measurement, Series, Subject

NOW = datetime(2026, 3, 1, 9, 17, tzinfo=UTC)
DIARY = lived(NOW, np.random.default_rng(3))
HISTORY = tuple(history("demo-olga", DIARY, NOW))
OLGA = next(each for each in cohort(NOW, np.random.default_rng(7)) if each.role.pump)


def mapped(resources, now=NOW):
    readings = [intake.read(orjson.dumps(versioned(each)), now) for each in resources]
    assert [reason for reading in readings for reason in reading.reasons] == []
    return [item for reading in readings for item in reading.items]


def versioned(resource):
    return resource | {"meta": {"versionId": "1"}}


def test_each_kind_of_resource_is_accepted_by_all_validators() -> None:
    kinds = {(each["resourceType"], *sorted(each)): each for each in HISTORY}
    assert len(kinds) == 5
    assert all(accepted_by_all(each) for each in kinds.values())


def test_everything_is_understood_and_nothing_is_doubtful() -> None:
    items = mapped(OLGA.resources)
    kinds = Counter(type(item) for item in items)
    assert kinds[Series] == DAYS
    assert (
        sum(isinstance(item, Measurement) and item.signal == "interstitial-glucose" for item in items) == 288
    )
    assert {item.substance for item in items if isinstance(item, Dose)} == {"fast-acting-insulin"}


def test_readings_cover_two_weeks_without_overlap() -> None:
    times = []
    for item in mapped(HISTORY):
        if isinstance(item, Series):
            times += [item.time + timedelta(seconds=item.period * n) for n in range(len(item.values))]
        elif isinstance(item, Measurement) and item.signal == "interstitial-glucose":
            times.append(item.time)
    times.sort()
    apart = {later - earlier for earlier, later in pairwise(times)}
    assert apart == {timedelta(minutes=5)}
    assert NOW - max(times) < timedelta(minutes=5)
    assert max(times) - min(times) > timedelta(days=DAYS)


def test_basal_insulin_is_given_all_the_time_and_never_twice() -> None:
    given_ = sorted(
        (item.time, item.until) for item in mapped(HISTORY) if isinstance(item, Dose) and item.until
    )
    assert [until for _, until in given_[:-1]] == [start for start, _ in given_[1:]]
    assert given_[-1][1] == NOW


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 24 * 60 * 60 - 1))
def test_whoever_is_drawn_and_whenever_glucose_stays_within_what_a_sensor_shows(
    seed: int, second: int
) -> None:
    now = NOW.replace(hour=0, minute=0) + timedelta(seconds=second)
    diary = lived(now, np.random.default_rng(seed))
    assert 40 <= min(diary.readings) <= max(diary.readings) <= 400
    assert all(meal.at <= now for meal in diary.meals)
    latest = [each for each in history("demo-olga", diary, now) if "effectiveDateTime" in each]
    assert all(datetime.fromisoformat(each["effectiveDateTime"]) <= now for each in latest)


def test_a_reading_between_two_lies_between_them() -> None:
    diary = Diary(NOW, (100.0, 120.0), (), 1.0, 10.0)
    assert diary.reading(NOW + timedelta(minutes=2, seconds=30)) == 110
    assert diary.reading(NOW + timedelta(days=1)) == 120


def test_the_twin_speaks_of_the_person_in_every_family() -> None:
    model = TypeOneDiabetes()
    subject = Subject("female", datetime(1992, 1, 1, tzinfo=UTC).date(), deceased=False, source="Patient/1")
    evidence = Evidence.of(subject, mapped(OLGA.resources))
    state = model.assimilate(model.prior(subject, NOW), evidence, NOW)
    answers = model.forecast(state, NOW, np.random.default_rng(0))
    assert all(isinstance(answer, Forecast) for answer in answers)
    assert len(answers) == 3


def test_the_pump_tells_now_and_then_what_it_gave_since() -> None:
    ticks = count()
    patients = cohort(NOW, np.random.default_rng(7))
    steps = events(patients, np.random.default_rng(3), lambda: NOW + timedelta(minutes=next(ticks)))
    told = [
        step.resource["effectivePeriod"] for step in islice(steps, 600) if "effectivePeriod" in step.resource
    ]
    assert len(told) > 5
    assert [each["end"] for each in told[:-1]] == [each["start"] for each in told[1:]]
    assert told[0]["start"] >= "2026-03-01T09:17:00Z"


@pytest.mark.parametrize("says", ["a reading of the glucose sensor", "a meal with its bolus"])
def test_sensor_and_meals_are_among_the_first_events(says: str) -> None:
    patients = cohort(NOW, np.random.default_rng(7))
    steps = list(islice(events(patients, np.random.default_rng(3), lambda: NOW), 40))
    mine = [step.resource for step in steps if step.says == says]
    assert mine
    assert all(accepted_by_all(each) for each in mine)
