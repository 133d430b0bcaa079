"""The demo's end: every event is accounted for from what the EHR itself shows, and the log is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from fhir_mapping import risk_assessment
from fhir_mapping.notification import Change
from gateway.demonstration.precedence import acts_without_decision
from gateway.demonstration.stage import Stage
from gateway.operations.account import Account, Standing, account
from gateway.operations.inspection import verify
from gateway.operations.receive import open_change
from gateway.storage import outbox
from gateway.storage.schema import inbox, readback
from gateway.storage.schema import twin as twins
from twin_engine import store

MILLISECONDS = 1_000
REASONED = frozenset(
    {
        "denied",
        "missing-input",
        "out-of-scope",
        "never-shown",
        "refused",
        "quarantined",
        "not-an-input",
        "consent-reviewed",
        "deleted",
        "rerouted",
        "unknown-patient",
    }
)


@dataclass(slots=True)
class Reckoning:
    """What became of every event; ``faults`` is empty if all is well."""

    patients: int = 0
    events: int = 0
    assessments: int = 0
    superseded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    audit_entries: int = 0
    root: str = ""
    faults: list[str] = field(default_factory=list)


def reckon(stage: Stage, written: Iterable[tuple[str, str, str]]) -> Reckoning:
    """Account for every event.

    Parameters
    ----------
    written
        Type, id and version of all that the hospital wrote: none may be missing in the journal.
    """
    found = Reckoning(patients=len(stage.patients))
    rows = _rows(stage)
    changes = [(row, open_change(stage.services, stage.hospital_id, row.sealed)) for row in rows]
    _check_nothing_lost(found, changes, written)
    bases = _Bases(stage, found)
    for row, change in changes:
        _place(found, row, change, bases)
    found.events = len(rows)
    found.latencies = _latencies(stage)
    _check_denied(stage, found)
    _check_log(stage, found)
    return found


def _rows(stage: Stage) -> list[Any]:
    with stage.services.journal.reading() as connection:
        return list(connection.execute(select(inbox).order_by(inbox.c.id)))


def _check_nothing_lost(
    found: Reckoning, changes: list[tuple[Any, Change]], written: Iterable[tuple[str, str, str]]
) -> None:
    seen = {(change.type, change.id, change.version) for _, change in changes}
    found.faults += [
        f"never journaled: {kind}/{one} version {version}"
        for kind, one, version in written
        if (kind, one, version) not in seen
    ]


class _Bases:
    """Per twin: what its assessments rest on as read from the EHR, and how things stand here."""

    def __init__(self, stage: Stage, found: Reckoning) -> None:
        self._stage = stage
        self._found = found
        self._known: dict[str, tuple[frozenset[str], Standing | None]] = {}

    def of(self, twin: str) -> tuple[frozenset[str], Standing | None]:
        """Return the sources in the EHR's assessments, and the standing here; None once consent is gone."""
        if twin not in self._known:
            self._known[twin] = (self._read_back(twin), self._standing(twin))
        return self._known[twin]

    def _read_back(self, twin: str) -> frozenset[str]:
        with self._stage.services.journal.reading() as connection:
            versions = outbox.latest(connection, twin)
        bases: set[str] = set()
        for identifier, version in versions.items():
            resource = self._stage.client.read("RiskAssessment", identifier)
            if resource is None:
                self._found.faults.append(f"assessment {identifier} is not in the EHR")
                continue
            self._found.assessments += version.live
            bases |= risk_assessment.basis(resource)
        return frozenset(bases)

    def _standing(self, twin: str) -> Standing | None:
        services = self._stage.services
        with services.journal.reading() as connection:
            if connection.execute(select(twins.c.state).where(twins.c.id == twin)).scalar() == "denied":
                return None
            records = store.current_evidence(connection, services.vault, twin)
            snapshots = store.latest_snapshots(connection, services.vault, twin)
        answers = tuple(answer for snapshot in snapshots for answer in snapshot.answers)
        return Standing({record.reference: record for record in records}, answers)


def _place(found: Reckoning, row: Any, change: Change, bases: _Bases) -> None:
    """Find the one end of an event: used, superseded by a named version, or a stated reason."""
    if row.outcome in REASONED:
        found.reasons[row.outcome] += 1
        return
    if row.outcome is None or row.twin is None:
        found.faults.append(f"event {row.id} has no end")
        return
    basis, standing = bases.of(row.twin)
    if f"{change.type}/{change.id}/_history/{change.version}" in basis:
        found.reasons["used"] += 1
        return
    _place_replaced(
        found, row, account(change, standing) if standing else Account("denied", "since withdrawn")
    )


def _place_replaced(found: Reckoning, row: Any, end: Account) -> None:
    if end.outcome == "superseded" and end.detail:
        found.superseded += 1
    elif end.outcome in REASONED:
        found.reasons[end.outcome] += 1
    else:
        found.faults.append(f"event {row.id}: {end.outcome}, but its version is in no basis read back")


def _check_denied(stage: Stage, found: Reckoning) -> None:
    """Whoever denied may have no assessment in the EHR that still speaks."""
    with stage.services.journal.reading() as connection:
        denied = connection.execute(select(twins.c.id).where(twins.c.state == "denied")).scalars().all()
        written = [identifier for twin in denied for identifier in outbox.latest(connection, twin)]
    for identifier in written:
        resource = stage.client.read("RiskAssessment", identifier)
        if resource is not None and speaks(resource):
            found.faults.append(f"assessment {identifier} stands in the EHR though consent was denied")


def speaks(resource: Mapping[str, Any]) -> bool:
    """Tell whether a RiskAssessment still says something about its patient."""
    return resource.get("status") not in SILENT or bool(resource.get("prediction"))


SILENT = frozenset({"cancelled", "entered-in-error"})


def _latencies(stage: Stage) -> list[float]:
    confirmed = (
        select(func.min(readback.c.confirmed))
        .where(readback.c.twin == inbox.c.twin, readback.c.seq >= inbox.c.seq)
        .scalar_subquery()
    )
    query = select(inbox.c.received, confirmed).where(inbox.c.outcome == "used")
    with stage.services.journal.reading() as connection:
        rows = connection.execute(query).all()
    return sorted((end - start) / MILLISECONDS for start, end in rows if end is not None)


def _check_log(stage: Stage, found: Reckoning) -> None:
    verdict = verify(stage.services)
    size, root = stage.services.audit.size_and_root()
    found.audit_entries, found.root = size, root.hex()
    if not verdict.ok:
        found.faults.append(verdict.text)
    found.faults += acts_without_decision(stage.services.audit.entries(0, size))
