"""Events that name a resource but no patient: ask the EHR only whose they are.

An id-only notification says that Observation/17 changed, not about whom. Only ``subject`` is asked
for, under an audited consent lookup of the hospital: nothing clinical may be read before *collect* is
permitted, and that can only be decided for a known patient. An EHR that ignores ``_elements`` sends
more than id, meta, subject and patient: that is dropped unread, nothing of it is kept or logged.

What was deleted names nobody any more; the twin that holds it reads again and so loses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fhir_mapping import resource
from fhir_mapping.notification import Change
from gateway.hospitals.errors import HospitalError, HospitalUnavailable
from gateway.operations.consented import ask_for_hospital, looked_up
from gateway.operations.receive import notified, open_change
from gateway.operations.services import Hospital, Services
from gateway.storage import holders, inbox
from gateway.storage.inbox import Ending, Waiting
from gateway.telemetry import events, hop, log, place

LIMIT = 200
CHUNK = 20
TRIES = 6  # after 1, 2, 4, 8 and 16 seconds: a refusal may be a slip of the EHR's administrator
PAUSE = 5.0  # seconds that an EHR which is away is left alone
LONGEST = 300.0
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event whose patient is not known."""

    event: Waiting
    change: Change


@dataclass(frozen=True, slots=True)
class Answer:
    """What the EHR said of the resource: whether it stands, whose it is, or why it does not say."""

    stands: bool = False
    owner: str | None = None
    refusal: HospitalError | None = None


def resolve(services: Services, hospital_id: str) -> None:
    """Give each waiting event to the twin it belongs to; one that the EHR refuses stops no other."""
    waiting = _waiting(services, hospital_id)
    inputs = {*resource.mappings(), "Patient", "Consent"}
    _conclude(services, [one for one in waiting if one.change.type not in inputs], "not-an-input")
    wanted = [one for one in waiting if one.change.type in inputs]
    if not wanted:
        return
    hospital = services.hospital(hospital_id)
    if not ask_for_hospital(services, hospital, f"the subjects of {len(wanted)} references"):
        _conclude(services, wanted, "denied")
        return
    for start in range(0, len(wanted), CHUNK):
        if not _resolve(services, hospital, wanted[start : start + CHUNK]):
            _leave(services, wanted[start + CHUNK :], PAUSE)
            return


def _waiting(services: Services, hospital_id: str) -> list[Unknown]:
    with services.journal.reading() as connection:
        waiting = inbox.unresolved(connection, hospital_id, services.now(), LIMIT)
    return [Unknown(event, open_change(services, hospital_id, event.sealed)) for event in waiting]


def _conclude(services: Services, ended: Iterable[Unknown], outcome: str) -> None:
    endings = [Ending(one.event.id, outcome) for one in ended]
    if endings:
        with services.journal.transaction() as connection:
            inbox.conclude(connection, endings, services.now())
        events.labels(outcome).inc(len(endings))


def _leave(services: Services, left: Iterable[Unknown], pause: float, *, tried: bool = False) -> None:
    until = services.now() + int(min(pause, LONGEST) * MICROSECONDS)
    with services.journal.transaction() as connection:
        inbox.postpone(connection, [one.event.id for one in left], until, tried=tried)


def _resolve(services: Services, hospital: Hospital, wanted: Sequence[Unknown]) -> bool:
    """Ask for some events; return False where the EHR went away meanwhile."""
    answers: list[Answer] = []
    try:
        with hop("pull"):
            for one in wanted:
                answers.append(_ask(hospital, one.change))  # noqa: PERF401  # what came before a fault counts
    except HospitalUnavailable as away:
        _leave(services, wanted[len(answers) :], away.retry_after or PAUSE)
    if answers:
        services.audit.append(looked_up(services, hospital, f"the subjects of {len(answers)} references"))
    woken = {_settle(services, hospital, *pair) for pair in zip(wanted, answers, strict=False)}
    for twin in woken - {None}:
        services.queue.synchronise(str(twin), services.settings.debounce)
    return len(answers) == len(wanted)


def _ask(hospital: Hospital, change: Change) -> Answer:
    if change.type == "Patient":
        return Answer(True, change.id)
    try:
        return _search(hospital, change)
    except HospitalUnavailable:
        raise
    except HospitalError as refusal:
        return Answer(refusal=refusal)


def _search(hospital: Hospital, change: Change) -> Answer:
    parameters = [("_id", change.id), ("_elements", "subject,patient")]
    for fetched in hospital.connection.search(change.type, parameters):
        if fetched.id == change.id:
            owner = hospital.connection.owner(fetched.resource) or ""
            named = owner.removeprefix("Patient/") if owner.startswith("Patient/") else None
            return Answer(True, named)
    return Answer()


def _settle(services: Services, hospital: Hospital, one: Unknown, answer: Answer) -> str | None:
    """Give the event to its twin or end it; return the twin that must be woken."""
    if answer.refusal is not None:
        _refused(services, one, answer.refusal)
        return None
    if answer.owner is not None:
        return _assign(services, hospital, one, answer.owner)
    if answer.stands:
        _conclude(services, [one], "not-an-input")
        return None
    return _told_of_deletion(services, hospital, one)


def _refused(services: Services, one: Unknown, refusal: HospitalError) -> None:
    last = one.event.tries + 1 >= TRIES
    log().warning("subject-refused", journaled=one.event.id, fault=place(refusal), given_up=last)
    if last:
        _conclude(services, [one], "refused")
    else:
        _leave(services, [one], 2.0**one.event.tries, tried=True)


def _assign(services: Services, hospital: Hospital, one: Unknown, owner: str) -> str | None:
    now = services.now()
    known = notified(services, hospital.id, replace(one.change, subject=owner), now)
    if known.twin is None or known.patient is None:
        return None
    with services.journal.transaction() as connection:
        woken = inbox.assign(connection, one.event.id, hospital.id, known.twin, known.patient, now)
    return known.twin if woken else None


def _told_of_deletion(services: Services, hospital: Hospital, one: Unknown) -> str | None:
    """Let the twin that holds the resource look at it again; without one it is nobody's."""
    key = services.holder_key(hospital.id, f"{one.change.type}/{one.change.id}")
    with services.journal.transaction() as connection:
        twin = holders.of(connection, key)
        patient = inbox.sealed_patient(connection, twin) if twin else None
        if twin is not None and patient is not None:
            woken = inbox.assign(connection, one.event.id, hospital.id, twin, patient, services.now())
            return twin if woken else None
    _conclude(services, [one], "deleted")
    return None
