"""Instants that we wrote ourselves, and some of them to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime

from fhir_mapping.instants import moment


def render(at: datetime) -> str:
    """Return ``at`` as a FHIR instant in UTC, to the microsecond: ``read`` gives it back as it was."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read(text: str) -> datetime:
    """Return the instant that we wrote.

    Raises
    ------
    ValueError
        It is not a FHIR dateTime with a time of day.
    """
    found = moment(text)
    if found is None or not found.exact:
        raise ValueError("not an instant")
    return found.at
