"""The one place where concrete parts meet: Settings -> Services."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Row, select

from audit.checkpoint import Signer
from audit.log import Log
from consent.keys import FileKeyProvider
from consent.policy import load_policy
from consent.pseudonyms import Pseudonyms
from consent.vault import Vault
from fhir_mapping.release import Release
from gateway.errors import NotFound
from gateway.hospitals.connection import Authorization, Connection
from gateway.hospitals.profile import Profile
from gateway.hospitals.token import BackendServices, Client, NoAccess, OpenAccess
from gateway.hospitals.transport import Limits, Transport
from gateway.operations.registry import Access
from gateway.operations.services import Hospital, Queue, Services
from gateway.settings import Settings
from gateway.storage.engine import Database
from gateway.storage.migrations import migrate
from gateway.storage.schema import hospital
from gateway.telemetry import log, place
from twin_engine.model import registered
from twin_engine.threads import ready


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Databases:
    """The three databases: what a patient's data, its keys and its audit trail live in is apart."""

    journal: Database
    vault: Database
    audit: Database

    @classmethod
    def open(cls, settings: Settings) -> Databases:
        """Open and bring to the newest schema."""
        opened = cls(*(Database(settings.database_url(name)) for name in ("journal", "vault", "audit")))
        for name in ("journal", "vault", "audit"):
            migrate(getattr(opened, name), name)
        return opened

    def close(self) -> None:
        for database in (self.journal, self.vault, self.audit):
            database.close()


def wire(
    settings: Settings, *, clock: Callable[[], datetime] = utc_now, queue: Queue | None = None
) -> Services:
    """Build the services of one process."""
    databases = Databases.open(settings)
    provider = _root_key(settings.root_key)
    vault = Vault(provider, databases.vault.transaction, settings.tenant)
    signer = Signer.from_seed(f"didymos/{settings.tenant}", vault.secret("audit-checkpoint"))
    hospitals = Hospitals(settings, databases.journal, vault, utc_now)  # tokens live in real time
    return Services(
        settings=settings,
        clock=clock,
        journal=databases.journal,
        vault=vault,
        pseudonyms=Pseudonyms(vault.secret("pseudonyms")),
        audit=Log(databases.audit.transaction, signer, vault, clock=clock),
        audit_store=databases.audit,
        auditor_key=signer.vkey,
        models=registered(),
        queue=queue or CeleryQueue(settings),
        hospital=hospitals.open,
    )


def _root_key(path: Path) -> FileKeyProvider:
    """Return the root key; the embedded default makes it at the first start."""
    try:
        return FileKeyProvider.create(path)
    except FileExistsError:
        return FileKeyProvider(path)


@dataclass(frozen=True, slots=True)
class _Opened:
    hospital: Hospital
    revision: int
    fresh_until: float


class Hospitals:
    """Connections to the registered EHRs, opened once a process and anew when their registration changes.

    Whether it changed is looked up when the last look is ``FRESH`` seconds old.
    """

    FRESH = 1.0

    def __init__(
        self,
        settings: Settings,
        journal: Database,
        vault: Vault,
        clock: Callable[[], datetime],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._vault = vault
        self._clock = clock
        self._ticks = ticks
        self._open: dict[str, _Opened] = {}
        self._lock = threading.Lock()

    def open(self, identifier: str) -> Hospital:
        """Return the hospital by id.

        Raises
        ------
        NotFound
            No hospital of that id is registered.
        """
        with self._lock:
            known, now = self._open.get(identifier), self._ticks()
            if known is None or now >= known.fresh_until:
                known = self._look(identifier, known, now + self.FRESH)
                self._open[identifier] = known
            return known.hospital

    def _look(self, identifier: str, known: _Opened | None, fresh_until: float) -> _Opened:
        """Return what is open if it still is as registered, else open it anew."""
        mine = hospital.c.id == identifier
        with self._journal.reading() as connection:
            revision = connection.execute(select(hospital.c.revision).where(mine)).scalar()
            if known is not None and known.revision == revision:
                return replace(known, fresh_until=fresh_until)
            row = connection.execute(select(hospital).where(mine)).one_or_none()
        if row is None:
            raise NotFound
        return _Opened(self._load(row), row.revision, fresh_until)

    def _load(self, row: Row[Any]) -> Hospital:
        profile = msgspec.json.decode(row.profile, type=ready(Profile))
        link = self._link(row, profile.release)
        return Hospital(
            id=row.id,
            name=row.name,
            base_url=row.base_url,
            connection=link,
            reader=link,
            profile=profile,
            policy=load_policy(row.policy),
            actors=frozenset(row.actors.split()),
            labels_attested=row.labels_attested,
        )

    def _link(self, row: Row[Any], release: Release) -> Connection:
        if not row.access:
            return Connection(row.base_url, NoAccess())
        opened = self._vault.open(f"tenant/{row.tenant}", ("hospital.access", row.id), row.access)
        access = msgspec.json.decode(opened, type=ready(Access))
        return connect(self._settings, row.base_url, access, self._clock, release)


def connect(
    settings: Settings,
    base_url: str,
    access: Access,
    clock: Callable[[], datetime],
    release: Release = "R4",
) -> Connection:
    """Return a connection to an EHR with the access and the release that it was registered with."""
    transport = Transport(Limits(deadline=settings.hospital_timeout))
    authorization: Authorization = OpenAccess()
    if access.client_id:
        client = Client(access.client_id, access.private_key, access.scopes)
        authorization = BackendServices(base_url, client, clock, transport)
    return Connection(base_url, authorization, transport=transport, release=release)


_SENT_AGAIN = (
    10.0  # seconds; the sweeper calls for a delivery until it is claimed, old calls need not pile up
)


class CeleryQueue:
    """Wake-up calls over Celery. One that cannot be sent is healed by the sweeper, so nothing fails."""

    def __init__(self, settings: Settings) -> None:
        from gateway.queue import (
            application,
        )  # importing Celery costs a command that queues nothing half a second

        self._celery: Any = application(settings)

    def synchronise(self, twin: str, delay: float) -> None:
        self._send("synchronise", twin, delay)

    def resolve(self, hospital_id: str) -> None:
        self._send("resolve", hospital_id, 0)

    def catch_up(self, subscription: str) -> None:
        self._send("catch_up", subscription, 0)

    def deliver(self, twin: str) -> None:
        self._send("deliver", twin, 0, expires=_SENT_AGAIN)

    def enrol(self, hospital_id: str) -> None:
        self._send("enrol", hospital_id, 0)

    def _send(self, task: str, identifier: str, delay: float, expires: float | None = None) -> None:
        try:
            self._celery.send_task(
                task, args=(identifier,), countdown=delay or None, expires=expires, retry=False
            )
        except Exception as error:  # noqa: BLE001  # whatever a broker's client raises, the journal has the event
            log().warning("wake-up-lost", task=task, fault=place(error))
