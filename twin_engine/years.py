"""Calendar years: anniversaries and birthdays, where a timedelta cannot say it."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime

from twin_engine.twin import Subject


def years_after(at: datetime, years: int) -> datetime:
    """Return the same day and time ``years`` later; 29 February becomes 28 February in a common year."""
    year = at.year + years
    if (at.month, at.day) == (2, 29) and not isleap(year):
        return at.replace(year=year, day=28)
    return at.replace(year=year)


def birthday(subject: Subject, age: int) -> datetime | None:
    """Return the first instant (UTC) at which ``Subject.age_at`` says ``age``; None without a birth date.

    Who was born on 29 February comes of age on 1 March in a common year.
    """
    born = subject.birth_date
    if born is None:
        return None
    year = born.year + age
    if (born.month, born.day) == (2, 29) and not isleap(year):
        return _midnight(date(year, 3, 1))
    return _midnight(born.replace(year=year))


def next_birthday(subject: Subject, at: datetime) -> datetime | None:
    """Return the first instant after ``at`` at which the person is a year older."""
    age = subject.age_at(at)
    return None if age is None else birthday(subject, age + 1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
