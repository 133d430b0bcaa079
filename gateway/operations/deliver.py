"""Bring assessments to the EHR: decide on *disclose*, write, read back, compare.

 1. claim the delivery's lease: one process writes an assessment at a time;
 2. an earlier write that may or may not stand is looked up before anything else;
 3. decide on *disclose* from the Consents as they are now, commit the decision;
 4. where the EHR chooses ids, commit the intent; then write;
 5. read back; every field that must survive is compared;
 6. confirm, and go on if a newer version waits.

What says that an assessment no longer holds carries no prediction; it follows from a withdrawal and
is written without asking again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from consent.decision import Decision
from fhir_mapping import risk_assessment
from fhir_mapping.survival import lost
from gateway.hospitals import write
from gateway.hospitals.errors import (
    AmbiguousWrite,
    HospitalError,
    HospitalUnavailable,
    WriteConflict,
    WriteRefused,
)
from gateway.hospitals.write import Written
from gateway.operations.assess import opened
from gateway.operations.consented import Question, acted, ask
from gateway.operations.heartbeat import beating
from gateway.operations.pull import look_up
from gateway.operations.receive import open_patient
from gateway.operations.services import Hospital, Services
from gateway.storage import inbox, outbox
from gateway.storage.outbox import Delivery, Version
from gateway.storage.schema import twin as twins
from gateway.telemetry import hop, latency, log, place

CLASSES = frozenset({"RiskAssessment"})
MICROSECONDS = 1_000_000


class Remote(msgspec.Struct, frozen=True):
    """Where an assessment stands in the EHR; kept sealed."""

    id: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Errand:
    """One claimed delivery."""

    services: Services
    hospital: Hospital
    held: Delivery
    version: Version
    resource: dict[str, Any]
    patient: str

    @property
    def remote(self) -> Remote | None:
        if self.held.remote is None:
            return None
        opened_ = self.services.unseal(
            f"twin/{self.held.twin}", "delivery.remote", self.held.id, self.held.remote
        )
        return msgspec.msgpack.decode(opened_, type=Remote)


class Unpermitted(Exception):
    """Consent or labels forbid the disclosure."""


class Altered(HospitalError):
    """The EHR did not keep what it was given."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The decision on *disclose* that was recorded with an update, for what that update says and no more."""

    seq: int
    decision: Decision


def disclosure(labels: frozenset[str]) -> Question:
    """Return what is asked before an assessment is written to the EHR."""
    return Question("disclose", CLASSES, labels)


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
            written = _write(errand, leave)
    except Unpermitted as refusal:
        return _withhold(errand, str(refusal))
    except AmbiguousWrite as error:
        return _settle(errand, outbox.PARKED, place(error), _patience(errand))
    except (WriteRefused, WriteConflict, Altered) as error:
        if not errand.version.live and _stands(errand):
            return _settle(errand, outbox.PARKED, place(error), _patience(errand))
        if isinstance(error, Altered):
            _take_back(errand)
        # An EHR that does not list RiskAssessment was only tried.
        tried = errand.hospital.profile.unlisted and isinstance(error, WriteRefused)
        state = outbox.KEPT if tried else outbox.REFUSED
        return _settle(errand, state, f"{type(error).__name__}: {error}"[:120], 0)
    except HospitalError as error:
        return _settle(errand, _undone(errand), place(error), _patience(errand, error))
    return _confirm(errand, written)


def _stands(errand: Errand) -> bool:
    """Return whether the EHR may show a prediction of ours that no longer holds: taking it back goes on."""
    return errand.held.written > 0 or errand.remote is not None or _may_stand(errand)


def _take_back(errand: Errand) -> None:
    """Leave no prediction behind that the EHR has altered."""
    remote = errand.remote
    id_ = remote.id if remote else str(errand.resource["id"])
    try:
        errand.hospital.connection.put({**risk_assessment.without_prediction(errand.resource), "id": id_})
    except HospitalError as error:
        log().error("altered-prediction-stands", assessment=errand.held.id, fault=place(error))


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


