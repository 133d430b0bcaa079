"""Look after one Subscription: is it alive, and what did it miss?

An EHR that could not reach us puts a Subscription in ``error`` and falls silent, so its status is
polled. One that is not active is asked for anew, and the window since the last reading is read by
``_lastUpdated`` with an overlap. A notification without content leads here too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from sqlalchemy import Row, select

from fhir_mapping.identity import SOURCE
from fhir_mapping.notification import Change
from gateway.hospitals import catch_up as ladder
from gateway.hospitals import subscribe
from gateway.hospitals.catch_up import Seen
from gateway.hospitals.subscribe import Wanted
from gateway.operations.receive import notified
from gateway.operations.resolve import looked_up
from gateway.operations.services import Hospital, Services
from gateway.storage import inbox, leases
from gateway.storage.engine import from_us
from gateway.storage.schema import subscription
from gateway.telemetry import hop, log

MICROSECONDS = 1_000_000
BATCH = 500


class Channel(msgspec.Struct, frozen=True):
    """The unguessable path and the secret of one Subscription; kept sealed."""

    path: str
    secret: str


@dataclass(frozen=True, slots=True)
class Round:
    """One look at one Subscription."""

    services: Services
    hospital: Hospital
    row: Row[tuple[object, ...]]
    began: int


def catch_up(services: Services, identifier: str) -> None:
    """Look after one Subscription, unless somebody does already."""
    now = services.now()
    with services.journal.transaction() as connection:
        fence = leases.claim_subscription(
            connection, identifier, now, int(services.settings.lease * MICROSECONDS)
        )
        row = connection.execute(select(subscription).where(subscription.c.id == identifier)).one_or_none()
    if fence is None or row is None:
        return
    turn = Round(services, services.hospital(row.hospital), row, now)
    values: dict[str, object] = {"checked": now}
    try:
        status = _keep_alive(turn)
        values["status"] = status
        if row.dirty is not None or row.status != "active" or status != "active":
            _read_window(turn)
            values["dirty"] = None
        values["caught_up"] = now
    finally:
        with services.journal.transaction() as connection:
            leases.finish_subscription(connection, identifier, fence, **values)


def _keep_alive(turn: Round) -> str:
    """Return the status; a Subscription that is not active is asked for anew."""
    remote = str(turn.row.remote_id or "")
    standing = subscribe.look(turn.hospital.connection, remote) if remote else None
    if standing is not None and standing.status in ("active", "requested"):
        return standing.status
    log().warning(
        "subscription-lost", subscription=turn.row.id, status=standing.status if standing else "unregistered"
    )
    register(turn.services, turn.hospital, turn.row.id)
    return "requested"


def register(services: Services, hospital: Hospital, identifier: str) -> None:
    """Have the Subscription stand in the EHR and remember under which id."""
    with services.journal.reading() as connection:
        row = connection.execute(select(subscription).where(subscription.c.id == identifier)).one()
    channel = open_channel(services, identifier, row.sealed)
    endpoint = f"{services.settings.url}/notifications/{channel.path}"
    wanted = Wanted(
        row.criteria, endpoint, f"Authorization: Bearer {channel.secret}", "application/fhir+json"
    )
    standing = subscribe.register(hospital.connection, wanted, hospital.profile, row.remote_id)
    with services.journal.transaction() as connection:
        statement = subscription.update().where(subscription.c.id == identifier)
        connection.execute(statement.values(remote_id=standing.id, status=standing.status))


def open_channel(services: Services, identifier: str, sealed: bytes) -> Channel:
    opened = services.unseal(services.ours, "subscription.sealed", identifier, sealed)
    return msgspec.msgpack.decode(opened, type=Channel)


def digest(text: str) -> bytes:
    """Return what is stored of a path or secret to recognise it by."""
    return hashlib.sha256(text.encode()).digest()


def _read_window(turn: Round) -> None:
    services, hospital = turn.services, turn.hospital
    kind = str(turn.row.criteria).split("?", 1)[0]
    if not hospital.profile.searchable(kind, "_lastUpdated"):
        return  # the reconciliation of each twin finds it
    since = from_us(turn.row.caught_up)
    overlap = timedelta(seconds=services.settings.overlap)
    with hop("pull"):
        seen = [
            one
            for one in ladder.changed_since(hospital.connection, turn.row.criteria, since, overlap)
            if not _ours(one)
        ]
    services.audit.append(looked_up(services, hospital, len(seen)))
    woken: set[str] = set()
    for start in range(0, len(seen), BATCH):
        events = [
            notified(services, hospital.id, _change(one), turn.began) for one in seen[start : start + BATCH]
        ]
        with services.journal.transaction() as connection:
            woken |= inbox.record(connection, events).wake
    for twin in woken:
        services.queue.synchronise(twin, services.settings.debounce)


def _ours(seen: Seen) -> bool:
    return seen.source is not None and seen.source.split("#", 1)[0] == SOURCE


def _change(seen: Seen) -> Change:
    return Change(
        type=seen.type,
        id=seen.id,
        version=seen.version,
        subject=seen.patient.removeprefix("Patient/") if seen.patient else None,
        deleted=False,
        content_hash="",
        own=False,
    )
