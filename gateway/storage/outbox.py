"""Assessments and their deliveries.

``assessment`` is the system of record, one row a version; ``delivery`` says which version stands in
the EHR. A delivery has a fenced lease of its own, so that one process writes an assessment at a time
and an older version never lands on a newer one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from gateway.storage.inbox import insert_new
from gateway.storage.schema import assessment, delivery, inbox, readback

PENDING, INTENDED, PARKED, CONFIRMED, KEPT, REFUSED, WITHHELD = (
    "pending",  # to be written
    "intended",  # about to be created: the EHR may or may not have it
    "parked",  # an ambiguous write: to be looked up before anything else
    "confirmed",  # written and read back
    "kept",  # stays here: this EHR takes no RiskAssessment
    "refused",  # the EHR will not take it
    "withheld",  # consent or labels forbid it
)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an assessment, sealed."""

    id: str
    version: int
    twin: str
    tenant: str
    model: str
    family: str
    live: bool
    seq: int
    recorded: int
    sealed: bytes
    provenance: bytes
    labels: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed delivery."""

    id: str
    twin: str
    version: int
    written: int
    state: str
    remote: bytes | None
    attempts: int
    fence: int


def updates(connection: Connection, twin_id: str) -> list[int]:
    """Return the numbers of the updates from which an assessment of the twin was written."""
    query = select(assessment.c.seq).where(assessment.c.twin == twin_id).distinct()
    return list(connection.execute(query).scalars())


def latest(connection: Connection, twin_id: str) -> dict[str, Version]:
    """Return the newest version of each assessment of the twin by id."""
    newest = (
        select(assessment.c.id, func.max(assessment.c.version).label("version"))
        .where(assessment.c.twin == twin_id)
        .group_by(assessment.c.id)
        .subquery()
    )
    joined = assessment.join(
        newest, and_(assessment.c.id == newest.c.id, assessment.c.version == newest.c.version)
    )
    rows = connection.execute(select(assessment).select_from(joined))
    return {row.id: Version(*row) for row in rows}


def read(connection: Connection, identifier: str, version: int | None = None) -> Version | None:
    """Return a version of one assessment, the newest unless told."""
    query = (
        select(assessment).where(assessment.c.id == identifier).order_by(assessment.c.version.desc()).limit(1)
    )
    if version is not None:
        query = query.where(assessment.c.version == version)
    row = connection.execute(query).one_or_none()
    return Version(*row) if row else None


def append(connection: Connection, new: Version, now: int, state: str) -> None:
    """Keep a new version and ask for its delivery in the same transaction."""
    values = {name: getattr(new, name) for name in new.__slots__}
    connection.execute(insert(assessment).values(**values))
    row = insert_new(
        connection, delivery, id=new.id, twin=new.twin, version=new.version, state=state, next=now
    )
    if row is None:
        statement = update(delivery).where(delivery.c.id == new.id)
        unsettled = delivery.c.state.in_((INTENDED, PARKED))
        connection.execute(
            statement.where(~unsettled).values(version=new.version, state=state, next=now, attempts=0)
        )
        connection.execute(statement.where(unsettled).values(version=new.version))


def open_deliveries(connection: Connection, twin_id: str, now: int) -> list[str]:
    """Return the twin's deliveries that can be tried now."""
    query = select(delivery.c.id).where(delivery.c.twin == twin_id, _ready(now))
    return list(connection.execute(query).scalars())


def waiting(connection: Connection, now: int, limit: int) -> list[str]:
    """Return twins with deliveries that can be tried now."""
    query = select(delivery.c.twin).where(_ready(now)).distinct().limit(limit)
    return list(connection.execute(query).scalars())


def _ready(now: int) -> ColumnElement[bool]:
    return and_(
        delivery.c.state.in_((PENDING, INTENDED, PARKED)), delivery.c.next <= now, delivery.c.lease < now
    )


def claim(connection: Connection, identifier: str, now: int, lease: int) -> Delivery | None:
    """Take the lease of one delivery if it is open and nobody holds it."""
    statement = (
        update(delivery)
        .where(delivery.c.id == identifier, _ready(now))
        .values(lease=now + lease, fence=delivery.c.fence + 1, attempts=delivery.c.attempts + 1)
        .returning(
            delivery.c.id,
            delivery.c.twin,
            delivery.c.version,
            delivery.c.written,
            delivery.c.state,
            delivery.c.remote,
            delivery.c.attempts,
            delivery.c.fence,
        )
    )
    row = connection.execute(statement).one_or_none()
    return Delivery(*row) if row else None


def renew(connection: Connection, held: Delivery, until: int) -> None:
    """Keep the lease until then, if it is still ours."""
    statement = update(delivery).where(delivery.c.id == held.id, delivery.c.fence == held.fence)
    connection.execute(statement.where(delivery.c.lease > 0).values(lease=until))


def intend(connection: Connection, held: Delivery, now: int) -> bool:
    """Record, before a create, that the EHR may hold it from now on."""
    statement = update(delivery).where(delivery.c.id == held.id, delivery.c.fence == held.fence)
    return connection.execute(statement.values(state=INTENDED, intended=now)).rowcount == 1


def confirm(
    connection: Connection, held: Delivery, seq: int, remote: bytes, now: int
) -> tuple[bool, list[int]]:
    """Note that ``held.version`` was read back.

    Returns
    -------
    newer
        Whether a newer version waits.
    received
        When the events that it answers were received.
    """
    statement = (
        update(delivery)
        .where(delivery.c.id == held.id, delivery.c.fence == held.fence)
        .values(written=held.version, remote=remote, lease=0, attempts=0, reason=None)
        .returning(delivery.c.version)
    )
    wanted = connection.execute(statement).scalar()
    if wanted is None:
        return False, []
    newer: bool = wanted > held.version
    state = PENDING if newer else CONFIRMED
    connection.execute(update(delivery).where(delivery.c.id == held.id).values(state=state, next=now))
    received = _answered(connection, held, seq)
    insert_new(connection, readback, id=held.id, version=held.version, twin=held.twin, seq=seq, confirmed=now)
    return newer, received


def _answered(connection: Connection, held: Delivery, seq: int) -> list[int]:
    before = select(func.coalesce(func.max(readback.c.seq), 0)).where(readback.c.id == held.id)
    after = connection.execute(before).scalar_one()
    query = select(inbox.c.received).where(inbox.c.twin == held.twin, inbox.c.seq > after, inbox.c.seq <= seq)
    return list(connection.execute(query).scalars())


def reopen(connection: Connection, twin: str, now: int) -> None:
    """Have withheld deliveries tried again: what forbade them may be gone."""
    withheld = (delivery.c.twin == twin) & (delivery.c.state == WITHHELD)
    connection.execute(update(delivery).where(withheld).values(state=PENDING, next=now, attempts=0))


def settle(connection: Connection, held: Delivery, state: str, reason: str, again: int) -> None:
    """Give the delivery back in ``state``; it is tried again at ``again`` if the state is open."""
    statement = update(delivery).where(delivery.c.id == held.id, delivery.c.fence == held.fence)
    connection.execute(statement.values(state=state, reason=reason, next=again, lease=0))


def deliveries(connection: Connection, twin_id: str) -> list[dict[str, object]]:
    """Return the twin's deliveries as they stand."""
    rows = connection.execute(select(delivery).where(delivery.c.twin == twin_id).order_by(delivery.c.id))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name begins so
