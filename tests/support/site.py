"""A whole gateway in this process: real databases and use cases, a queue that the test drives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import delete, func, select, update

from consent.policy import load_policy
from gateway.operations import catch_up, registry
from gateway.operations.receive import Delivered, Receipt, receive
from gateway.operations.registry import Access, Registration
from gateway.operations.services import Hospital, Services
from gateway.operations.sweep import sweep
from gateway.settings import Settings
from gateway.storage import inbox, outbox, schema
from gateway.storage.schema import delivery, subscription, twin
from gateway.wiring import wire
from tests.support.held_queue import HeldQueue
from tests.support.memory_ehr import MemoryEhr
from twin_engine import store

POLICY = "treat-when-silent"
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Clock:
    """The time, which stands still until the test moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Site:
    """One gateway with one hospital; ``ehr`` is None where the hospital is reached over HTTP."""

    services: Services
    queue: HeldQueue
    clock: Clock
    hospital_id: str
    ehr: MemoryEhr

    def tell(self, resource: Mapping[str, Any]) -> Receipt:
        """Notify of ``resource`` as an R4 EHR does, with the resource as payload."""
        kind, id_ = resource["resourceType"], resource["id"]
        return self.deliver(kind, kind, id_, orjson.dumps(resource))

    def deliver(
        self,
        subscribed: str,
        kind: str | None = None,
        id_: str | None = None,
        body: bytes = b"",
        *,
        content_type: str | None = "application/fhir+json",
        deleted: bool = False,
    ) -> Receipt:
        """Send a request to the channel of the Subscription to type ``subscribed``."""
        channel = self.channel(subscribed)
        request = Delivered(channel.path, channel.secret, kind, id_, content_type, body, deleted)
        return receive(self.services, request)

    def channel(self, subscribed: str) -> catch_up.Channel:
        row = self.subscription(subscribed)
        return catch_up.open_channel(self.services, row.id, row.sealed)

    def subscription(self, subscribed: str) -> Any:
        mine = subscription.c.hospital == self.hospital_id
        query = select(subscription).where(mine, subscription.c.criteria.startswith(f"{subscribed}?"))
        with self.services.journal.reading() as connection:
            return connection.execute(query).one()

    def run(self) -> int:
        """Let the worker do everything that is queued."""
        return self.queue.run(self.services)

    def sweep(self) -> int:
        """Let the sweeper look once, and the worker do what it found."""
        sweep(self.services)
        return self.run()

    def twin_id(self, patient: str) -> str:
        return self.services.twin_id(self.hospital_id, patient)

    def twin(self, patient: str) -> Any:
        with self.services.journal.reading() as connection:
            return connection.execute(select(twin).where(twin.c.id == self.twin_id(patient))).one()

    def change_twin(self, patient: str, **values: object) -> None:
        with self.services.journal.transaction() as connection:
            connection.execute(update(twin).where(twin.c.id == self.twin_id(patient)).values(**values))

    def outcomes(self) -> dict[str, int]:
        with self.services.journal.reading() as connection:
            return inbox.counts(connection)

    def assessments(self, patient: str) -> dict[str, outbox.Version]:
        """Return the newest version of each assessment by model."""
        with self.services.journal.reading() as connection:
            found = outbox.latest(connection, self.twin_id(patient)).values()
        return {each.model: each for each in found}

    def deliveries(self) -> dict[str, int]:
        query = select(delivery.c.state, func.count()).group_by(delivery.c.state)
        with self.services.journal.reading() as connection:
            return {row.state: row[1] for row in connection.execute(query)}


def settings(folder: Path, url: str | None = None, **choices: Any) -> Settings:
    """Return settings on SQLite files in ``folder``, or on the one PostgreSQL database at ``url``."""
    urls = {} if url is None else dict.fromkeys(("journal_url", "audit_url", "vault_url"), url)
    chosen = {"tenant": "north", "policy": POLICY, "debounce": 0.0, **urls, **choices}
    return Settings(state_dir=folder / "state", **chosen)


def site(chosen: Settings, clock: Clock | None = None) -> Site:
    """Return a gateway connected to a new hospital in memory."""
    clock, queue = clock or Clock(), HeldQueue()
    services = wire(chosen, clock=clock, queue=queue)
    return join(services, queue, clock, "ward")


def join(services: Services, queue: HeldQueue, clock: Clock, name: str) -> Site:
    """Register one more hospital in memory and let its Subscriptions stand."""
    ehr = MemoryEhr(clock)
    registration = Registration(name, ehr.base_url, Access(), POLICY, frozenset())
    identifier, profile = registry.register(services, registration, ehr)
    known = Hospital(
        identifier, name, ehr.base_url, ehr, ehr, profile, load_policy(POLICY), frozenset(), False
    )
    beside = services.hospital
    joined = replace(services, hospital=lambda one: known if one == identifier else beside(one))
    registry.subscribe(joined, identifier)
    return Site(joined, queue, clock, identifier, ehr)


class Served:
    """A gateway that lives on while its journal is emptied; keys and audit log go on."""

    def __init__(self, chosen: Settings) -> None:
        self._clock, self._queue = Clock(), HeldQueue()
        self._services = wire(chosen, clock=self._clock, queue=self._queue)

    def emptied(self) -> Site:
        """Return it with nothing in its journal but a new hospital in memory."""
        self._queue.lose()
        self._clock.now = NOW
        with self._services.journal.transaction() as connection:
            for table in (*reversed(schema.metadata.sorted_tables), *store.metadata.sorted_tables):
                connection.execute(delete(table))
        return join(self._services, self._queue, self._clock, "ward")
