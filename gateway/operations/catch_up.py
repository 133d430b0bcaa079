"""Look after one Subscription: is it alive, and what did it miss?

An EHR that could not reach us puts a Subscription in ``error`` and falls silent, so its status is
polled. One that is not active is asked for anew, and the window since the last reading is read by
``_lastUpdated`` with an overlap. So it is where the EHR kept the Subscription but may have lost what it
told: after a notification without content, a gap in its numbers, a look that came late, and at a process's
first look. ``caught_up`` moves only after a reading, or a look in time with nothing to suspect.

Only id, meta, subject and patient are asked for. What an EHR that ignores ``_elements`` sends beyond
them is dropped unread: nothing of it is kept or logged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Row, case, select

from fhir_mapping.identity import SOURCE
from fhir_mapping.notification import Change
from gateway.hospitals import catch_up as ladder
from gateway.hospitals import subscribe
from gateway.hospitals.catch_up import Seen
from gateway.hospitals.errors import HospitalError, HospitalUnavailable
from gateway.hospitals.subscribe import Wanted
from gateway.operations.consented import ask_for_hospital, looked_up
from gateway.operations.receive import notified
from gateway.operations.services import Hospital, Services
from gateway.storage import inbox, leases
from gateway.storage.engine import Database, from_us
from gateway.storage.schema import subscription
from gateway.telemetry import hop, log, place
from twin_engine.threads import ready

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
        values["status"] = _keep_alive(turn)
        if _unsuspicious(turn, values["status"]) or _read_window(turn):
            values["caught_up"] = now
        values["dirty"] = case((subscription.c.dirty == row.dirty, None), else_=subscription.c.dirty)
    finally:
        with services.journal.transaction() as connection:
            leases.finish_subscription(connection, identifier, fence, **values)


def _unsuspicious(turn: Round, status: object) -> bool:
    """Return whether the EHR must have told of everything since the last look."""
    row, first = turn.row, _is_first_look(turn)
    late = turn.began - row.checked > 2 * turn.services.settings.subscription_interval * MICROSECONDS
    behind = row.caught_up < row.checked  # an earlier window could not be read
    return status == row.status == "active" and row.dirty is None and not (first or late or behind)


# While no process ran, an EHR may have tried us, given up an event and kept the Subscription.
_looked: WeakKeyDictionary[Database, set[str]] = WeakKeyDictionary()


def _is_first_look(turn: Round) -> bool:
    known = _looked.setdefault(turn.services.journal, set())
    first = turn.row.id not in known
    known.add(turn.row.id)
    return first


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
    topic = hospital.profile.topics.get(row.criteria.partition("?")[0])
    secret = f"Authorization: Bearer {channel.secret}"
    wanted = Wanted(row.criteria, endpoint, secret, "application/fhir+json", topic)
    standing = subscribe.register(hospital.connection, wanted, hospital.profile, row.remote_id)
    with services.journal.transaction() as connection:
        statement = subscription.update().where(subscription.c.id == identifier)
        connection.execute(statement.values(remote_id=standing.id, status=standing.status))
        anew = subscription.c.remote_id.is_distinct_from(row.remote_id)  # another one counts anew
        connection.execute(statement.where(anew).values(event_number=None))


def open_channel(services: Services, identifier: str, sealed: bytes) -> Channel:
    opened = services.unseal(services.ours, "subscription.sealed", identifier, sealed)
    return msgspec.msgpack.decode(opened, type=ready(Channel))


def digest(text: str) -> bytes:
    """Return what is stored of a path or secret to recognise it by."""
    return hashlib.sha256(text.encode()).digest()


def _read_window(turn: Round) -> bool:
    """Journal what changed since the last reading; return whether it could be read."""
    services, hospital = turn.services, turn.hospital
    kind = str(turn.row.criteria).split("?", 1)[0]
    if not hospital.profile.searchable(kind, "_lastUpdated"):
        return False  # the reconciliation of each twin finds it
    if not ask_for_hospital(services, hospital, f"which {kind} changed since the last reading, and whose"):
        return False
    try:
        seen = _changed(turn)
    except HospitalUnavailable:
        raise
    except HospitalError as refusal:
        log().warning("window-refused", subscription=turn.row.id, fault=place(refusal))
        return False
    services.audit.append(looked_up(services, hospital, f"the subjects of {len(seen)} {kind}"))
    _journal(turn, seen)
    return True


def _changed(turn: Round) -> list[Seen]:
    since, overlap = from_us(turn.row.caught_up), timedelta(seconds=turn.services.settings.overlap)
    with hop("pull"):
        found = ladder.changed_since(turn.hospital.connection, turn.row.criteria, since, overlap)
        return [one for one in found if not _ours(one)]


def _journal(turn: Round, seen: list[Seen]) -> None:
    services, hospital = turn.services, turn.hospital
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


def _of_a_patient(seen: Seen) -> bool:
    return seen.patient is not None and seen.patient.startswith("Patient/")


def _change(seen: Seen) -> Change:
    return Change(
        type=seen.type,
        id=seen.id,
        version=seen.version,
        subject=(seen.patient or "").removeprefix("Patient/") if _of_a_patient(seen) else None,
        deleted=False,
        content_hash="",
        own=False,
    )
