"""A notification arrives: authenticate the channel, journal what changed, wake the twin.

A notification is a hint. Nothing in it is believed but the reference; the resource is read again
from the registered EHR. The answer is given after the journal has committed. Who told of whom is
recorded in the audit log by the worker that takes the event, together with the first decision about
that patient and so before anything is done with it; a refusal is recorded at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, case, select, update

from audit.record import Event
from fhir_mapping import notification
from fhir_mapping.notification import Change, Notification
from gateway.errors import NotAuthenticated, NotFound, Overloaded
from gateway.operations.services import Services
from gateway.storage import inbox
from gateway.storage.engine import Database
from gateway.storage.schema import subscription
from gateway.telemetry import hop
from twin_engine.threads import ready

# Something changed, or the EHR has given up telling: what it was is found by asking.
MISSED = frozenset({"empty", "query-error"})


@dataclass(frozen=True, slots=True)
class Delivered:
    """A request as it reached the channel."""

    channel: str
    secret: str
    type: str | None
    id: str | None
    content_type: str | None
    body: bytes
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done with it."""

    kind: str
    new: int
    duplicates: int


def receive(services: Services, delivered: Delivered) -> Receipt:
    """Journal a notification.

    Raises
    ------
    NotFound, NotAuthenticated
        No such channel; wrong secret.
    Overloaded
        Too many events wait.
    fhir_mapping.errors.Unusable
        The body is no notification.
    """
    with hop("receive"):
        channel = _authenticate(services, delivered)
        notice = notification.read(
            delivered.type, delivered.id, delivered.content_type, delivered.body, deleted=delivered.deleted
        )
        recorded, missed = _record(services, channel, notice)
    if not notice.events:
        with hop("audit"):
            services.audit.append(_event(services, notice, recorded))
    _wake(services, channel, recorded, missed=missed)
    return Receipt(notice.kind, recorded.new, recorded.duplicates)


@dataclass(frozen=True, slots=True)
class Channel:
    """The Subscription that a request came through."""

    id: str
    hospital: str


def _authenticate(services: Services, delivered: Delivered) -> Channel:
    moment = services.now() // FRESH
    named = hashlib.sha256(delivered.channel.encode()).digest()
    row = _channel(services.journal, named, moment)
    given = hashlib.sha256(delivered.secret.encode()).digest()
    if not hmac.compare_digest(given, row.secret):
        services.audit.append(refused(services, row.id))
        raise NotAuthenticated("the secret of this channel is missing or wrong")
    limit = services.settings.backlog_limit
    if _backlog(services.journal, limit, moment) > limit:
        raise Overloaded("too many events wait; send this again later")
    return Channel(row.id, row.hospital)


# Microseconds for which a process believes what it knows of a channel and of the queue: a burst asks the
# database once, and a channel that was taken away closes within them.
FRESH = 1_000_000


@lru_cache(maxsize=1024)
def _channel(journal: Database, named: bytes, _moment: int) -> Row[Any, Any, Any]:
    with journal.reading() as connection:
        row = connection.execute(_BY_CHANNEL, {"named": named}).one_or_none()
    if row is None:
        raise NotFound  # not remembered: the channel may be made in the next instant
    return row


@lru_cache(maxsize=16)
def _backlog(journal: Database, limit: int, _moment: int) -> int:
    with journal.reading() as connection:
        return inbox.backlog(connection, limit)


_BY_CHANNEL = select(subscription.c.id, subscription.c.hospital, subscription.c.secret).where(
    subscription.c.channel == bindparam("named")
)


def refused(services: Services, channel: str) -> Event:
    """Return the record of a notification whose secret was wrong."""
    return Event(
        kind="notification",
        action="execute",
        outcome="minor-failure",
        tenant=services.settings.tenant,
        actor=f"subscription/{channel}",
        at=services.clock(),
        detail="refused: wrong secret",
    )


