from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import resource
from fhir_mapping.errors import Unusable
from tests.fhir_mapping.effort import growth
from tests.fhir_mapping.observation.observations import (
    AT,
    NOW,
    ORIGIN,
    SYSTOLIC,
    TEMPERATURE,
    items,
    observed,
    part,
    problem,
    ucum,
)
from twin_engine.twin import Series

SOURCE = ORIGIN.source
WAVE = {"origin": ucum(100, "mm[Hg]"), "period": 8, "factor": 0.5, "dimensions": 1, "data": "0 1 2 -1"}


def trace(**changed) -> dict:
    return observed(SYSTOLIC, valueSampledData={**WAVE, **changed})


def test_a_sample_is_the_origin_and_factor_times_the_number_and_the_period_is_in_milliseconds():
    (found,) = items(trace())
    assert found == Series("systolic-blood-pressure", AT, SOURCE, 0.008, (100.0, 100.5, 101.0, 99.5))


def test_without_a_factor_the_numbers_count_once():
    without = {name: value for name, value in WAVE.items() if name != "factor"}
    (found,) = items(observed(SYSTOLIC, valueSampledData=without))
    assert found.values == (100.0, 101.0, 102.0, 99.0)


def test_gaps_hold_no_number_and_what_is_beyond_the_limits_is_counted_apart():
    limits = {"lowerLimit": -10, "upperLimit": 200}
    (found,) = items(trace(data="0 E L 1e1 U L", **limits))
    assert found.values == (100.0, None, None, 105.0, None, None)
    assert (found.below, found.above) == ((2, 5), (4,))


def test_the_limits_bound_the_numbers_as_they_are_sent():
    (found,) = items(trace(lowerLimit=-1, upperLimit=2))
    assert found.values == (100.0, 100.5, 101.0, 99.5)


def test_the_channels_of_one_instant_stand_together():
    (found,) = items(trace(dimensions=2))
    assert (found.channels, len(found.values)) == (2, 4)


def test_samples_come_in_the_unit_of_the_signal():
    fever = {"origin": ucum(100, "[degF]"), "period": 1000, "factor": 0.1, "dimensions": 1, "data": "0 5"}
    (found,) = items(observed(TEMPERATURE, valueSampledData=fever))
    assert found.values == (pytest.approx(37.7777777778), pytest.approx(38.0555555556))


def test_a_trace_over_a_period_starts_with_it():
    period = {"start": "2026-01-10T07:00:00Z", "end": "2026-01-10T08:00:00Z"}
    (found,) = items(
        observed(SYSTOLIC, valueSampledData=WAVE, effectiveDateTime=None, effectivePeriod=period)
    )
    assert found.time == datetime(2026, 1, 10, 7, tzinfo=UTC)
    assert found.context.began == found.time


def test_a_component_may_hold_a_trace():
    (found,) = items(observed("0000-0", component=[part(SYSTOLIC, valueSampledData=WAVE)]))
    assert len(found.values) == 4


@pytest.mark.parametrize(
    ("changed", "code", "place"),
    [
        ({"data": "0 1e999"}, "range", "value.data"),
        ({"data": "0 99999"}, "range", "value.data"),
        ({"period": 0}, "value", "value.period"),
        ({"period": -1}, "value", "value.period"),
        ({"period": 1e300}, "time", "value.period"),
        ({"period": 3.6e9}, "time", "value.period"),
        ({"factor": 0}, "value", "value.factor"),
        ({"lowerLimit": 10, "upperLimit": -10}, "value", "value.lowerLimit"),
        ({"lowerLimit": 0}, "range", "value.data"),
        ({"upperLimit": 1}, "range", "value.data"),
        ({"origin": ucum(0, "kg")}, "unit", "value.origin.unit"),
        ({"origin": {"unit": "mm[Hg]"}}, "unit", "value.origin.unit"),
    ],
)
def test_a_trace_that_cannot_be_read_has_its_reason(changed, code, place):
    found = problem(trace(**changed))
    assert (found.code, found.expression) == (code, f"Observation.{place}")
    assert found.signal == "systolic-blood-pressure"


@pytest.mark.parametrize(
    "changed",
    [
        {"data": data}
        for data in (
            "0 1 x",
            "0 1,5",
            "nan",
            "inf",
            "1_000",
            "0 EL",
            "0 1e",
            "0x1",
            "\u0663",
            "0  1",
            " ",
            "0\n1",
        )
    ]
    + [{"dimensions": 3}],
)
def test_malformed_samples_are_refused_before_they_are_read(changed):
    with pytest.raises(Unusable) as refused:
        resource.read(trace(**changed), NOW)
    assert refused.value.expression == "Observation.value.data"


def test_samples_that_are_missing_are_quarantined():
    assert problem(observed(SYSTOLIC, valueSampledData={**WAVE, "data": ""})).code == "absent"
    missing = {name: value for name, value in WAVE.items() if name not in ("data", "period", "dimensions")}
    assert problem(observed(SYSTOLIC, valueSampledData=missing)).code == "absent"
    assert problem(observed(SYSTOLIC, valueSampledData={**missing, "data": "1"})).code == "value"


def test_a_trace_needs_the_time_of_day_at_which_it_starts():
    assert problem({**trace(), "effectiveDateTime": "2026-01-10"}).code == "time"


def test_a_trace_up_to_now_is_read_and_one_beyond_is_not():
    hour = {"period": 1000, "data": " ".join("0" * 3600)}
    past, future = ((NOW - timedelta(minutes=minutes)).isoformat() for minutes in (60, 50))
    assert len(items({**trace(**hour), "effectiveDateTime": past})) == 1
    assert problem({**trace(**hour), "effectiveDateTime": future}).code == "time"


@given(
    st.lists(st.none() | st.integers(-10_000, 10_000), min_size=1, max_size=40),
    st.integers(60, 140),
    st.sampled_from([1, 0.5, 0.01, 0.001]),
)
def test_what_is_sampled_comes_back(numbers, origin, factor):
    data = " ".join("E" if number is None else str(number) for number in numbers)
    wanted = [None if number is None else round(origin + factor * number, 10) for number in numbers]
    sampled = trace(origin=ucum(origin, "mm[Hg]"), factor=factor, data=data)
    if all(30 <= value <= 350 for value in wanted if value is not None):
        (found,) = items(sampled)
        assert found.values == tuple(wanted)
    else:
        assert problem(sampled).code == "range"


def test_the_work_grows_with_the_samples_and_no_faster():
    def sampled(count: int) -> dict:
        return trace(period=0.1, data=" ".join(["17", "E", "-3.5", "L"] * count))

    assert growth(items, sampled(50), sampled(500)) < 12
