"""The journal of notifications. It is the truth; the queue is only a wake-up call.

One transaction keeps an event once, gives it the twin's next number and says whether the twin was
idle. An event whose subject is not known yet waits without a twin until it is resolved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, case, func, select, update
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


def insert_new(connection: Connection, table: Table, **values: object) -> int | None:
    """Insert a row unless its key stands already; return its row count key or None."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    key = next(iter(table.primary_key.columns))
    return connection.execute(statement.returning(key)).scalar()


def record(connection: Connection, events: Iterable[Notified]) -> Recorded:
    """Keep each event once and number it within its twin."""
    done = Recorded()
    for event in events:
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
    enrol(connection, hospital, twin_id, patient, now)
    seq, woken = _advance(connection, twin_id, now)
    connection.execute(update(inbox).where(inbox.c.id == row).values(twin=twin_id, seq=seq))
    return woken


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


def _advance(connection: Connection, twin_id: str, now: int) -> tuple[int, bool]:
    statement = (
        update(twin)
        .where(twin.c.id == twin_id)
        .values(seq=twin.c.seq + 1, queued=func.coalesce(twin.c.queued, now), attempts=0, parked=None)
        .returning(twin.c.seq, twin.c.queued)
    )
    seq, queued = connection.execute(statement).one()
    return seq, queued == now


def wake(connection: Connection, twin_id: str, now: int, *, full: bool = False) -> bool:
    """Ask for an update without an event (timer, poll, full re-read); return whether it was idle."""
    values: dict[str, object] = {"queued": func.coalesce(twin.c.queued, now), "seq": twin.c.seq + 1}
    if full:
        values["full"] = func.coalesce(twin.c.full, now)
    values["due"] = case((twin.c.due <= now, None), else_=twin.c.due)
    statement = update(twin).where(twin.c.id == twin_id, twin.c.parked.is_(None)).values(**values)
    queued = connection.execute(statement.returning(twin.c.queued)).scalar()
    return queued == now


def unresolved(connection: Connection, hospital: str, limit: int) -> list[Waiting]:
    """Return events whose subject is not known yet, oldest first."""
    query = (
        select(inbox.c.id, inbox.c.twin, inbox.c.seq, inbox.c.received, inbox.c.sealed)
        .where(inbox.c.hospital == hospital, inbox.c.twin.is_(None), inbox.c.outcome.is_(None))
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [Waiting(*row) for row in connection.execute(query)]


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


def conclude(connection: Connection, row: int, outcome: str, detail: bytes | None, now: int) -> None:
    """Write what became of an event."""
    statement = update(inbox).where(inbox.c.id == row, inbox.c.outcome.is_(None))
    connection.execute(statement.values(outcome=outcome, detail=detail, done=now))


def backlog(connection: Connection, limit: int) -> int:
    """Return how many events wait, counting no further than ``limit`` + 1."""
    waiting = select(inbox.c.id).where(inbox.c.outcome.is_(None)).limit(limit + 1).subquery()
    return connection.execute(select(func.count()).select_from(waiting)).scalar_one()


def counts(connection: Connection) -> dict[str, int]:
    """Return the number of events by outcome; ``waiting`` where there is none yet."""
    query = select(func.coalesce(inbox.c.outcome, "waiting"), func.count()).group_by(inbox.c.outcome)
    return {row[0]: row[1] for row in connection.execute(query)}
