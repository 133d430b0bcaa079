"""The journal of notifications. It is the truth; the queue is only a wake-up call.

One transaction keeps an event once, gives it the twin's next number and says whether the twin was
idle. An event whose subject is not known yet waits without a twin until it is resolved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import Table

from gateway.storage.schema import inbox, twin


@dataclass(frozen=True, slots=True)
class Notified:
    """One event as it arrives. ``twin`` and ``patient`` (sealed) are None while the subject is unknown."""

    hospital: str
    dedupe: bytes
    sealed: bytes
    received: int
    twin: str | None
    patient: bytes | None


@dataclass(slots=True)
class Recorded:
    """What a transaction did; ``wake`` names the twins that were idle."""

    new: int = 0
    duplicates: int = 0
    wake: set[str] = field(default_factory=set)
    unresolved: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """One journaled event."""

    id: int
    twin: str | None
    seq: int | None
    received: int
    sealed: bytes
    tries: int = 0


def insert_new(connection: Connection, table: Table, **values: object) -> int | None:
    """Insert a row unless its key stands already; return its row count key or None."""
    return connection.execute(_insertion(connection.dialect.name, table), values).scalar()


@cache
def _insertion(dialect_name: str, table: Table) -> Any:
    """Return the statement, built once: to build it costs more than to run it."""
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    key = next(iter(table.primary_key.columns))
    return dialect.insert(table).on_conflict_do_nothing().returning(key)


def record(connection: Connection, events: Iterable[Notified]) -> Recorded:
    """Keep each event once and number it within its twin."""
    done = Recorded()
    # In one order everywhere: two transactions that lock the same twins must not wait for each other.
    for event in sorted(events, key=lambda one: (one.twin or "", one.dedupe)):
        row = insert_new(
            connection,
            inbox,
            hospital=event.hospital,
            dedupe=event.dedupe,
            sealed=event.sealed,
            received=event.received,
        )
        if row is None:
            done.duplicates += 1
            continue
        done.new += 1
        if event.twin is None or event.patient is None:
            done.unresolved = True
        elif assign(connection, row, event.hospital, event.twin, event.patient, event.received):
            done.wake.add(event.twin)
    return done


def assign(connection: Connection, row: int, hospital: str, twin_id: str, patient: bytes, now: int) -> bool:
    """Give an event to its twin with the next number; return whether the twin must be woken."""
    advanced = _advance(connection, twin_id, now)
    if advanced is None:
        enrol(connection, hospital, twin_id, patient, now)
        advanced = _advance(connection, twin_id, now)
    if advanced is None:
        raise LookupError(twin_id)
    seq, woken = advanced
    connection.execute(_NUMBERED, {"row": row, "of": twin_id, "number": seq})
    return woken


_NUMBERED = (
    update(inbox).where(inbox.c.id == bindparam("row")).values(twin=bindparam("of"), seq=bindparam("number"))
)
_ADVANCED = (
    update(twin)
    .where(twin.c.id == bindparam("one"))
    .values(
        seq=twin.c.seq + 1, queued=func.coalesce(twin.c.queued, bindparam("now")), attempts=0, parked=None
    )
    .returning(twin.c.seq, twin.c.queued)
)


def enrol(connection: Connection, hospital: str, twin_id: str, patient: bytes, now: int) -> bool:
    """Create the twin's row if there is none; return whether it is new."""
    row = insert_new(
        connection,
        twin,
        id=twin_id,
        hospital=hospital,
        patient=patient,
        seq=0,
        done_seq=0,
        full=now,
        created=now,
    )
    return row is not None


def _advance(connection: Connection, twin_id: str, now: int) -> tuple[int, bool] | None:
    row = connection.execute(_ADVANCED, {"one": twin_id, "now": now}).one_or_none()
    return None if row is None else (row.seq, row.queued == now)


