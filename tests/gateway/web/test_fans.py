"""Drawings of courses and of two weeks as one day keep to their frames, whatever is drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.portrait import Told
from gateway.web.pages import profiles
from gateway.web.pages.axes import HEIGHT, LEFT, RIGHT, WIDTH, Scale, Span
from gateway.web.pages.fans import fan
from tests.gateway.web.planted import NOW, on_a_pump
from twin_engine.models.glucose import TypeOneDiabetes
from twin_engine.twin import Course, Forecast, Measurement, Series, Summary

HOUR = 3600.0
YEAR = 365.25 * 24 * HOUR
CARD = TypeOneDiabetes().card


def course(times=(300.0, HOUR, 8 * HOUR), rows=None, signal="interstitial-glucose"):
    n = len(times)
    rows = rows or tuple(
        (level, (100.0 + 80 * (level - 0.5),) * n) for level in (0.05, 0.25, 0.5, 0.75, 0.95)
    )
    return Course(signal, "mg/dL", NOW, tuple(times), rows)


def points(drawn):
    return [tuple(map(float, point.split(","))) for point in drawn.split()]


def inside(places):
    return all(LEFT <= x <= WIDTH - RIGHT and 0 <= y <= HEIGHT for x, y in places)


finite = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(
    st.lists(st.floats(1, 40 * YEAR), min_size=1, max_size=12, unique=True).map(sorted),
    st.lists(st.tuples(finite, finite, finite), min_size=12, max_size=12),
    st.sampled_from(["interstitial-glucose", "egfr"]),
)
def test_whatever_is_drawn_lies_inside_and_runs_from_left_to_right(times, values, signal):
    rows = zip(*(sorted(each) for each in values[: len(times)]), strict=True)
    drawn = fan(course(times, tuple(zip((0.05, 0.5, 0.95), rows, strict=True)), signal))
    median = points(drawn.median)
    assert [x for x, _ in median] == sorted(x for x, _ in median)
    assert inside(median)
    assert all(inside(points(band)) for band in drawn.bands)
    assert all(LEFT <= tick.at <= WIDTH - RIGHT for tick in drawn.across)
    assert all(0 <= tick.at <= HEIGHT for tick in (*drawn.up, *drawn.limits))
    assert drawn.now <= median[0][0]


def test_bands_are_drawn_from_the_widest_to_the_narrowest():
    heights = [
        max(y for _, y in points(band)) - min(y for _, y in points(band)) for band in fan(course()).bands
    ]
    assert len(heights) == 2
    assert heights[0] > heights[1] > 0


def test_a_constant_course_is_a_level_line_with_marks_beside_it():
    drawn = fan(course(rows=((0.5, (5.0, 5.0, 5.0)),), signal="egfr"))
    assert len({y for _, y in points(drawn.median)}) == 1
    assert drawn.bands == ()
    assert drawn.up
    assert "Bands" not in drawn.legend


def test_a_course_of_one_instant_is_a_dot_that_is_seen():
    drawn = fan(course((0.0,), ((0.5, (120.0,)),)))
    assert len(points(drawn.median)) == 2
    assert drawn.words == "at the end about 120"
    assert inside(points(drawn.median))


def test_courses_that_are_compared_are_drawn_to_one_scale():
    low, high = (course(rows=((0.5, (value,) * 3),)) for value in (50.0, 900.0))
    once, beside, alone = fan(low, (), [low, high]), fan(high, (), [low, high]), fan(low)
    assert once.up == beside.up != alone.up


def test_years_far_apart_lie_where_they_belong():
    drawn = fan(course((YEAR, 2 * YEAR, 10 * YEAR), signal="egfr"))
    places = [x for x, _ in points(drawn.median)]
    assert (places[2] - places[1]) / (places[1] - places[0]) == pytest.approx(8, rel=0.02)
    assert [tick.text for tick in drawn.across][:2] == ["2020", "2024"]


def test_months_are_named_where_years_are_too_few():
    texts = [tick.text for tick in fan(course((90 * 86400.0,), ((0.5, (1.0,)),), "egfr")).across]
    assert "Jan 2027" in texts


def test_dots_are_what_was_measured_in_the_time_shown_single_or_in_traces():
    times = (NOW - timedelta(hours=4), NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    single = [
        Measurement("interstitial-glucose", at, f"Observation/{n}", 100.0) for n, at in enumerate(times)
    ]
    other = Measurement("glucose", NOW, "Observation/8", 500.0)
    trace = Series(
        "interstitial-glucose", NOW - timedelta(hours=2), "Observation/9", 900.0, (90.0, None, 300.0)
    )
    drawn = fan(course(), [*single, other, trace])
    assert len(drawn.measured) == 4
    assert inside(drawn.measured)
    assert "3 values measured before, the last 100; 1 measured after, from 100 to 100" in drawn.words


def test_marks_of_hours_follow_the_clock_of_the_server():
    [*texts] = (tick.text for tick in Span(NOW, NOW + timedelta(hours=8)).ticks())
    local = (NOW + timedelta(hours=1)).astimezone().replace(minute=0)
    assert texts[0] == f"{local:%H:%M}"
    assert len(texts) == 8


@pytest.mark.parametrize("hours", [0.5, 2, 8, 11, 24, 72, 24 * 20, 24 * 400, 24 * 366 * 30])
def test_marks_of_time_are_few_enough_not_to_touch(hours):
    places = [tick.at for tick in Span(NOW, NOW + timedelta(hours=hours)).ticks()]
    assert len(places) <= 9
    assert all(later - earlier > 60 for earlier, later in pairwise(places))


def test_values_of_every_size_have_a_few_round_marks():
    for high in (1e-3, 0.7, 12, 260, 4.2e6):
        texts = [tick.text for tick in Scale(0.0, high).ticks()]
        assert 3 <= len(texts) <= 10


def told(items):
    end, shares = NOW.replace(hour=0, minute=0), (1.0, 3.0, 70.0, 20.0, 6.0)
    start = end - timedelta(days=14)
    numbers = [("sensor-active", 93.0), *zip(profiles.RANGES, shares, strict=True)]
    summaries = tuple(Summary(name, "%", value, start, end) for name, value in numbers)
    answer = Forecast("glucose-control", NOW, NOW, (), (), "", summaries=summaries)
    return profiles.drawn(Told(CARD, "0" * 64, answer, None), items, UTC)


def test_two_weeks_are_drawn_as_one_day():
    drawn = told(on_a_pump().items)
    assert drawn.days == 14
    assert drawn.active == 93.0
    assert len(drawn.bands) == 2
    [median] = drawn.median
    assert len(points(median)) == 96
    assert all(inside(points(each)) for each in (*drawn.bands, median))


def test_a_time_of_day_without_readings_is_a_gap():
    midnight = NOW.replace(hour=0, minute=0)
    days = [midnight - timedelta(days=day) for day in range(1, 15)]
    times = [day + timedelta(hours=hour, minutes=15 * n) for day in days for hour in (3, 9) for n in range(4)]
    items = [Measurement("interstitial-glucose", at, f"Observation/{at:%d%H%M}", 110.0) for at in times]
    drawn = told(items)
    assert len(drawn.median) == 2
    assert len(drawn.bands) == 4


def test_the_clock_is_that_of_the_zone():
    at = NOW.replace(hour=0, minute=0) - timedelta(hours=12)
    answer = [Measurement("interstitial-glucose", at, "Observation/1", 110.0)]
    west = profiles.drawn(shown(), answer, timezone(timedelta(hours=-5)))
    assert west.words == "the middle is highest about 07:00, 110, and lowest about 07:00, 110"


def shown():
    end = NOW.replace(hour=0, minute=0)
    names = ("sensor-active", *profiles.RANGES)
    summaries = tuple(Summary(name, "%", 20.0, end - timedelta(days=14), end) for name in names)
    return Told(CARD, "", Forecast("glucose-control", NOW, NOW, (), (), "", summaries=summaries), None)


def test_shares_fill_the_bar_in_their_order():
    drawn = told(on_a_pump().items)
    assert [share.percent for share in drawn.shares] == [1.0, 3.0, 70.0, 20.0, 6.0]
    assert drawn.shares[0].x == 0
    assert drawn.shares[-1].x + drawn.shares[-1].width == pytest.approx(profiles.WHOLE)


def test_without_readings_or_numbers_nothing_is_drawn():
    assert told(()) is None
    assert profiles.drawn(None, ()) is None
    answer = Forecast("glucose-control", datetime(2026, 1, 1, tzinfo=UTC), NOW, (), (), "")
    assert profiles.drawn(Told(CARD, "", answer, None), on_a_pump().items) is None
