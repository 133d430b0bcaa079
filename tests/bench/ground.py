"""What is measured stands here: the third-party EHR with its patients, the gateway, and the plain way."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson
import requests
from sqlalchemy import func, select

from gateway import jose
from gateway.demonstration.ehr import BackendClient, ThirdPartyEhr
from gateway.demonstration.hospital import BackendToken, EhrClient, load
from gateway.demonstration.stage import POLICY
from gateway.hospitals import subscribe
from gateway.operations import backfill, catch_up, registry
from gateway.operations.services import Services
from gateway.operations.site_key import private_jwk, public_jwks
from gateway.settings import Settings
from gateway.storage import inbox
from gateway.storage.schema import delivery, readback, subscription
from gateway.storage.schema import inbox as inbox_table
from gateway.supervisor import Supervisor, embedded
from gateway.wiring import connect, utc_now, wire
from tests.bench import cohort, cpu, plain

PATIENCE = 120.0
_SCOPES = "system/*.*"
_OPEN = ("pending", "intended", "parked")
_NEVER = 1e9  # seconds
_SENDERS = 4


class Way(Protocol):
    """A way of doing the same work: it is told of results, and says when all are dealt with."""

    def address(self, resource: Mapping[str, Any]) -> tuple[str, str]:
        """Return the URL and the secret to which a notification goes."""

    def open(self) -> int:
        """Return how many events are not dealt with."""

    def cpu(self) -> float:
        """Return the processor seconds of web, worker and broker so far."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The gateway, run as ``didymos serve`` runs it."""

    services: Services
    supervisor: Supervisor
    hospital_id: str

    def address(self, resource: Mapping[str, Any]) -> tuple[str, str]:
        query = select(subscription).where(subscription.c.criteria.startswith(f"{resource['resourceType']}?"))
        with self.services.journal.reading() as connection:
            row = connection.execute(query.limit(1)).one()
        channel = catch_up.open_channel(self.services, row.id, row.sealed)
        return f"{self.services.settings.url}/notifications/{channel.path}", channel.secret

    def open(self) -> int:
        unsent = select(func.count()).select_from(delivery).where(delivery.c.state.in_(_OPEN))
        with self.services.journal.reading() as connection:
            waiting = inbox.backlog(connection, 1_000_000)
            return waiting + connection.execute(unsent).scalar_one()

    def cpu(self) -> float:
        return cpu.of_trees(_pids(self.supervisor))

    def counters(self) -> Mapping[tuple[str, str], float]:
        return cpu.counters(self.services.settings.state_dir / "metrics")

    def journaled(self) -> int:
        with self.services.journal.reading() as connection:
            return connection.execute(select(func.count()).select_from(inbox_table)).scalar_one()

    def latencies(self, after: int) -> list[tuple[int, int]]:
        """Return when each event after row ``after`` was received and read back, microseconds."""
        confirmed = (
            select(func.min(readback.c.confirmed))
            .where(readback.c.twin == inbox_table.c.twin, readback.c.seq >= inbox_table.c.seq)
            .scalar_subquery()
        )
        query = select(inbox_table.c.received, confirmed).where(inbox_table.c.id > after)
        with self.services.journal.reading() as connection:
            return [(start, end) for start, end in connection.execute(query) if end is not None]


@dataclass(frozen=True, slots=True)
class Plain:
    """The plain way, with web, worker and broker processes of its own."""

    site: plain.Site
    supervisor: Supervisor
    sent: list[int]

    def address(self, resource: Mapping[str, Any]) -> tuple[str, str]:
        self.sent.append(len(self.sent))
        return f"{self.site.settings.url}/hook", self.site.secret

    def open(self) -> int:
        return len(self.sent) - plain.done(self.site)

    def cpu(self) -> float:
        return cpu.of_trees(_pids(self.supervisor))


