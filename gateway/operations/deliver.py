"""Bring assessments to the EHR: decide on *disclose*, write, read back, compare.

 1. claim the delivery's lease: one process writes an assessment at a time;
 2. an earlier write that may or may not stand is looked up before anything else;
 3. decide on *disclose* from the Consents as they are now, commit the decision;
 4. where the EHR chooses ids, commit the intent; then write;
 5. read back; every field that must survive is compared;
 6. confirm, and go on if a newer version waits.

Steps 2 to 5 stand in ``errand``.
"""

from __future__ import annotations

from functools import partial

import msgspec

from gateway.hospitals.errors import (
    AmbiguousWrite,
    HospitalError,
    HospitalUnavailable,
    WriteConflict,
    WriteRefused,
)
from gateway.hospitals.write import Written
from gateway.operations.assess import opened
from gateway.operations.consented import acted
from gateway.operations.errand import (
    Altered,
    Errand,
    Leave,
    Remote,
    Unpermitted,
    may_show,
    take_back,
    write_back,
)
from gateway.operations.heartbeat import beating
from gateway.operations.receive import open_patient
from gateway.operations.services import Services
from gateway.storage import inbox, outbox
from gateway.storage.outbox import Version
from gateway.storage.schema import twin as twins
from gateway.telemetry import hop, latency, log, place

MICROSECONDS = 1_000_000


def deliver(services: Services, twin: str, leave: Leave | None = None) -> None:
    """Deliver all open assessments of one twin; without ``leave`` the Consents are read and asked again."""
    with services.journal.reading() as connection:
        waiting = outbox.open_deliveries(connection, twin, services.now())
    for identifier in waiting:
        while _deliver_one(services, identifier, leave):
            pass  # a newer version came while this one was being written


def _deliver_one(services: Services, identifier: str, leave: Leave | None) -> bool:
    errand = _claim(services, identifier)
    if errand is None:
        return False
    try:
        with beating(partial(_renew, errand), services.settings.lease):
            written = write_back(errand, leave)
    except Unpermitted as refusal:
        return _withhold(errand, str(refusal))
    except AmbiguousWrite as error:
        return _settle(errand, outbox.PARKED, place(error), _patience(errand))
    except (WriteRefused, WriteConflict, Altered) as error:
        if not errand.version.live and may_show(errand):
            return _settle(errand, outbox.PARKED, place(error), _patience(errand))
        if isinstance(error, Altered):
            take_back(errand)
        # An EHR that does not list RiskAssessment was only tried.
        tried = errand.hospital.profile.unlisted and isinstance(error, WriteRefused)
        state = outbox.KEPT if tried else outbox.REFUSED
        return _settle(errand, state, f"{type(error).__name__}: {error}"[:120], 0)
    except HospitalError as error:
        # An intent that could not be looked up is still an intent.
        return _settle(errand, errand.held.state, place(error), _patience(errand, error))
    return _confirm(errand, written)


def _claim(services: Services, identifier: str) -> Errand | None:
    lease = int(services.settings.lease * MICROSECONDS)
    with services.journal.transaction() as connection:
        held = outbox.claim(connection, identifier, services.now(), lease)
        if held is None:
            return None
        version = outbox.read(connection, identifier, held.version)
        row = connection.execute(twins.select().where(twins.c.id == held.twin)).one()
    if version is None:
        raise LookupError(identifier)
    patient = open_patient(services, held.twin, row.patient)
    return Errand(
        services, services.hospital(row.hospital), held, version, opened(services, version), patient
    )


def _renew(errand: Errand) -> None:
    until = errand.services.now() + int(errand.services.settings.lease * MICROSECONDS)
    with errand.services.journal.transaction() as connection:
        outbox.renew(connection, errand.held, until)


def _confirm(errand: Errand, written: Written) -> bool:
    services, held = errand.services, errand.held
    remote = msgspec.msgpack.encode(Remote(written.id, written.version))
    sealed = services.seal(f"twin/{held.twin}", "delivery.remote", held.id, remote)
    with hop("audit"):
        what = (f"RiskAssessment/{written.id}/_history/{written.version}",)
        services.audit.append(
            acted(services, errand.hospital, held.twin, "assessment-write", _detail(errand.version), what)
        )
    now = services.now()
    with services.journal.transaction() as connection:
        newer, received = outbox.confirm(connection, held, errand.version.seq, sealed, now)
    for instant in received:
        latency.observe((now - instant) / MICROSECONDS)
    return newer


def _detail(version: Version) -> str:
    return version.family if version.live else f"{version.family}: withdrawn"


def _withhold(errand: Errand, reason: str) -> bool:
    """Do not write, and have the twin updated: what stands in the EHR must not stay there either."""
    services = errand.services
    with services.journal.transaction() as connection:
        outbox.settle(connection, errand.held, outbox.WITHHELD, reason, services.now())
        inbox.wake(connection, errand.held.twin, services.now())
    services.queue.synchronise(errand.held.twin, max(services.settings.debounce, 1.0))
    return False


def _settle(errand: Errand, state: str, reason: str, wait: float) -> bool:
    services = errand.services
    log().warning("delivery-settled", assessment=errand.held.id, state=state, reason=reason)
    again = services.now() + int(wait * MICROSECONDS)
    with services.journal.transaction() as connection:
        outbox.settle(connection, errand.held, state, reason, again)
    return False


def _patience(errand: Errand, error: HospitalError | None = None) -> float:
    asked = error.retry_after if isinstance(error, HospitalUnavailable) else None
    return float(min(asked or 2**errand.held.attempts, 300))
