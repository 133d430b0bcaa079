"""effective[x] of an Observation: when its value was true.

Of a period the value is ascribed to the end, of a Timing to its last event; ``issued`` says when a result
was published, not when it was true, and is never taken for it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from fhir_mapping.errors import Problem
from fhir_mapping.instants import exact, moment

PLACE = "Observation.effective"
ABSENT = Problem("time", "the time at which the value was true is not given", PLACE)
UNREAD = Problem("time", "the time is not a FHIR dateTime with its zone", PLACE)
FUTURE = Problem("time", "the time lies in the future", PLACE)
PATTERN = Problem("time", "the timing names neither an event nor the period that bounds it", PLACE)


class Effective(msgspec.Struct, frozen=True):
    """The instant of the value, and where what it rests on began, if that took time.

    ``exact`` tells whether every time was given with its time of day.
    """

    at: datetime
    began: datetime | None = None
    exact: bool = True


def read(resource: dict[str, Any], now: datetime) -> Effective | Problem:
    """Return when the value of a valid Observation was true; a partial date stands for its first moment."""
    text = resource.get("effectiveDateTime") or resource.get("effectiveInstant")
    if text is not None:
        at = exact(text)
        return Effective(at) if at is not None and at <= now else _between(None, text, now)
    if "effectivePeriod" in resource:
        return _period(resource["effectivePeriod"], now)
    if "effectiveTiming" in resource:
        return _timing(resource["effectiveTiming"], now)
    return ABSENT


def _period(period: dict[str, Any], now: datetime) -> Effective | Problem:
    start, end = period.get("start"), period.get("end")
    return _between(None, start, now) if end is None else _between(start, end, now)


def _timing(timing: dict[str, Any], now: datetime) -> Effective | Problem:
    events = [text for text in timing.get("event", ()) if text is not None]
    if not events:
        bounds = timing.get("repeat", {}).get("boundsPeriod")
        return PATTERN if bounds is None else _period(bounds, now)
    found = {text: moment(text) for text in events}
    known = {text: each.at for text, each in found.items() if each is not None}
    if len(known) < len(found):
        return UNREAD
    first, last = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    return _between(None if known[first] == known[last] else first, last, now)


def _between(start: object, end: object, now: datetime) -> Effective | Problem:
    if end is None:
        return ABSENT
    found = moment(end)
    began = None if start is None else moment(start)
    if found is None or (began is None and start is not None):
        return UNREAD
    if found.after(now):
        return FUTURE
    if began is None:
        return Effective(found.at, None, found.exact)
    return Effective(found.at, began.at, found.exact and began.exact)
