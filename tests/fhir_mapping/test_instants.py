import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fhir_mapping import instants


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-04", datetime(2026, 3, 4, tzinfo=UTC)),
        ("2026-03-04T05:06:07Z", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2026-03-04T05:06:07.1234567+02:00", datetime(2026, 3, 4, 3, 6, 7, 123456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_fhir_times_are_read(text, at):
    assert instants.moment(text).at == at


@pytest.mark.parametrize(
    "text",
    [
        "", "0000", "10000", "2026-13", "2026-02-30", "2026-1-1", "2026-01-01T10:00:00", "2026-01-01T10:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01 10:00:00Z", "2026-W01-1", "2026\n", "٢٠٢٦",
        "9999-12-31T23:59:59-14:00",
        "2026-01-01T10:00:00+99:99", "2026-01-01T10:00:61Z", 2026, None, True,
    ],
)  # fmt: skip
def test_what_is_not_a_fhir_time_is_not_read(text):
    assert instants.moment(text) is None


@given(st.text(max_size=30))
def test_any_text_is_read_or_not_and_never_raises(text):
    instants.moment(text)
    instants.day(text)
    instants.last(text)


EXACT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:)([0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
WELL_FORMED = [
    "2019-01-01T10:00:00Z",
    "2019-01-01T10:00:00+01:00",
    "2019-01-01T10:00:00.123Z",
    "2019-01-01T10:00:00.123-05:30",
    "2019-01-01T10:00:00.1234567Z",
    "2016-12-31T23:59:60Z",
]


def exact(text: str) -> datetime | None:
    """Read by the grammar alone."""
    match = EXACT.fullmatch(text)
    if match is None:
        return None
    upto, seconds, fraction, zone = match.groups()
    leap = timedelta(seconds=seconds == "60")
    fraction = (fraction or ".0")[:7].ljust(7, "0")
    try:
        return (
            datetime.fromisoformat(f"{upto}{'59' if leap else seconds}{fraction}{zone}").astimezone(UTC)
            + leap
        )
    except (ValueError, OverflowError):
        return None


@st.composite
def spoilt(draw) -> str:
    text = list(draw(st.sampled_from(WELL_FORMED)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(text) - 1))
        text[place : place + draw(st.integers(0, 1))] = draw(st.sampled_from("0159-+:.,TZW t\0\u0663\u00e9"))
    return "".join(text)


@given(spoilt())
@example("2019-01-01T10:00:Z\0Z")
@example("2019-01-01T10:Z\0:00+01:00")
@example("2019-01-01T10:00:00.1Z\0-05:30")
@example("2019-W01-1T10:00:00Z")
def test_an_exact_time_is_read_as_the_grammar_says_and_no_other_text_is(text):
    assert instants.exact(text) == exact(text)
    if exact(text) is not None:
        assert instants.moment(text) == instants.Moment(exact(text), exact=True)


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year >= 1000))
def test_what_is_rendered_reads_as_the_same_millisecond(at):
    back = instants.moment(instants.render(at)).at
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)


def test_a_day_is_not_future_before_it_has_begun_everywhere():
    now = datetime(2026, 1, 15, 11, tzinfo=UTC)
    assert not instants.moment("2026-01-16").after(now)
    assert instants.moment("2026-01-17").after(now)
    assert instants.moment("2026-01-15T12:00:00Z").after(now)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("2026", datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2024-02", datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2024-12", datetime(2024, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2024-02-28", datetime(2024, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2024-02-28T10:00:00Z", datetime(2024, 2, 28, 10, tzinfo=UTC)),
        ("9999", datetime.max.replace(tzinfo=UTC)),
        ("soon", None),
    ],
)
def test_a_partial_date_ends_with_its_last_moment(text, last):
    assert instants.last(text) == last


def test_only_a_full_day_is_a_day():
    assert instants.day("1960-05-17") == date(1960, 5, 17)
    assert [instants.day(text) for text in ("1960", "1960-05", "1960-02-30", None)] == [None] * 4