def _pids(supervisor: Supervisor) -> list[int]:
    return [child.process.pid for child in supervisor.children if child.process is not None]


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything that runs."""

    ehr: ThirdPartyEhr
    client: EhrClient
    ours: Ours
    plain: Plain
    twins: int
    results: cohort.Results
    another: Callable[[], EhrClient]


@contextmanager
def prepared(twins: int) -> Iterator[Ground]:
    """Start EHR, gateway and plain way with ``twins`` warm twins each."""
    with tempfile.TemporaryDirectory(prefix="didymos-bench-") as made, ExitStack() as stack:
        folder = Path(made)
        own, theirs = _settings(folder / "ours"), _settings(folder / "plain")
        services, keys = wire(own), {name: jose.generate_key() for name in ("hospital", "plain")}
        registered = {name: jose.public_jwks(key)["keys"][0] for name, key in keys.items()}
        registered["didymos"] = public_jwks(services)["keys"][0]
        clients = {name: BackendClient(key, _SCOPES) for name, key in registered.items()}
        ehr = stack.enter_context(ThirdPartyEhr(folder / "ehr", clients))

        def another() -> EhrClient:
            token = BackendToken(ehr.token_url, "hospital", keys["hospital"], _SCOPES, utc_now)
            return EhrClient(ehr.base_url, token)

        client, now = another(), datetime.now(UTC)
        load(client, (one for number in range(twins) for one in cohort.resources(number, now)))
        supervisor = embedded(own)
        stack.callback(supervisor.stop)
        ours = Ours(services, supervisor, _connected(services, ehr))
        backfill.from_search(services, ours.hospital_id, lambda *_: None, threads=2)
        site = plain.Site(theirs, ehr.base_url, ehr.token_url, keys["plain"])
        rival = Plain(site, plain.started(site), [])
        stack.callback(rival.supervisor.stop)
        plain.warm(site, twins)
        yield Ground(ehr, client, ours, rival, twins, cohort.Results(), another)


def _settings(folder: Path) -> Settings:
    return Settings(
        state_dir=folder,
        port=_free_port(),
        tenant="bench",
        policy=POLICY,
        subscription_interval=_NEVER,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _connected(services: Services, ehr: ThirdPartyEhr) -> str:
    access = registry.Access("didymos", private_jwk(services))
    registration = registry.Registration("bench-ehr", ehr.base_url, access, POLICY, frozenset())
    link = connect(services.settings, ehr.base_url, access, services.clock)
    hospital_id, _ = registry.register(services, registration, link)
    registry.subscribe(services, hospital_id)
    return hospital_id


def silence(ground: Ground) -> None:
    """Take the Subscriptions out of the EHR: from now on the bench notifies, ours and the plain way alike."""
    services = ground.ours.services
    connection = services.hospital(ground.ours.hospital_id).connection
    with services.journal.reading() as reading:
        remote = list(reading.execute(select(subscription.c.remote_id)).scalars())
    for one in remote:
        subscribe.remove(connection, str(one))


def notify(way: Way, bursts: Iterable[Sequence[Mapping[str, Any]]]) -> None:
    """Send notifications as the EHR sends them, a PUT of the resource; those of one burst side by side."""
    with requests.Session() as session, ThreadPoolExecutor(_SENDERS) as senders:
        session.trust_env = False

        def send(body: Mapping[str, Any]) -> None:
            url, secret = way.address(body)
            headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/fhir+json"}
            target = f"{url}/{body['resourceType']}/{body['id']}"
            session.put(target, data=orjson.dumps(body), headers=headers, timeout=30).raise_for_status()

        for bodies in bursts:
            list(senders.map(send, bodies))


def settle(way: Way, patience: float = PATIENCE) -> None:
    """Wait until everything is dealt with.

    Raises
    ------
    TimeoutError
        It was not, within ``patience`` seconds.
    """
    until = time.monotonic() + patience
    while way.open():
        if time.monotonic() > until:
            raise TimeoutError(f"{way.open()} events are still open")
        time.sleep(0.05)
