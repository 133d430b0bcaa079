"""The main job: bring one twin up to date.

1. claim the twin's lease: all events waiting are ours, a burst costs one update;
2. decide on the consent lookup, commit the decision, read Patient and Consent;
3. decide on *collect*, commit, read what changed (or everything);
4. map to values; what cannot be used is kept with its reason;
5. decide on *use*, commit, compute outside any transaction;
6. in one transaction, and only if the fence is unchanged: evidence, snapshots, assessments with
   their deliveries, the end of every event, and the number done;
7. deliver (which asks for *disclose*), then look whether more arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from audit.log import AuditUnavailable
from audit.record import Event
from fhir_mapping.notification import Change
from gateway.hospitals.errors import HospitalUnavailable
from gateway.operations import assess, deliver, switches
from gateway.operations.account import Account, Standing, newer
from gateway.operations.commit import Updated, commit
from gateway.operations.consented import Question, acted, ask
from gateway.operations.heartbeat import beating
from gateway.operations.job import DENIED, Evidenced, Job, Result
from gateway.operations.pull import (
    Lookup,
    Pulled,
    look_up,
    pull_changes,
    pull_everything,
    pull_recent,
    readable,
)
from gateway.operations.receive import open_change, open_patient
from gateway.operations.scoring import Settled, Span, settle, withdrawn
from gateway.operations.services import Services
from gateway.operations.switches import State
from gateway.operations.update import Computed, compute
from gateway.storage import inbox, leases
from gateway.storage.engine import from_us
from gateway.storage.leases import Claim, Fenced
from gateway.storage.outbox import Version
from gateway.telemetry import hop, log, place
from twin_engine import store
from twin_engine.store import EvidenceRecord, Snapshot
from twin_engine.twin import Evidence

MICROSECONDS = 1_000_000
UNREAD = frozenset({"denied", "unknown"})  # what was told in these states was closed without being read


def synchronise(services: Services, twin: str) -> None:
    """Update one twin and deliver; without work, or while another worker holds it, do nothing."""
    updated = update(services, twin)
    if updated is None:
        return
    deliver.deliver(services, twin, updated.leave)
    if updated.more:
        services.queue.synchronise(twin, services.settings.debounce)


def update(services: Services, twin: str) -> Updated | None:
    """Do steps 1 to 6; None where there was nothing to do or it could not be done now."""
    lease = int(services.settings.lease * MICROSECONDS)
    with services.journal.transaction() as connection:
        claim = leases.claim(connection, twin, services.now(), lease)
    if claim is None:
        return None
    try:
        with beating(partial(_renew, services, claim), services.settings.lease):
            return _update(_job(services, claim))
    except Fenced:
        log().warning("lease-lost", twin=twin)
    except Exception as error:  # noqa: BLE001  # whatever broke, the lease goes back and the events stay waiting
        _give_back(services, claim, error)
    return None


def _renew(services: Services, claim: Claim) -> None:
    until = services.now() + int(services.settings.lease * MICROSECONDS)
    with services.journal.transaction() as connection:
        leases.renew(connection, claim, until)


def _job(services: Services, claim: Claim) -> Job:
    if claim.attempts > services.settings.attempts:
        raise Exhausted
    with services.journal.reading() as connection:
        waiting = inbox.between(connection, claim.twin, claim.done_seq, claim.seq)
        running = switches.running(connection, services, claim.hospital)
    patient = open_patient(services, claim.twin, claim.patient)
    hospital = services.hospital(claim.hospital)
    changes = tuple(open_change(services, hospital.id, event.sealed) for event in waiting)
    return Job(services, hospital, claim, patient, tuple(waiting), changes, services.clock(), running)


class Exhausted(Exception):
    """The update was begun too often without coming to an end."""


def _give_back(services: Services, claim: Claim, error: Exception) -> None:
    """Try again later, ever more slowly; park the twin for a person to see unless the EHR is only away."""
    away = isinstance(error, HospitalUnavailable | AuditUnavailable)
    tried = min(claim.attempts, services.settings.attempts - 1) if away else claim.attempts
    parked = type(error).__name__ if tried >= services.settings.attempts else None
    wait = getattr(error, "retry_after", None) or 2**tried
    log().warning(
        "update-postponed", twin=claim.twin, attempt=claim.attempts, fault=place(error), parked=parked
    )
    lapsed = _lapsed(services, claim)
    now = services.now()
    with services.journal.transaction() as connection:
        assess.keep(connection, services.hospital(claim.hospital), lapsed, now)
        retry = now + int(min(wait, 300) * MICROSECONDS)
        leases.release(connection, claim, retry, attempts=tried, parked=parked)


def _lapsed(services: Services, claim: Claim) -> tuple[Version, ...]:
    """Return what must be said though nothing can be read: a forecast that has run out holds no more."""
    at = services.clock()
    if claim.state != "current":
        return ()
    patient = open_patient(services, claim.twin, claim.patient)
    with services.journal.reading() as connection:
        snapshots = store.latest_snapshots(connection, services.vault, claim.twin)
    occasion = assess.Occasion(
        services, services.hospital(claim.hospital), claim.twin, patient, at, claim.seq
    )
    return assess.lapses(occasion, snapshots)


def _update(job: Job) -> Updated:
    lookup = _look_up(job)
    directives = lookup.directives if lookup else ()
    return commit(job, _result(job, lookup), directives)


def _result(job: Job, lookup: Lookup | None) -> Result:
    if lookup is None:
        return DENIED
    if lookup.patient is None:
        return Result("unknown", closing=Account("unknown-patient"))
    kinds = readable(job.hospital, job.running)
    if not _permits(job, lookup, Question("collect", kinds), job.pulled(lookup.seen)):
        return DENIED
    known = _known(job)
    pulled = _pull(job, known, kinds)
    evidence = _merge(known, lookup.patient, pulled)
    labels = frozenset(label for record in evidence.values() for label in record.labels)
    # What is known from before counts too, be it of a type that is not read any more.
    used = kinds | {kind for kind, _, _ in (one.partition("/") for one in evidence)} - {"Patient"}
    if not _permits(job, lookup, Question("use", used, labels), job.pulled(pulled.seen)):
        return DENIED
    return _compute(job, lookup, pulled, known, evidence, labels)


def _known(job: Job) -> Evidenced:
    with hop("seal"), job.services.journal.reading() as connection:
        return {
            one.reference: one for one in store.current_evidence(connection, job.services.vault, job.twin)
        }


def _look_up(job: Job) -> Lookup | None:
    question = Question("consent-lookup", frozenset({"Patient", "Consent"}))
    decision = ask(job.services, job.hospital, job.twin, question, (), *_told(job))
    return look_up(job.hospital, job.patient, job.at) if decision.permitted else None


def _told(job: Job) -> list[Event]:
    """Return the records of the notifications that this update answers; a later try has them already."""
    if job.claim.attempts > 1:
        return []
    return [
        replace(
            acted(
                job.services, job.hospital, job.twin, "notification", "journaled", (f"{told.type}/{told.id}",)
            ),
            at=from_us(event.received),
        )
        for event, told in zip(job.waiting, job.changes, strict=True)
    ]


def _permits(job: Job, lookup: Lookup, question: Question, *acts: Event) -> bool:
    return ask(job.services, job.hospital, job.twin, question, lookup.directives, *acts).permitted


def _pull(job: Job, known: Evidenced, kinds: frozenset[str]) -> Pulled:
    if job.claim.full or job.claim.state in UNREAD:
        return pull_everything(job.hospital, job.patient, job.running, known, job.at)
    if job.hospital.profile.sync == "polling":
        since, overlap = from_us(job.claim.read), timedelta(seconds=job.services.settings.overlap)
        return pull_recent(job.hospital, job.patient, job.running, since, overlap, job.at)
    pulled = pull_changes(job.hospital, job.patient, kinds, job.changes, job.at)
    if job.claim.attempts < job.services.settings.attempts and _behind(job.changes, pulled):
        raise NotShownYet
    return pulled


class NotShownYet(HospitalUnavailable):
    """The EHR told of a version that it does not show yet; a later try may see it."""


def _behind(changes: Iterable[Change], pulled: Pulled) -> bool:
    shown = {record.reference: record.version for record in pulled.records}
    for change in changes:
        here = shown.get(f"{change.type}/{change.id}")
        if here is not None and change.version is not None and newer(change.version, here):
            return True
    return False


def _merge(known: Evidenced, patient: EvidenceRecord, pulled: Pulled) -> dict[str, EvidenceRecord]:
    evidence = {one: record for one, record in known.items() if one not in pulled.gone}
    evidence[patient.reference] = patient
    for record in pulled.records:
        if record.items or record.reasons or record.reference in evidence:
            evidence[record.reference] = record
    return evidence


def _compute(
    job: Job, lookup: Lookup, pulled: Pulled, known: Evidenced, evidence: Evidenced, labels: frozenset[str]
) -> Result:
    with hop("seal"), job.services.journal.reading() as connection:
        snapshots = store.latest_snapshots(connection, job.services.vault, job.twin)
        states = switches.states(connection, job.services, job.hospital.id)
    with hop("twin"):
        gathered = store.gather(evidence.values())
        computed = _answered(job, gathered, snapshots, states) if gathered else ()
        settled = _settled(job, gathered) if gathered else Settled()
    answers = tuple(answer for one in computed if not one.silent for answer in one.answers)
    seen = {record.reference: record for record in pulled.records}
    strays = frozenset(f"{stray.type}/{stray.id}" for stray in pulled.strays)
    changed = _changed(lookup, pulled, known, evidence)
    return Result(
        "current",
        changed,
        computed,
        Standing(evidence, answers, strays, seen, pulled.refused),
        labels,
        settled=settled,
        withdrawn=_withdrawn(changed, known),
    )


def _answered(
    job: Job, gathered: Evidence, snapshots: Iterable[Snapshot], states: Mapping[str, State]
) -> tuple[Computed, ...]:
    """Run every model that is not off."""
    before = {snapshot.model: snapshot for snapshot in snapshots}
    running = {name: model for name, model in job.services.models.items() if states[name] != "off"}
    computed = compute(running, gathered, before, job.at, job.claim.seq)
    return tuple(replace(one, silent=states[one.model.card.name] != "on") for one in computed)


def _settled(job: Job, gathered: Evidence) -> Settled:
    with job.services.journal.reading() as connection:
        return settle(connection, job.sitting, gathered)


def _withdrawn(changed: Pulled, known: Evidenced) -> tuple[Span, ...]:
    gone = [withdrawn(known.get(reference), None) for reference in changed.gone]
    amended = [withdrawn(known.get(record.reference), record) for record in changed.records]
    return tuple(span for spans in (*gone, *amended) for span in spans)


def _changed(lookup: Lookup, pulled: Pulled, known: Evidenced, evidence: Evidenced) -> Pulled:
    """Return what has to be stored: the Patient counts as a record like any other."""
    records = [record for record in pulled.records if evidence.get(record.reference) is record]
    if lookup.patient is not None:
        records.append(lookup.patient)
    new = tuple(record for record in records if replace(record, body=b"") != known.get(record.reference))
    gone = tuple(reference for reference in pulled.gone if reference in known)
    return Pulled(new, gone, pulled.strays)
