from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.twin_engine.people import WOMAN
from twin_engine.years import birthday, next_birthday, years_after

TICK = timedelta(microseconds=1)
BIRTH_DATES = st.dates(date(1900, 1, 1), date(2020, 12, 31)) | st.sampled_from(
    [date(1996, 2, 29), date(2000, 2, 29)]
)


@given(BIRTH_DATES, st.integers(0, 110))
def test_a_birthday_is_the_first_instant_of_that_age(born, age):
    person = replace(WOMAN, birth_date=born)
    first = birthday(person, age)
    assert person.age_at(first) == age
    assert person.age_at(first - TICK) == age - 1


@given(BIRTH_DATES, st.datetimes(datetime(2021, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds
def test_the_next_birthday_lies_ahead_by_a_year_at_most(born, at):
    person = replace(WOMAN, birth_date=born)
    ahead = next_birthday(person, at)
    assert at < ahead <= at + timedelta(days=367)
    assert person.age_at(ahead) == person.age_at(at) + 1


def test_without_a_birth_date_there_is_no_birthday():
    unknown = replace(WOMAN, birth_date=None)
    assert birthday(unknown, 30) is None
    assert next_birthday(unknown, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_years_after_a_leap_day_end_on_a_day_that_exists():
    leap = datetime(2024, 2, 29, 8, tzinfo=UTC)
    assert years_after(leap, 10) == datetime(2034, 2, 28, 8, tzinfo=UTC)
    assert years_after(leap, 4) == datetime(2028, 2, 29, 8, tzinfo=UTC)
    assert years_after(datetime(2026, 3, 15, tzinfo=UTC), 30) == datetime(2056, 3, 15, tzinfo=UTC)
