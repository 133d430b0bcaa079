"""The write itself: decide on *disclose*, write by the way the EHR allows, read back, compare.

What says that an assessment no longer holds carries no prediction; it follows from a withdrawal and
is written without asking again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from consent.decision import Decision
from fhir_mapping import risk_assessment
from fhir_mapping.survival import lost
from gateway.hospitals import write
from gateway.hospitals.errors import AmbiguousWrite, HospitalError
from gateway.hospitals.write import Written
from gateway.operations import switches
from gateway.operations.consented import Question, ask
from gateway.operations.pull import look_up
from gateway.operations.services import Hospital, Services
from gateway.storage import outbox
from gateway.storage.outbox import Delivery, Version
from gateway.telemetry import hop, log, place
from twin_engine.threads import ready

CLASSES = frozenset({"RiskAssessment"})


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
        return msgspec.msgpack.decode(opened_, type=ready(Remote))


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


def write_back(errand: Errand, leave: Leave | None) -> Written:
    earlier = _earlier(errand) if _may_stand(errand) else None
    if earlier is not None and not _lost(errand, earlier):
        return earlier
    if errand.version.live:
        _still_shown(errand)
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


def _still_shown(errand: Errand) -> None:
    with errand.services.journal.reading() as connection:
        states = switches.states(connection, errand.services, errand.hospital.id)
    if states.get(errand.version.model, "on") != "on":
        raise Unpermitted("the model is not shown at this site")


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


def may_show(errand: Errand) -> bool:
    """Return whether the EHR may show a prediction of ours that no longer holds: taking it back goes on."""
    return errand.held.written > 0 or errand.remote is not None or _may_stand(errand)


def take_back(errand: Errand) -> None:
    """Leave no prediction behind that the EHR has altered."""
    remote = errand.remote
    id_ = remote.id if remote else str(errand.resource["id"])
    try:
        errand.hospital.connection.put({**risk_assessment.without_prediction(errand.resource), "id": id_})
    except HospitalError as error:
        log().error("altered-prediction-stands", assessment=errand.held.id, fault=place(error))
