"""The work of a twin: one worker at a time, fenced.

``claim`` hands out a lease with a growing fence number; ``finish`` takes effect only if the fence is
unchanged, so a worker that slept through its lease can do no harm. The same holds for the catch-up
of a Subscription.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from gateway.storage.schema import subscription, twin


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on a twin: events ``done_seq`` < seq <= ``seq`` are ours to do."""

    twin: str
    hospital: str
    patient: bytes
    seq: int
    done_seq: int
    fence: int
    attempts: int
    full: bool
    read: int
    state: str


DISCONNECTED = "Disconnected"  # why no twin of an EHR is tried that we were disconnected from


class Fenced(Exception):
    """The lease was lost: somebody else holds the twin now."""


def claim(connection: Connection, twin_id: str, now: int, lease: int) -> Claim | None:
    """Take the twin's lease if there is work and nobody holds it."""
    statement = (
        update(twin)
        .where(
            twin.c.id == twin_id, twin.c.seq > twin.c.done_seq, twin.c.lease < now, twin.c.parked.is_(None)
        )
        .values(lease=now + lease, fence=twin.c.fence + 1, attempts=twin.c.attempts + 1)
        .returning(
            twin.c.id,
            twin.c.hospital,
            twin.c.patient,
            twin.c.seq,
            twin.c.done_seq,
            twin.c.fence,
            twin.c.attempts,
            twin.c.full,  # SQLite 3.40 says of any column in RETURNING that it IS NOT NULL
            twin.c.read,
            twin.c.state,
        )
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    full = row.full is not None
    return Claim(
        row.id,
        row.hospital,
        row.patient,
        row.seq,
        row.done_seq,
        row.fence,
        row.attempts,
        full,
        row.read,
        row.state,
    )


def finish(connection: Connection, held: Claim, now: int, *, state: str, due: int | None) -> bool:
    """Release the lease and mark the events done; return whether more arrived meanwhile.

    Raises
    ------
    Fenced
        The fence moved: nothing of this transaction may stand.
    """
    values: dict[str, object] = {
        "done_seq": held.seq,
        "lease": 0,
        "attempts": 0,
        "state": state,
        "due": due,
        "read": now,
    }
    if held.full:
        values |= {"full": None, "reconciled": now}
    statement = update(twin).where(_held(held)).values(**values).returning(twin.c.seq)
    seq = connection.execute(statement).scalar()
    if seq is None:
        raise Fenced
    more: bool = seq > held.seq
    connection.execute(update(twin).where(twin.c.id == held.twin).values(queued=now if more else None))
    return more


def renew(connection: Connection, held: Claim, until: int) -> None:
    """Keep the lease until then, if it is still ours."""
    connection.execute(update(twin).where(_held(held), twin.c.lease > 0).values(lease=until))


def release(
    connection: Connection, held: Claim, retry: int, *, attempts: int, parked: str | None = None
) -> None:
    """Give the lease back undone; the sweeper wakes the twin at ``retry``."""
    statement = update(twin).where(_held(held))
    connection.execute(statement.values(lease=retry, parked=parked, queued=retry, attempts=attempts))


def _held(held: Claim) -> ColumnElement[bool]:
    return and_(twin.c.id == held.twin, twin.c.fence == held.fence)


def stale(connection: Connection, now: int, patience: int, limit: int) -> list[str]:
    """Return twins with work that nobody holds and nobody was told of lately."""
    query = (
        select(twin.c.id)
        .where(
            twin.c.seq > twin.c.done_seq,
            twin.c.lease < now,
            twin.c.parked.is_(None),
            or_(twin.c.queued.is_(None), twin.c.queued < now - patience),
        )
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def told(connection: Connection, twin_ids: list[str], now: int) -> None:
    """Note that the queue has been told again."""
    if twin_ids:
        connection.execute(update(twin).where(twin.c.id.in_(twin_ids)).values(queued=now))


def unpark(connection: Connection, twin_ids: list[str] | None = None) -> list[str]:
    """Have parked twins tried again, all or these; return which were parked."""
    waiting = and_(twin.c.parked.is_not(None), twin.c.parked != DISCONNECTED)
    chosen = waiting if twin_ids is None else and_(waiting, twin.c.id.in_(twin_ids))
    statement = update(twin).where(chosen).values(parked=None, attempts=0, lease=0, queued=None)
    return list(connection.execute(statement.returning(twin.c.id)).scalars())


def due(connection: Connection, now: int, limit: int) -> list[str]:
    """Return twins whose forecast time alone has changed."""
    query = select(twin.c.id).where(twin.c.due <= now).limit(limit)  # a parked one too: it must not go stale
    return list(connection.execute(query).scalars())


def claim_subscription(connection: Connection, identifier: str, now: int, lease: int) -> int | None:
    """Take the lease of a Subscription's catch-up; return its fence."""
    statement = (
        update(subscription)
        .where(subscription.c.id == identifier, subscription.c.lease < now)
        .values(lease=now + lease, fence=subscription.c.fence + 1)
        .returning(subscription.c.fence)
    )
    return connection.execute(statement).scalar()


def finish_subscription(connection: Connection, identifier: str, fence: int, **values: object) -> bool:
    """Release the lease and keep ``values``, if the fence is unchanged."""
    statement = update(subscription).where(subscription.c.id == identifier, subscription.c.fence == fence)
    return connection.execute(statement.values(lease=0, **values)).rowcount == 1
