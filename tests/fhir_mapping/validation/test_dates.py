from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping.validation.dates import is_in_calendar, is_surely_after

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59))  # noqa: DTZ001  # the zone is drawn apart
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.integers(1, 9999), st.integers(1, 12), st.integers(1, 31))
def test_the_calendar_has_a_day_where_python_has_it(year, month, day):
    text = f"{year:04}-{month:02}-{day:02}"
    try:
        date(year, month, day)
    except ValueError:
        assert not is_in_calendar(text)
        assert not is_in_calendar(f"{text}T00:00:00Z")
    else:
        assert is_in_calendar(text)
        assert is_in_calendar(f"{text}T23:59:60.999999999+14:00")


@pytest.mark.parametrize("text", ["2024", "2024-02", "0001", "2024-02-29", "2000-02-29"])
def test_a_year_a_month_and_a_leap_day_are_in_the_calendar(text):
    assert is_in_calendar(text)


@pytest.mark.parametrize("text", ["2023-02-29", "1900-02-29", "2024-02-30", "2024-04-31T00:00:00Z"])
def test_a_day_that_no_month_has_is_not(text):
    assert not is_in_calendar(text)


@given(MOMENTS, MOMENTS, ZONES, ZONES, st.sampled_from([4, 7, 10, None]), st.sampled_from([4, 7, 10, None]))
def test_no_period_is_refused_that_may_be_in_order(one, other, zone, elsewhere, precise, precisely):
    first, second = one.replace(tzinfo=zone), other.replace(tzinfo=elsewhere)
    if first > second:
        first, second = second, first
    assert not is_surely_after(first.isoformat()[:precise], second.isoformat()[:precisely]) or _days_only(
        precise, precisely
    )


def _days_only(precise, precisely):
    """Without a time of day both are taken to be of one zone, which the drawn ones are not."""
    return precise is not None and precisely is not None


@given(st.dates(), st.dates(), st.sampled_from([4, 7, 10]), st.sampled_from([4, 7, 10]))
def test_days_are_compared_to_the_precision_that_they_share(one, other, precise, precisely):
    start, end = one.isoformat()[:precise], other.isoformat()[:precisely]
    shared = min(precise, precisely)
    assert is_surely_after(start, end) == (one.isoformat()[:shared] > other.isoformat()[:shared])


@given(MOMENTS, st.timedeltas(timedelta(seconds=1), timedelta(days=9999)), ZONES, ZONES)
def test_a_moment_after_another_is_found_in_any_zones(end, later, zone, elsewhere):
    ends = end.replace(tzinfo=UTC)
    try:
        start, end = (ends + later).astimezone(zone), ends.astimezone(elsewhere)
    except OverflowError:
        return
    assert is_surely_after(start.isoformat(), end.isoformat())
    assert not is_surely_after(end.isoformat(), start.isoformat())


def test_a_leap_second_is_after_the_second_before_it():
    assert is_surely_after("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.5Z")
    assert not is_surely_after("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z")
    assert is_surely_after("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00")


def test_where_the_zone_of_a_day_could_save_the_order_it_does():
    assert not is_surely_after("2024-01-02T10:00:00Z", "2024-01-01")
    assert is_surely_after("2024-01-02T14:00:01Z", "2024-01-01")
    assert not is_surely_after("2024-01-02", "2024-01-01T10:00:00Z")
    assert is_surely_after("2024-01-02", "2024-01-01T09:59:59Z")
