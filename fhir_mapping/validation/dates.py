"""What no pattern says of a FHIR date: whether the calendar has it, and which of two comes first.

The texts have passed HL7's patterns, so month, hour, minute and zone (at most 14 hours) are in range;
second 60 is allowed, as FHIR allows it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_YEAR, _DAY, _SECOND = len("2026"), len("2026-01-31"), len("2026-01-31T00:00:00")
_FIRST_DAY = "-01-01"
# Where no zone is told, the day may begin this much earlier, or end this much later, than in UTC.
_ZONES = timedelta(hours=14)


def is_in_calendar(text: str) -> bool:
    """Tell whether the calendar has the day of a date, dateTime or instant; a month or year it always has."""
    if text[8:10] <= "28":
        return True
    try:
        date.fromisoformat(text[:_DAY])
    except ValueError:
        return False
    return True


def is_surely_after(start: str, end: str) -> bool:
    """Tell whether every moment that ``start`` may mean is after every moment that ``end`` may mean.

    Both are in the calendar. Where neither has a time of day they are taken to be of one zone and
    compared to the precision that they share, as FHIRPath does.
    """
    if start[_SECOND:] == end[_SECOND:]:  # of one zone and precision, or both without a time of day
        shared = min(len(start), len(end))
        return start[:shared] > end[:shared]
    try:
        return _first(start) > _last(end)
    except OverflowError:  # at the edge of the years 1 and 9999 nothing is sure
        return False


def _first(text: str) -> datetime:
    return _exact(text) if "T" in text else _begin(text) - _ZONES


def _last(text: str) -> datetime:
    if "T" in text:
        return _exact(text)
    days = {_YEAR: 366, _DAY: 1}.get(len(text), 31)
    return _begin(text) + timedelta(days) + _ZONES


def _exact(text: str) -> datetime:
    if text[17:19] != "60":
        return datetime.fromisoformat(text)
    return datetime.fromisoformat(f"{text[:17]}59{text[19:]}") + timedelta(seconds=1)


def _begin(text: str) -> datetime:
    return datetime.fromisoformat(text + _FIRST_DAY[len(text) - _YEAR :]).replace(tzinfo=UTC)