def _record(services: Services, channel: Channel, notice: Notification) -> tuple[inbox.Recorded, bool]:
    """Journal the events; return also whether something was missed and has to be asked for."""
    now = services.now()
    mark = _mark(services, channel.id, notice)
    changes = [change for change in notice.events if not change.own]
    events = [notified(services, channel.hospital, change, now, mark) for change in changes]
    with services.journal.transaction() as connection:
        missed = _gap(connection, channel.id, notice) or notice.kind in MISSED
        if missed:
            connection.execute(_DIRTIED, {"named": channel.id, "at": now})
        return inbox.record(connection, events), missed


def _mark(services: Services, identifier: str, notice: Notification) -> str:
    """Return what only a repetition of this notification says: an EHR counts within one Subscription."""
    if notice.event_number is None:
        return secrets.token_hex(8)
    standing = select(subscription.c.remote_id).where(subscription.c.id == identifier)
    with services.journal.reading() as connection:
        remote = connection.execute(standing).scalar()
    return f"{identifier}-{remote}-{notice.event_number}"


def _gap(connection: Connection, identifier: str, notice: Notification) -> bool:
    """Keep the highest event number; return whether the EHR has told of more than reached us."""
    number = notice.event_number
    if number is None:
        return False
    mine = subscription.c.id == identifier
    known = connection.execute(select(subscription.c.event_number).where(mine).with_for_update()).scalar()
    begins = notice.kind == "handshake"
    if begins or known is None or number > known:
        connection.execute(update(subscription).where(mine).values(event_number=number))
    return not begins and number - len(notice.events) > (known or 0)


# Each leaves a later mark, so that one that comes during a catch-up is not taken for answered by it.
_DIRTIED = (
    update(subscription)
    .where(subscription.c.id == bindparam("named"))
    .values(
        dirty=case((subscription.c.dirty >= bindparam("at"), subscription.c.dirty + 1), else_=bindparam("at"))
    )
)


def notified(services: Services, hospital: str, change: Change, now: int, mark: str = "") -> inbox.Notified:
    """Return the journal's form of a change: a keyed hash to recognise it by, the rest sealed.

    ``mark`` tells apart what names neither version nor content: without it a later change of the same
    resource would be taken for a repetition.
    """
    edition = _edition(change) or mark or secrets.token_hex(8)
    key = services.pseudonyms.digest("event", hospital, change.type, change.id, edition)
    twin = services.twin_id(hospital, change.subject) if change.subject else None
    return inbox.Notified(
        hospital=hospital,
        dedupe=key,
        sealed=seal_change(services, hospital, change),
        received=now,
        twin=twin,
        patient=seal_patient(services, twin, change.subject) if twin and change.subject else None,
    )


def _edition(change: Change) -> str:
    told = (
        f"v{change.version}" if change.version else f"h{change.content_hash}" if change.content_hash else ""
    )
    return f"deleted-{told}" if change.deleted and told else told


def seal_change(services: Services, hospital: str, change: Change) -> bytes:
    return services.seal(services.ours, "inbox.sealed", hospital, msgspec.msgpack.encode(change))


def open_change(services: Services, hospital: str, sealed: bytes) -> Change:
    """Return the change as it was notified."""
    return msgspec.msgpack.decode(
        services.unseal(services.ours, "inbox.sealed", hospital, sealed), type=ready(Change)
    )


def seal_patient(services: Services, twin: str, patient: str) -> bytes:
    return services.seal(services.ours, "twin.patient", twin, patient.encode())


def open_patient(services: Services, twin: str, sealed: bytes) -> str:
    """Return the patient's id in the EHR."""
    return services.unseal(services.ours, "twin.patient", twin, sealed).decode()


def _event(services: Services, notice: Notification, recorded: inbox.Recorded) -> Event:
    return Event(
        kind="notification",
        action="execute",
        outcome="success",
        tenant=services.settings.tenant,
        actor="hospital",
        at=services.clock(),
        detail=f"{notice.kind}: {recorded.new} new, {recorded.duplicates} known",
    )


def _wake(services: Services, channel: Channel, recorded: inbox.Recorded, *, missed: bool) -> None:
    for twin in recorded.wake:
        services.queue.synchronise(twin, services.settings.debounce)
    if recorded.unresolved:
        services.queue.resolve(channel.hospital)
    if missed:
        services.queue.catch_up(channel.id)
