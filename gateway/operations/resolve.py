"""Events that name a resource but no patient: ask the EHR only whose they are.

An id-only notification says that Observation/17 changed, not about whom. Only ``subject`` is asked
for and nothing else is looked at, under an audited consent lookup of the hospital: nothing clinical
may be read before *collect* is permitted, and that can only be decided for a known patient.
"""

from __future__ import annotations

from dataclasses import replace

from audit.record import Event
from fhir_mapping.notification import Change
from gateway.operations.consented import PURPOSE
from gateway.operations.receive import notified, open_change
from gateway.operations.services import Hospital, Services
from gateway.storage import inbox
from gateway.storage.inbox import Waiting
from gateway.telemetry import hop

LIMIT = 200


def resolve(services: Services, hospital_id: str) -> None:
    """Give each waiting event to the twin it belongs to."""
    hospital = services.hospital(hospital_id)
    with services.journal.reading() as connection:
        waiting = inbox.unresolved(connection, hospital_id, LIMIT)
    if not waiting:
        return
    services.audit.append(looked_up(services, hospital, len(waiting)))
    woken: set[str] = set()
    for event in waiting:
        woken |= _resolve(services, hospital, event)
    for twin in woken:
        services.queue.synchronise(twin, services.settings.debounce)


def looked_up(services: Services, hospital: Hospital, count: int) -> Event:
    """Return the audit record of asking whose resources these are."""
    return Event(
        kind="pull",
        action="read",
        outcome="success",
        tenant=services.settings.tenant,
        actor=f"hospital/{hospital.id}",
        at=services.clock(),
        purpose=PURPOSE,
        detail=f"consent-lookup: the subjects of {count} references, nothing clinical",
    )


def _resolve(services: Services, hospital: Hospital, event: Waiting) -> set[str]:
    change = open_change(services, hospital.id, event.sealed)
    with hop("pull"):
        owner = _owner(hospital, change)
    now = services.now()
    if owner is None:
        with services.journal.transaction() as connection:
            inbox.conclude(connection, [inbox.Ending(event.id, "deleted")], now)
        return set()
    known = notified(services, hospital.id, replace(change, subject=owner), now)
    if known.twin is None or known.patient is None:
        return set()
    with services.journal.transaction() as connection:
        woken = inbox.assign(connection, event.id, hospital.id, known.twin, known.patient, now)
    return {known.twin} if woken else set()


def _owner(hospital: Hospital, change: Change) -> str | None:
    """Return the id of the patient a resource is about; None where there is no such resource or patient."""
    if change.type == "Patient":
        return change.id
    parameters = [("_id", change.id), ("_elements", "subject,patient")]
    for fetched in hospital.connection.search(change.type, parameters):
        owner = hospital.connection.owner(fetched.resource)
        if fetched.id == change.id and owner and owner.startswith("Patient/"):
            return owner.removeprefix("Patient/")
    return None