def _write(errand: Errand, leave: Leave | None) -> Written:
    earlier = _earlier(errand) if _may_stand(errand) else None
    if earlier is not None and not _lost(errand, earlier):
        return earlier
    if errand.version.live:
        _ask(errand, leave)
    with hop("write"):
        written = _put(errand) if errand.hospital.profile.write == "update" else _create(errand, earlier)
        return _read_back(errand, written)


def _may_stand(errand: Errand) -> bool:
    """Return whether an earlier try may have got as far as the EHR, under an id that we may not know."""
    unsettled = errand.held.state in (outbox.INTENDED, outbox.PARKED) or errand.held.attempts > 1
    chosen_there = errand.hospital.profile.write == "create" and errand.remote is None
    return unsettled or (chosen_there and errand.version.version > 1)


def _earlier(errand: Errand) -> Written | None:
    """Return what an earlier write left, of this version or of an older one."""
    with hop("write"):
        return write.reconcile(errand.hospital.connection, errand.resource, errand.hospital.profile)


def _lost(errand: Errand, standing: Written) -> tuple[str, ...]:
    """Return what did not survive; an EHR that chooses the ids has its own ``meta`` but for the labels."""
    sent = errand.resource
    if errand.hospital.profile.write == "create":
        labels = sent.get("meta", {}).get("security")
        sent = {name: value for name, value in sent.items() if name not in ("id", "meta")}
        sent |= {"meta": {"security": labels}} if labels else {}
    return lost(sent, standing.resource)


def _ask(errand: Errand, leave: Leave | None) -> None:
    given = leave is not None and leave.seq == errand.version.seq
    decision = leave.decision if leave is not None and given else _decided(errand)
    if not decision.permitted:
        raise Unpermitted(decision.reason[:120])


def _decided(errand: Errand) -> Decision:
    services, hospital, twin = errand.services, errand.hospital, errand.held.twin
    lookup = Question("consent-lookup", frozenset({"Patient", "Consent"}))
    allowed = ask(services, hospital, twin, lookup, ())
    if not allowed.permitted:
        return allowed
    directives = look_up(hospital, errand.patient, services.clock()).directives
    return ask(services, hospital, twin, disclosure(frozenset(errand.version.labels.split())), directives)


def _put(errand: Errand) -> Written:
    remote = errand.remote
    known = remote.version if remote and errand.hospital.profile.versions else None
    return write.put(
        errand.hospital.connection, errand.resource, known=known, is_later=lambda other: _later(errand, other)
    )


def _later(errand: Errand, standing: Mapping[str, Any]) -> bool:
    theirs, ours = risk_assessment.made_at(dict(standing)), risk_assessment.made_at(errand.resource)
    return theirs is not None and ours is not None and theirs > ours


def _create(errand: Errand, earlier: Written | None) -> Written:
    remote = errand.remote or (Remote(earlier.id, earlier.version) if earlier else None)
    with errand.services.journal.transaction() as connection:
        outbox.intend(connection, errand.held, errand.services.now())
    if remote is None:
        return write.create(errand.hospital.connection, errand.resource, errand.hospital.profile)
    return write.put(
        errand.hospital.connection,
        {**errand.resource, "id": remote.id},
        known=remote.version if errand.hospital.profile.versions else None,
        is_later=lambda other: _later(errand, other),
    )


def _read_back(errand: Errand, written: Written) -> Written:
    """Read what stands now; what the write itself answered proves nothing.

    Raises
    ------
    Altered
        A field that must survive did not.
    """
    if written.superseded:
        return written
    standing = write.read_back(errand.hospital.connection, "RiskAssessment", written.id)
    if standing is None:
        raise AmbiguousWrite("what was written is not there")
    missing = _lost(errand, standing)
    if missing:
        raise Altered(f"did not survive: {', '.join(missing)}")
    return standing


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


def _undone(errand: Errand) -> str:
    """Return the state to wait in: an intent that could not be looked up is still an intent."""
    return errand.held.state


def _patience(errand: Errand, error: HospitalError | None = None) -> float:
    asked = error.retry_after if isinstance(error, HospitalUnavailable) else None
    return float(min(asked or 2**errand.held.attempts, 300))
