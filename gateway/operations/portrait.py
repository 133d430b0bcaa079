"""What a page shows of a twin, once it was decided and recorded that it may be shown.

The patient's name stands only in the sealed body of the Patient: it is opened for display, and never
before the decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from consent.vault import KeyDestroyed
from gateway.errors import NotFound, NotPermitted
from gateway.operations.assess import assessment_id
from gateway.operations.calibrating import Standing, standings
from gateway.operations.commit import evidence_key
from gateway.operations.disclosure import Reader, Sitter, permitted, sitter
from gateway.operations.services import Hospital, Services
from gateway.operations.switches import Switch
from gateway.storage import outbox
from gateway.storage.engine import from_us
from gateway.storage.schema import hospital as hospitals
from gateway.storage.schema import readback
from gateway.storage.schema import twin as twins
from gateway.telemetry import hop
from twin_engine import store
from twin_engine.model import ModelCard
from twin_engine.store import EvidenceRecord, Snapshot
from twin_engine.threads import ready
from twin_engine.twin import Forecast, Refusal, Sex

PAGE = 50
EARLIER = timedelta(hours=3)
_A_DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Face:
    """Who the patient is. ``age`` in completed years."""

    name: str | None = None
    sex: Sex | None = None
    birth_date: date | None = None
    age: int | None = None
    deceased: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where an assessment stands: ``state`` of its delivery, ``confirmed`` when it was read back."""

    state: str
    version: int
    written: int
    confirmed: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """One answer of one model; ``before`` is what it foretold of the course up to now."""

    card: ModelCard
    code: str
    answer: Forecast | Refusal
    delivered: Delivered | None
    before: Forecast | None = None

    def live(self, now: datetime) -> Forecast | None:
        """Return the forecast while it holds."""
        holds = isinstance(self.answer, Forecast) and self.answer.expires > now
        return self.answer if holds and isinstance(self.answer, Forecast) else None


@dataclass(frozen=True, slots=True)
class Portrait:
    """One twin as it may be shown. Without a current state there are no answers and no evidence."""

    twin: str
    hospital: Hospital
    state: str
    parked: bool
    read: datetime | None
    at: datetime
    face: Face
    told: tuple[Told, ...]
    evidence: tuple[EvidenceRecord, ...]
    standings: Mapping[str, Standing]

    @property
    def not_shown(self) -> tuple[Switch, ...]:
        """Return the models that are not on at this hospital."""
        held = (standing.switch for standing in self.standings.values())
        return tuple(switch for switch in held if switch.state != "on")


@dataclass(frozen=True, slots=True)
class Album:
    """Some twins: those that may be shown, how many may not, and where the next page begins."""

    portraits: tuple[Portrait, ...]
    closed: int
    further: str | None


class _Name(msgspec.Struct, frozen=True):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()

    def __str__(self) -> str:
        parts = (*self.given, self.family)
        return self.text or " ".join(part for part in parts if part)


class _Names(msgspec.Struct, frozen=True):
    name: tuple[_Name, ...] = ()


def one(services: Services, reader: Reader, twin: str) -> Portrait:
    """Return one twin, audited before.

    Raises
    ------
    NotFound
        There is no such twin.
    NotPermitted
        It may not be shown to this reader.
    audit.log.AuditUnavailable
        The reading could not be recorded.
    """
    with services.journal.reading() as connection:
        row = connection.execute(_ours(services).where(twins.c.id == twin)).one_or_none()
    if row is None:
        raise NotFound
    shown = permitted(services, reader, (sitter(services, row),), "page")
    if not shown:
        raise NotPermitted("This patient's twin is not available to you.")
    return _portrait(services, shown[0], standings(services, shown[0].row.hospital))


def some(services: Services, reader: Reader, after: str) -> Album:
    """Return up to ``PAGE`` twins that follow ``after`` in the order of their identifiers, audited before."""
    query = _ours(services).where(twins.c.id > after).order_by(twins.c.id).limit(PAGE + 1)
    with services.journal.reading() as connection:
        rows = connection.execute(query).all()
    page = rows[:PAGE]
    sitters = [found for found in (_unless_erased(services, row) for row in page) if found]
    seen = permitted(services, reader, sitters, "list")
    stood = {hospital: standings(services, hospital) for hospital in {one.row.hospital for one in seen}}
    portraits = tuple(_portrait(services, one, stood[one.row.hospital]) for one in seen)
    further = page[-1].id if len(rows) > PAGE else None
    return Album(portraits, len(page) - len(portraits), further)


