"""What the command line shows: twins, quarantine, the state of the audit log."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, select

from audit.verification import verify as recompute
from consent.vault import KeyDestroyed
from fhir_mapping import directive
from gateway.errors import NotFound, NotPermitted
from gateway.operations import switches
from gateway.operations.assess import opened
from gateway.operations.disclosure import Reader, Sitter, permitted, sitter
from gateway.operations.people import Person
from gateway.operations.pull import versioned
from gateway.operations.receive import open_patient
from gateway.operations.services import Services
from gateway.storage import outbox
from gateway.storage.engine import from_us
from gateway.storage.schema import hospital, quarantine
from gateway.storage.schema import twin as twins_table
from twin_engine import store


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the audit log found, for a person."""

    ok: bool
    text: str


def verify(services: Services) -> Verdict:
    """Recompute the whole audit log."""
    with services.audit_store.reading() as connection:
        report = recompute(connection, services.auditor_key, services.vault)
    if report.ok:
        return Verdict(True, f"intact: {report.size} entries, root {report.root.hex()}")
    where = f"entry {report.first_bad}" if report.first_bad is not None else "the log"
    return Verdict(False, f"NOT INTACT: {where}: {report.problem}")


def twins(services: Services) -> list[tuple[str, ...]]:
    """Return id, EHR, state and progress of every twin."""
    query = select(twins_table, hospital.c.name).join(hospital, hospital.c.id == twins_table.c.hospital)
    with services.journal.reading() as connection:
        rows = connection.execute(query.order_by(hospital.c.name, twins_table.c.id)).all()
    return [(row.id, row.name, row.state, f"{row.done_seq}/{row.seq}", row.parked or "") for row in rows]


def twin(services: Services, identifier: str) -> dict[str, Any]:
    """Return everything about one twin, if it may be shown to the administrator; that is recorded first.

    Raises
    ------
    NotFound
        There is no such twin.
    NotPermitted
        Consent does not permit that it is shown.
    """
    with services.journal.reading() as connection:
        row = connection.execute(select(twins_table).where(twins_table.c.id == identifier)).one_or_none()
    if row is None:
        raise NotFound("there is no such twin")
    shown = permitted(services, ADMINISTRATOR, [sitter(services, row)], "command line")
    if not shown:
        raise NotPermitted(f"consent does not permit that this twin is shown (its state: {row.state})")
    return _opened(services, row, shown[0])


ADMINISTRATOR = Reader(Person("administrator", "administrator", "administrator"), "command-line")


def _opened(services: Services, row: Row[Any], shown: Sitter) -> dict[str, Any]:
    with services.journal.reading() as connection:
        snapshots = store.latest_snapshots(connection, services.vault, row.id)
        versions = outbox.latest(connection, row.id)
        deliveries = outbox.deliveries(connection, row.id)
        held = switches.switches(connection, services, row.hospital)
    patient = open_patient(services, row.id, row.patient)
    return {
        "twin": row.id,
        "state": row.state,
        "parked": row.parked,
        "events": {"received": row.seq, "done": row.done_seq},
        "evidence": [
            {"reference": versioned(one), "items": one.items, "problems": one.reasons}
            for one in shown.evidence
        ],
        "models": {
            one.model: [asdict(answer) for answer in one.answers]
            for one in snapshots
            if one.model not in held or held[one.model].state == "on"
        },
        "not shown": {name: one.said for name, one in held.items() if one.state != "on"},
        "assessments": [opened(services, version) for version in versions.values()],
        "deliveries": [_shown(one) for one in deliveries],
        "consents": [directive.render(each, f"Patient/{patient}") for each in shown.directives or ()],
    }


def _shown(delivery: dict[str, object]) -> dict[str, object]:
    return {name: delivery[name] for name in ("id", "version", "written", "state", "reason", "attempts")}


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Twin, resource, time and problems of what may be shown, and how many more may not."""

    shown: tuple[tuple[str, ...], ...]
    hidden: int


def quarantined(services: Services) -> Quarantine:
    """Return what is in quarantine, as far as the administrator may see it; that is recorded first."""
    with services.journal.reading() as connection:
        rows = connection.execute(select(quarantine).order_by(quarantine.c.since)).all()
        named = select(twins_table).where(twins_table.c.id.in_({row.twin for row in rows}))
        owners = connection.execute(named).all()
    sitters = [one for owner in owners if (one := _readable(services, owner)) is not None]
    allowed = {one.twin for one in permitted(services, ADMINISTRATOR, sitters, "command line: quarantine")}
    shown = tuple(_listed(services, row) for row in rows if row.twin in allowed)
    return Quarantine(shown, len(rows) - len(shown))


def _readable(services: Services, owner: Row[Any]) -> Sitter | None:
    """Return who may be asked about; None for a twin that is erased."""
    try:
        return sitter(services, owner)
    except KeyDestroyed:
        return None


def _listed(services: Services, row: Row[Any]) -> tuple[str, ...]:
    return (
        row.twin,
        services.unseal(f"twin/{row.twin}", "quarantine.sealed", row.twin, row.sealed).decode(),
        f"{from_us(row.since):%Y-%m-%d %H:%M}Z",
        row.problems.replace("\n", "; "),
    )
