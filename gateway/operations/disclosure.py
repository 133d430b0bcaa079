"""May this clinician see these twins? Decided and recorded before anything is shown.

 1. gather what the decision needs: the Consents as last read, the labels of all the data;
 2. decide on *disclose* to this clinician, one decision a twin;
 3. commit decisions and reads to the audit log, all of one page in one append.

A page does not enforce security labels by reader, so labelled data is not shown on one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from audit.record import Event
from consent.decision import Decision, Request, Ruling, decide
from consent.policy import Directive
from gateway.operations.consented import PURPOSE, recorded
from gateway.operations.directives import recall
from gateway.operations.people import Person
from gateway.operations.pull import versioned
from gateway.operations.services import Hospital, Services
from gateway.telemetry import hop
from twin_engine import store
from twin_engine.store import EvidenceRecord

_UNKNOWN_WISHES = Ruling("patient", "deny", "the patient's Consents have not been read yet")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, and in which request."""

    person: Person
    request: str


@dataclass(frozen=True, slots=True)
class Sitter:
    """A twin before it is decided whether it may be shown; ``row`` is of the table of twins."""

    row: Row[Any]
    hospital: Hospital
    directives: tuple[Directive, ...] | None
    evidence: tuple[EvidenceRecord, ...]

    @property
    def twin(self) -> str:
        twin: str = self.row.id
        return twin


def sitter(services: Services, row: Row[Any]) -> Sitter:
    """Return what the decision needs to know.

    Raises
    ------
    consent.vault.KeyDestroyed
        The twin is erased.
    """
    with services.journal.reading() as connection, hop("seal"):
        evidence = store.current_evidence(connection, services.vault, row.id)
    return Sitter(row, services.hospital(row.hospital), recall(services, row.id), evidence)


def permitted(services: Services, reader: Reader, sitters: Sequence[Sitter], place: str) -> list[Sitter]:
    """Decide for each, commit all decisions and reads, then return those that may be shown.

    Raises
    ------
    audit.log.AuditUnavailable
        They could not be recorded, so nothing may be shown.
    """
    shown, events = [], []
    for one in sitters:
        decision = _decide(services, reader, one)
        events.append(_decided(services, reader, one, decision))
        if decision.permitted:
            shown.append(one)
            events.append(_read(services, reader, one, place))
    with hop("audit"):
        services.audit.append(*events)
    return shown


def _decide(services: Services, reader: Reader, one: Sitter) -> Decision:
    request = Request(
        act="disclose",
        tenant=services.settings.tenant,
        subject=one.twin,
        purpose=PURPOSE,
        actors=one.hospital.actors | {reader.person.actor},
        at=services.clock(),
        classes=frozenset({"Patient", "RiskAssessment"}) | _types(one.evidence),
        labels=frozenset().union(*(record.labels for record in one.evidence)),
        recipient_enforces_labels=False,
    )
    if one.directives is None:
        return Decision(permitted=False, request=request, rulings=(_UNKNOWN_WISHES,))
    return decide(request, one.directives, one.hospital.policy)


def _types(evidence: tuple[EvidenceRecord, ...]) -> frozenset[str]:
    return frozenset(record.reference.split("/", 1)[0] for record in evidence)


def _decided(services: Services, reader: Reader, one: Sitter, decision: Decision) -> Event:
    event = recorded(services, one.hospital, decision, one.directives or ())
    return replace(event, actor=reader.person.actor, request=reader.request, attributes=_role(reader))


def _read(services: Services, reader: Reader, one: Sitter, place: str) -> Event:
    return Event(
        kind="twin-read",
        action="read",
        outcome="success",
        tenant=services.settings.tenant,
        actor=reader.person.actor,
        at=services.clock(),
        purpose=PURPOSE,
        subject=one.twin,
        detail=place,
        request=reader.request,
        resources=tuple(versioned(record) for record in one.evidence),
        attributes=_role(reader),
    )


def _role(reader: Reader) -> tuple[tuple[str, str], ...]:
    return (("role", reader.person.role),)
