"""One update of one twin on its way: what was claimed, and what was found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from audit.record import Event
from fhir_mapping.notification import Change
from gateway.operations.account import Account, Standing
from gateway.operations.assess import Occasion
from gateway.operations.consented import acted
from gateway.operations.pull import Pulled
from gateway.operations.scoring import Settled, Sitting, Span
from gateway.operations.services import Hospital, Services
from gateway.operations.update import Computed
from gateway.storage.inbox import Waiting
from gateway.storage.leases import Claim
from twin_engine.model import Model
from twin_engine.store import EvidenceRecord

Evidenced = Mapping[str, EvidenceRecord]  # by reference


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed update; ``changes`` are what the waiting events told, in their order.

    ``running`` are the models that are not off here: what none of them needs is not read.
    """

    services: Services
    hospital: Hospital
    claim: Claim
    patient: str
    waiting: tuple[Waiting, ...]
    changes: tuple[Change, ...]
    at: datetime
    running: Mapping[str, Model]

    @property
    def twin(self) -> str:
        return self.claim.twin

    def occasion(self, labels: frozenset[str]) -> Occasion:
        """Return where and when this update makes assessments."""
        return Occasion(
            self.services, self.hospital, self.twin, self.patient, self.at, self.claim.seq, labels
        )

    @property
    def sitting(self) -> Sitting:
        """Return this update as far as scoring is concerned."""
        return Sitting(self.services, self.twin, self.hospital.id, self.at)

    def pulled(self, seen: tuple[str, ...]) -> Event:
        """Return the record of what was read."""
        return acted(self.services, self.hospital, self.twin, "pull", f"{len(seen)} resources", seen)


@dataclass(frozen=True, slots=True)
class Result:
    """What an update found out, ready to be committed."""

    state: str
    pulled: Pulled = field(default_factory=Pulled)
    computed: tuple[Computed, ...] = ()
    standing: Standing = field(default_factory=lambda: Standing({}, ()))
    labels: frozenset[str] = frozenset()
    closing: Account | None = None  # all events end like this, and no assessment holds any more
    settled: Settled = field(default_factory=Settled)
    withdrawn: tuple[Span, ...] = ()  # when the values were measured that do not stand any more


DENIED = Result("denied", closing=Account("denied"))
