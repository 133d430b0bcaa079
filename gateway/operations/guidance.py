"""What each model answers about a twin now, made when it is asked for: a forecast, or what it lacks.

1. find the twins; those without a current state have no answer;
2. decide on *disclose* for each, on its Consents as last read and the labels of all its data;
3. write to the audit log, in one append, the decisions and all that will be shown;
4. show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from consent.vault import KeyDestroyed
from fhir_mapping import exit as outward
from fhir_mapping import guidance_response
from fhir_mapping.device import Software
from fhir_mapping.heading import Heading
from gateway.operations.assess import IDENTIFIER, assessment_id
from gateway.operations.consented import Caller
from gateway.operations.reading import Sought, begin
from gateway.operations.receive import open_patient
from gateway.operations.services import Services
from gateway.storage.schema import hospital, twin
from gateway.telemetry import hop
from twin_engine import store
from twin_engine.store import Snapshot
from twin_engine.twin import Forecast, Reason, Refusal

CURRENT = "current"


@dataclass(frozen=True, slots=True)
class _Sitter:
    """A twin with what its models last answered."""

    row: Row[Any]
    labels: frozenset[str]
    snapshots: tuple[Snapshot, ...]

    @property
    def sought(self) -> Sought:
        return Sought(self.row.id, self.row.hospital, self.row.state, " ".join(sorted(self.labels)))


def search(services: Services, caller: Caller, twins: frozenset[str]) -> tuple[dict[str, Any], ...]:
    """Return the GuidanceResponses of these twins that may be seen.

    Raises
    ------
    NotPermitted
        The caller's scopes do not reach this type.
    audit.log.AuditUnavailable
        The reading could not be recorded, so nothing is shown.
    """
    reading = begin(services, caller, "GuidanceResponse", "s")
    visible = [one for one in _sitters(services, twins) if reading.permits(one.sought)]
    found = [(one.row.id, resource) for one in visible for resource in _responses(services, one)]
    reading.commit((twin_id, f"GuidanceResponse/{resource['id']}") for twin_id, resource in found)
    return tuple(resource for _, resource in found)


def _sitters(services: Services, twins: frozenset[str]) -> Iterator[_Sitter]:
    ours = twin.join(hospital, twin.c.hospital == hospital.c.id)
    query = select(twin).select_from(ours).where(hospital.c.tenant == services.settings.tenant)
    with services.journal.reading() as connection, hop("seal"):
        for row in connection.execute(query.where(twin.c.id.in_(twins)).order_by(twin.c.id)).all():
            try:
                evidence = store.current_evidence(connection, services.vault, row.id)
                snapshots = store.latest_snapshots(connection, services.vault, row.id)
            except KeyDestroyed:
                continue
            yield _Sitter(row, frozenset().union(*(one.labels for one in evidence)), snapshots)


def _responses(services: Services, one: _Sitter) -> Iterator[dict[str, Any]]:
    url, patient = services.hospital(one.row.hospital).base_url, None
    for snapshot in one.snapshots if one.row.state == CURRENT else ():
        model = services.models.get(snapshot.model)
        if model is None:
            continue
        patient = patient or open_patient(services, one.row.id, one.row.patient)
        card = model.card
        software = Software(card.name, snapshot.version, card.title, snapshot.code, card.sources)
        for answer in snapshot.answers:
            identifier = assessment_id(services, one.row.id, snapshot.model, answer.family)
            head = Heading(identifier, f"Patient/{patient}", (IDENTIFIER, identifier), software, one.labels)
            held = _as_of(answer, services.clock())
            resource = guidance_response.render(guidance_response.guidance(head, held, model.inputs))
            yield outward.shown(resource, identifier, snapshot.seq, snapshot.known, url)


def _as_of(answer: Forecast | Refusal, now: datetime) -> Forecast | Refusal:
    """Return the answer, unless it has run out meanwhile."""
    if isinstance(answer, Refusal) or answer.expires > now:
        return answer
    return Refusal(answer.family, now, (RUN_OUT,), answer.basis)


RUN_OUT = Reason("stale-input", "", "The forecast has run out and was not renewed.")