def wake(connection: Connection, twin_id: str, now: int, *, full: bool = False) -> bool:
    """Ask for an update without an event (timer, poll, full re-read); return whether it was idle.

    A parked twin is tried again.
    """
    values: dict[str, object] = {"queued": func.coalesce(twin.c.queued, now), "seq": twin.c.seq + 1}
    values |= {"parked": None, "attempts": case((twin.c.parked.is_(None), twin.c.attempts), else_=0)}
    if full:
        values["full"] = func.coalesce(twin.c.full, now)
    values["due"] = case((twin.c.due <= now, None), else_=twin.c.due)
    statement = update(twin).where(twin.c.id == twin_id).values(**values)
    queued = connection.execute(statement.returning(twin.c.queued)).scalar()
    return queued == now


def unresolved(connection: Connection, hospital: str, now: int, limit: int) -> list[Waiting]:
    """Return events whose subject is not known yet and can be asked for now, oldest first."""
    query = (
        select(inbox.c.id, inbox.c.twin, inbox.c.seq, inbox.c.received, inbox.c.sealed, inbox.c.tries)
        .where(inbox.c.hospital == hospital, inbox.c.twin.is_(None), inbox.c.outcome.is_(None))
        .where(inbox.c.again <= now)
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [Waiting(*row) for row in connection.execute(query)]


def postpone(connection: Connection, events: Iterable[int], until: int, *, tried: bool) -> None:
    """Leave events whose subject is not known until then; ``tried`` counts the attempt."""
    rows = [{"row": one, "then": until, "more": int(tried)} for one in events]
    if rows:
        connection.execute(_POSTPONED, rows)


_POSTPONED = (
    update(inbox)
    .where(inbox.c.id == bindparam("row"))
    .values(again=bindparam("then"), tries=inbox.c.tries + bindparam("more"))
)


def sealed_patient(connection: Connection, twin_id: str) -> bytes | None:
    """Return the sealed id of a twin's patient; None where there is no such twin."""
    return connection.execute(select(twin.c.patient).where(twin.c.id == twin_id)).scalar()


def hospitals_with_unresolved(connection: Connection) -> list[str]:
    query = select(inbox.c.hospital).where(inbox.c.twin.is_(None), inbox.c.outcome.is_(None)).distinct()
    return list(connection.execute(query).scalars())


def between(connection: Connection, twin_id: str, after: int, upto: int) -> list[Waiting]:
    """Return the twin's events numbered ``after`` < seq <= ``upto`` in order."""
    query = (
        select(inbox.c.id, inbox.c.twin, inbox.c.seq, inbox.c.received, inbox.c.sealed)
        .where(inbox.c.twin == twin_id, inbox.c.seq > after, inbox.c.seq <= upto)
        .order_by(inbox.c.seq)
    )
    return [Waiting(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one event; ``detail`` is sealed."""

    event: int
    outcome: str
    detail: bytes | None = None


def conclude(connection: Connection, endings: Iterable[Ending], now: int) -> None:
    """Write what became of events."""
    rows = [{"row": one.event, "end": one.outcome, "why": one.detail, "at": now} for one in endings]
    if rows:
        connection.execute(_CONCLUDED, rows)


_CONCLUDED = (
    update(inbox)
    .where(inbox.c.id == bindparam("row"), inbox.c.outcome.is_(None))
    .values(outcome=bindparam("end"), detail=bindparam("why"), done=bindparam("at"))
)


def backlog(connection: Connection, limit: int) -> int:
    """Return how many events wait, counting no further than ``limit`` + 1."""
    return connection.execute(_BACKLOG, {"most": limit + 1}).scalar_one()


_BACKLOG = select(func.count()).select_from(
    select(inbox.c.id).where(inbox.c.outcome.is_(None)).limit(bindparam("most")).subquery()
)


def counts(connection: Connection) -> dict[str, int]:
    """Return the number of events by outcome; ``waiting`` where there is none yet."""
    query = select(func.coalesce(inbox.c.outcome, "waiting"), func.count()).group_by(inbox.c.outcome)
    return {row[0]: row[1] for row in connection.execute(query)}