def _ours(services: Services) -> Any:
    belongs = twins.join(hospitals, twins.c.hospital == hospitals.c.id)
    return select(twins).select_from(belongs).where(hospitals.c.tenant == services.settings.tenant)


def _unless_erased(services: Services, row: Row[Any]) -> Sitter | None:
    try:
        return sitter(services, row)
    except KeyDestroyed:
        return None


def _portrait(services: Services, shown: Sitter, stood: Mapping[str, Standing]) -> Portrait:
    row, now = shown.row, services.clock()
    current = row.state == "current"
    with services.journal.reading() as connection, hop("seal"):
        face = _face(connection, services, shown, now)
        snapshots = store.latest_snapshots(connection, services.vault, row.id) if current else ()
        delivered = _deliveries(connection, row.id)
        told = tuple(_told(services, row.id, _shown(snapshots, stood), delivered))
        told = tuple(_with_earlier(connection, services, row.id, one, now) for one in told)
    return Portrait(
        twin=row.id,
        hospital=shown.hospital,
        state=row.state,
        parked=row.parked is not None,
        read=from_us(row.read) if row.read else None,
        at=now,
        face=face,
        told=told,
        evidence=shown.evidence if current else (),
        standings=stood,
    )


def _with_earlier(connection: Connection, services: Services, twin: str, told: Told, now: datetime) -> Told:
    """Return ``told`` with the oldest forecast of the last hours, where the model foretells hours."""
    courses = told.answer.courses if isinstance(told.answer, Forecast) else ()
    if not any(course.times[-1] <= _A_DAY for course in courses):
        return told
    since = now - EARLIER
    for snapshot in store.snapshots_since(connection, services.vault, twin, told.card.name, since):
        for answer in snapshot.answers:
            if isinstance(answer, Forecast) and answer.family == told.answer.family and answer.courses:
                return told if answer == told.answer else replace(told, before=answer)
    return told


def _shown(snapshots: tuple[Snapshot, ...], stood: Mapping[str, Standing]) -> tuple[Snapshot, ...]:
    """Return what models say that are on here."""
    return tuple(one for one in snapshots if one.model in stood and stood[one.model].switch.state == "on")


def _face(connection: Connection, services: Services, shown: Sitter, now: datetime) -> Face:
    person = next((record for record in shown.evidence if record.reference.startswith("Patient/")), None)
    if person is None:
        return Face()
    key = evidence_key(services, shown.twin, person.reference)
    name = _name(store.evidence_body(connection, services.vault, shown.twin, key) or b"")
    subject = person.subject
    if subject is None:
        return Face(name)
    return Face(name, subject.sex, subject.birth_date, subject.age_at(now), subject.deceased)


def _name(body: bytes) -> str | None:
    """Return the official or usual name of a Patient; None where none can be read."""
    try:
        names = msgspec.json.decode(body, type=ready(_Names)).name
    except msgspec.MsgspecError:
        return None
    ranks = {"official": 0, "usual": 1, None: 2}
    ordered = sorted(names, key=lambda name: ranks.get(name.use, 3))
    return next((str(name) for name in ordered if str(name)), None)


def _deliveries(connection: Connection, twin: str) -> Mapping[str, Delivered]:
    query = select(readback.c.id, func.max(readback.c.confirmed).label("at")).where(readback.c.twin == twin)
    confirmed = {row.id: row.at for row in connection.execute(query.group_by(readback.c.id))}
    found = {}
    for row in outbox.deliveries(connection, twin):
        identifier = str(row["id"])
        at = from_us(confirmed[identifier]) if identifier in confirmed else None
        version, written = (int(str(row[name])) for name in ("version", "written"))
        found[identifier] = Delivered(str(row["state"]), version, written, at)
    return found


def _told(
    services: Services, twin: str, snapshots: tuple[Snapshot, ...], delivered: Mapping[str, Delivered]
) -> list[Told]:
    return [
        Told(
            services.models[snapshot.model].card,
            snapshot.code,
            answer,
            delivered.get(assessment_id(services, twin, snapshot.model, answer.family)),
        )
        for snapshot in snapshots
        for answer in snapshot.answers
    ]
