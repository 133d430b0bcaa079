"""The audit log on its way to whoever has to examine it, as FHIR AuditEvents.

1. read which entries were recorded in the time asked for;
2. record that the log is read;
3. write them, in the order of the log.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson

from audit.log import Log
from audit.record import Event
from audit.sealing import Damaged
from fhir_mapping import audit_event, instants
from gateway.errors import BadRequest, DidymosError
from gateway.operations.services import Services


class Unreadable(DidymosError):
    """An entry was altered; ``verify`` tells more."""


def export(services: Services, since: str | None, until: str | None, file: Path) -> int:
    """Write the entries recorded at or after ``since`` and before ``until``; return how many.

    ``since`` and ``until`` are FHIR dates, None an open end. ``file`` must not exist, and holds one JSON
    object a line.

    Raises
    ------
    BadRequest
        A date is none, or the file cannot be made.
    Unreadable
        An entry was altered; no file is left.
    audit.log.AuditUnavailable
        The reading could not be recorded, so nothing is written.
    """
    start, stop = _between(services.audit, _instant(since), _instant(until))
    services.audit.append(_read(services, f"entries {start} to {stop} exported as AuditEvent"))
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadRequest(f"the file cannot be made: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.writelines(_lines(services.audit, start, stop))
    except Damaged as error:
        file.unlink()
        raise Unreadable(f"{error}; `didymos audit verify` tells more") from None
    return stop - start


def _lines(log: Log, start: int, stop: int) -> Iterator[bytes]:
    for entry in log.entries(start, stop):
        yield orjson.dumps(audit_event.render(entry), option=orjson.OPT_APPEND_NEWLINE)


def _instant(date: str | None) -> datetime | None:
    found = instants.moment(date)
    if date is not None and found is None:
        raise BadRequest("a date is given as 2026, 2026-03, 2026-03-01 or 2026-03-01T12:00:00Z")
    return found.at if found else None


def _between(log: Log, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Return where in the log a time begins and ends; entries are in the order of their recording."""
    size, _ = log.size_and_root()
    places = range(size)
    start = bisect_left(places, since, key=lambda at: _recorded(log, at)) if since else 0
    stop = bisect_left(places, until, key=lambda at: _recorded(log, at)) if until else size
    return start, max(start, stop)


def _recorded(log: Log, index: int) -> datetime:
    try:
        return next(entry.leaf.recorded for entry in log.entries(index, index + 1))
    except (Damaged, StopIteration):
        raise Unreadable(f"entry {index} cannot be read; `didymos audit verify` tells more") from None


def _read(services: Services, detail: str) -> Event:
    return Event(
        kind="audit-read",
        action="read",
        outcome="success",
        tenant=services.settings.tenant,
        actor="administrator",
        at=services.clock(),
        detail=detail,
    )
