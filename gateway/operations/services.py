"""What every use case is given. ``wiring`` builds it; tests build it with their own parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit.log import Log
from consent.policy import Policy
from consent.pseudonyms import Pseudonyms
from consent.vault import Vault
from gateway.hospitals.connection import Connection, Fetched
from gateway.hospitals.profile import Profile
from gateway.settings import Settings
from gateway.storage.engine import Database, to_us
from twin_engine.model import Model


class Queue(Protocol):
    """The wake-up call: opaque identifiers only, lost ones are healed by the sweeper."""

    def synchronise(self, twin: str, delay: float) -> None: ...

    def resolve(self, hospital: str) -> None: ...

    def catch_up(self, subscription: str) -> None: ...

    def deliver(self, twin: str) -> None: ...

    def enrol(self, hospital: str) -> None: ...


class Reader(Protocol):
    """Where a twin's evidence is read: the EHR, or bundles or a file beside it."""

    def covers(self, reference: str) -> bool:
        """Tell whether a resource (``Type/id``) that is not shown is not there any more."""

    def get(self, kind: str, id_: str) -> Fetched | None: ...

    def search(
        self, kind: str, parameters: Iterable[tuple[str, str]] = (), *, patient: str | None = None
    ) -> Iterator[Fetched]: ...


@dataclass(frozen=True, slots=True)
class Hospital:
    """One connected EHR."""

    id: str
    name: str
    base_url: str
    connection: Connection
    reader: Reader
    profile: Profile
    policy: Policy
    actors: frozenset[str]
    labels_attested: bool


@dataclass(frozen=True, slots=True)
class Services:
    """Concrete parts behind the use cases."""

    settings: Settings
    clock: Callable[[], datetime]
    journal: Database
    vault: Vault
    pseudonyms: Pseudonyms
    audit: Log
    audit_store: Database
    auditor_key: str
    models: Mapping[str, Model]
    queue: Queue
    hospital: Callable[[str], Hospital]

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return to_us(self.clock())

    def twin_id(self, hospital: str, patient: str) -> str:
        """Return the opaque identifier of the twin of one patient of one hospital."""
        return self.pseudonyms.of("twin", self.settings.tenant, hospital, patient)

    def holder_key(self, hospital: str, reference: str) -> bytes:
        """Return the blind key of a resource of one hospital."""
        return self.pseudonyms.digest("holder", hospital, reference)

    def seal(self, owner: str, column: str, row: str, plaintext: bytes) -> bytes:
        """Seal one value of a row; it opens only at the same place."""
        return self.vault.seal(owner, (column, row), plaintext)

    def unseal(self, owner: str, column: str, row: str, sealed: bytes) -> bytes:
        return self.vault.open(owner, (column, row), sealed)

    @property
    def ours(self) -> str:
        """The owner of what is sealed before a patient is known."""
        return f"tenant/{self.settings.tenant}"
