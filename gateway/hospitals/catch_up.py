"""What changed while nobody told us, found by asking.

``changed_since`` asks per criteria for what was stored after an instant, and yields references. Where an
EHR cannot search ``_lastUpdated``, ``recent`` asks patient by patient for what is dated, or was issued,
after an instant, and yields whole resources: without versions only their content tells whether they are
new. What is dated earlier than the overlap reaches, and what was deleted, only a full reading shows.

Every window reaches back by an overlap, because clocks differ and a resource may become visible after
others that were stored later. Seeing something twice is expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from fhir_mapping.instants import render
from fhir_mapping.lenient import as_object
from gateway.hospitals.connection import Connection, Fetched
from gateway.hospitals.profile import Profile


@dataclass(frozen=True, slots=True)
class Seen:
    """A resource that may have changed; ``patient`` is ``Patient/<id>``, None where it names none."""

    type: str
    id: str
    version: str | None
    patient: str | None
    source: str | None


def changed_since(
    connection: Connection, criteria: str, since: datetime, overlap: timedelta, page: int = 200
) -> Iterator[Seen]:
    """Yield what was stored since ``since - overlap`` and meets a Subscription's ``criteria``."""
    kind, _, query = criteria.partition("?")
    asked = [
        *parse_qsl(query, keep_blank_values=True),
        ("_lastUpdated", f"ge{render(since - overlap)}"),
        ("_elements", "id,meta,subject,patient"),
        ("_count", str(page)),
    ]
    for found in connection.search(kind, asked):
        yield _seen(connection, kind, found)


def recent(
    connection: Connection,
    profile: Profile,
    kind: str,
    patient: str,
    since: datetime,
    overlap: timedelta,
    codes: Sequence[str] = (),
) -> Iterator[Fetched]:
    """Yield one patient's resources dated or issued since ``since - overlap``, each once.

    ``codes`` are tokens (``system|code``); empty asks for all. Where the EHR lists neither ``date`` nor
    ``issued`` for the type, all of the patient's are read.
    """
    day = (since - overlap).astimezone(UTC).date().isoformat()  # some EHRs compare whole days only
    windows = [[(name, f"ge{day}")] for name in ("date", "issued") if profile.searchable(kind, name)]
    yield from _each_once(connection, kind, patient, windows or [[]], codes)


def _each_once(
    connection: Connection,
    kind: str,
    patient: str,
    windows: Iterable[Sequence[tuple[str, str]]],
    codes: Sequence[str],
) -> Iterator[Fetched]:
    seen: set[str] = set()
    coded = [("code", ",".join(codes))] if codes else []
    for window in windows:
        for found in connection.search(kind, [*window, *coded], patient=patient):
            if found.id not in seen:
                seen.add(found.id)
                yield found


def _seen(connection: Connection, kind: str, found: Fetched) -> Seen:
    source = as_object(found.resource.get("meta")).get("source")
    return Seen(kind, found.id, found.version, connection.owner(found.resource), source)
