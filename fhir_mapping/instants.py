"""FHIR date, dateTime and instant, which Python's own readers do not read.

A year, a month or a day stands for its first moment in UTC: for the age of a value this errs on the
side of older. Where a time is given, FHIR requires the zone, and a text without one is not read.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import msgspec

# A day begins up to 14 hours earlier in the easternmost zone than in UTC.
_DAY_AHEAD = timedelta(hours=14)
# Clocks of hospital and gateway may differ by this much.
_CLOCK_SKEW = timedelta(minutes=5)
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:)([0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
# Every third character of `2026-01-01T10:00:00Z`, from the first hyphen on, is no digit; of a text with
# milliseconds neither is every third one from the zone on. With the length, this leaves
# datetime.fromisoformat no other way to read the text, once NUL, where it would stop, is ruled out.
_LENGTHS = {"--T::Z": 20, "--T::+:": 25, "--T::-:": 25}
# How far the clocks of a zone are ahead; subtracting it takes a third of the time of datetime.astimezone.
_AHEAD = {
    f"{sign}{hour:02}:{minute:02}": timedelta(hours=int(f"{sign}{hour}"), minutes=int(f"{sign}{minute}"))
    for sign in "+-"
    for hour in range(15)
    for minute in (0, 15, 30, 45)
}
_UTC = ("Z", "+00:00")
_UPTO_MILLISECONDS = "--T::."
_LENGTHS_WITH_MILLISECONDS = {"Z": 24, "+:": 29, "-:": 29}


class Moment(msgspec.Struct, frozen=True):
    """An instant in UTC; ``exact`` tells whether a time of day was given."""

    at: datetime
    exact: bool

    def after(self, now: datetime) -> bool:
        """Tell whether the moment lies in the future of ``now``, clock skew allowed for."""
        return self.at > now + (_CLOCK_SKEW if self.exact else _DAY_AHEAD)


def moment(text: object) -> Moment | None:
    """Return the moment; None where ``text`` is not a FHIR date, dateTime or instant."""
    if not isinstance(text, str):
        return None
    if "T" not in text:
        return _first(text)
    at = exact(text)
    return None if at is None else Moment(at, exact=True)


def exact(text: str) -> datetime | None:
    """Return the instant (UTC) of a dateTime with its time of day; None for any other text."""
    regular = _LENGTHS.get(text[4::3]) == len(text) or (
        text[4:20:3] == _UPTO_MILLISECONDS and _LENGTHS_WITH_MILLISECONDS.get(text[23::3]) == len(text)
    )
    if not regular or "\0" in text:
        return _irregular(text)
    try:
        return written(text)
    except (ValueError, OverflowError):
        return _irregular(text)  # it may name a leap second


def written(text: str) -> datetime:
    """Return the instant (UTC) of a text that is known to be a full dateTime; another may be misread.

    Raises
    ------
    ValueError, OverflowError
        Where there is no such day, or Python has no such year.
    """
    if text.endswith(_UTC):
        return datetime.fromisoformat(text)
    ahead = _AHEAD.get(text[-6:])
    if ahead is None:
        return datetime.fromisoformat(text).astimezone(UTC)
    return datetime.fromisoformat(f"{text[:-6]}Z") - ahead


def day(text: object) -> date | None:
    """Return a full day; None for a year, a month and anything else."""
    match = _DAY.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[3] is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def render(at: datetime) -> str:
    """Return ``at`` as a FHIR instant in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _irregular(text: str) -> datetime | None:
    """Return the instant of a dateTime with another fraction of a second, or within a leap second."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    upto, seconds, fraction, zone = match.groups()
    leap = timedelta(seconds=1) if seconds == "60" else timedelta()
    fraction = (fraction or ".0")[:7].ljust(7, "0")
    try:
        local = datetime.fromisoformat(f"{upto}{'59' if leap else seconds}{fraction}{zone}")
        return local.astimezone(UTC) + leap
    except (ValueError, OverflowError):
        return None


def _first(text: str) -> Moment | None:
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, month, of_month = (int(part or 1) for part in match.groups())
    try:
        return Moment(datetime(year, month, of_month, tzinfo=UTC), exact=False)
    except ValueError:
        return None


def last(text: object) -> datetime | None:
    """Return the last instant that ``text`` stands for: a year ends with its last microsecond."""
    found = moment(text)
    if found is None or found.exact or not isinstance(text, str):
        return found.at if found else None
    year, month = found.at.year, found.at.month
    try:
        if len(text) == len("2026"):
            following = datetime(year + 1, 1, 1, tzinfo=UTC)
        elif len(text) == len("2026-01"):
            following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        else:
            following = found.at + timedelta(days=1)
    except (ValueError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)
    return following - timedelta(microseconds=1)
