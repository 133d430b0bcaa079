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

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from audit.log import AuditUnavailable
from audit.record import Event
from consent.policy import Directive
from gateway.hospitals.errors import HospitalUnavailable
from gateway.operations import assess, deliver
from gateway.operations.account import Account, Standing, account
from gateway.operations.consented import Question, acted, ask
from gateway.operations.directives import remember
from gateway.operations.pull import Lookup, Pulled, look_up, pull_changes, pull_everything, pull_recent
from gateway.operations.receive import notified, open_change, open_patient
from gateway.operations.services import Hospital, Services
from gateway.operations.update import Computed, compute, gather, turns
from gateway.storage import inbox, leases
from gateway.storage.engine import from_us, to_us
from gateway.storage.inbox import Waiting, insert_new
from gateway.storage.leases import Claim, Fenced
from gateway.storage.schema import quarantine
from gateway.telemetry import events, hop, log, place
from twin_engine import store
from twin_engine.store import EvidenceRecord

Evidenced = Mapping[str, EvidenceRecord]

CLINICAL = frozenset({"Observation", "Condition", "MedicationRequest", "MedicationStatement"})
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed update."""

    services: Services
    hospital: Hospital
    claim: Claim
    patient: str
    waiting: tuple[Waiting, ...]
    at: datetime

    @property
    def twin(self) -> str:
        return self.claim.twin


@dataclass(frozen=True, slots=True)
class Result:
    """What an update found out, ready to be committed."""

    state: str
    pulled: Pulled = field(default_factory=Pulled)
    computed: tuple[Computed, ...] = ()
    standing: Standing = field(default_factory=lambda: Standing({}, ()))
    labels: frozenset[str] = frozenset()
    closing: Account | None = None  # all events end like this, and no assessment holds any more


DENIED = Result("denied", closing=Account("denied"))


def synchronise(services: Services, twin: str) -> None:
    """Update one twin and deliver; without work, or while another worker holds it, do nothing."""
    updated = update(services, twin)
    if updated is None:
        return
    deliver.deliver(services, twin, updated.directives)
    if updated.more:
        services.queue.synchronise(twin, services.settings.debounce)


@dataclass(frozen=True, slots=True)
class Updated:
    """An update that was committed; ``more`` events arrived meanwhile."""

    more: bool
    directives: tuple[Directive, ...]


def update(services: Services, twin: str) -> Updated | None:
    """Do steps 1 to 6; None where there was nothing to do or it could not be done now."""
    lease = int(services.settings.lease * MICROSECONDS)
    with services.journal.transaction() as connection:
        claim = leases.claim(connection, twin, services.now(), lease)
    if claim is None:
        return None
    try:
        return _update(_job(services, claim))
    except Fenced:
        log().warning("lease-lost", twin=twin)
    except Exception as error:  # noqa: BLE001  # whatever broke, the lease goes back and the events stay waiting
        _give_back(services, claim, error)
    return None


def _job(services: Services, claim: Claim) -> Job:
    if claim.attempts > services.settings.attempts:
        raise Exhausted
    with services.journal.reading() as connection:
        waiting = inbox.between(connection, claim.twin, claim.done_seq, claim.seq)
    patient = open_patient(services, claim.twin, claim.patient)
    hospital = services.hospital(claim.hospital)
    return Job(services, hospital, claim, patient, tuple(waiting), services.clock())


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
    retry = services.now() + int(min(wait, 300) * MICROSECONDS)
    with services.journal.transaction() as connection:
        leases.release(connection, claim, retry, attempts=tried, parked=parked)


def _update(job: Job) -> Updated:
    lookup = _look_up(job)
    directives = lookup.directives if lookup else ()
    return Updated(_commit(job, _result(job, lookup), directives), directives)


def _result(job: Job, lookup: Lookup | None) -> Result:
    if lookup is None:
        return DENIED
    if lookup.patient is None:
        return Result("unknown", closing=Account("unknown-patient"))
    if not _permits(job, lookup, Question("collect", CLINICAL), _pulled_event(job, lookup.seen)):
        return DENIED
    known = _known(job)
    pulled = _pull(job, known)
    evidence = _merge(known, lookup.patient, pulled)
    labels = frozenset(label for record in evidence.values() for label in record.labels)
    if not _permits(job, lookup, Question("use", CLINICAL, labels), _pulled_event(job, pulled.seen)):
        return DENIED
    return _compute(job, lookup, pulled, known, evidence, labels)


def _known(job: Job) -> Evidenced:
    with hop("seal"), job.services.journal.reading() as connection:
        return {
            one.reference: one for one in store.current_evidence(connection, job.services.vault, job.twin)
        }


def _look_up(job: Job) -> Lookup | None:
    question = Question("consent-lookup", frozenset({"Patient", "Consent"}))
    decision = ask(job.services, job.hospital, job.twin, question, ())
    return look_up(job.hospital, job.patient, job.at) if decision.permitted else None


def _permits(job: Job, lookup: Lookup, question: Question, *acts: Event) -> bool:
    return ask(job.services, job.hospital, job.twin, question, lookup.directives, *acts).permitted


def _pulled_event(job: Job, seen: tuple[str, ...]) -> Event:
    return acted(job.services, job.hospital, job.twin, "pull", f"{len(seen)} resources", seen)


def _pull(job: Job, known: Evidenced) -> Pulled:
    if job.claim.full:
        return pull_everything(job.hospital, job.patient, job.services.models, known, job.at)
    if job.hospital.profile.sync == "polling":
        since, overlap = from_us(job.claim.read), timedelta(seconds=job.services.settings.overlap)
        return pull_recent(job.hospital, job.patient, job.services.models, since, overlap, job.at)
    changes = [open_change(job.services, job.hospital.id, event.sealed) for event in job.waiting]
    return pull_changes(job.hospital, job.patient, changes, job.at)


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
    with hop("twin"):
        gathered = gather(evidence.values())
        before = {snapshot.model: snapshot for snapshot in snapshots}
        computed = compute(job.services.models, gathered, before, job.at, job.claim.seq) if gathered else ()
    answers = tuple(answer for one in computed for answer in one.answers)
    seen = {record.reference: record for record in pulled.records}
    strays = frozenset(f"{stray.type}/{stray.id}" for stray in pulled.strays)
    changed = _changed(lookup, pulled, known, evidence)
    return Result("current", changed, computed, Standing(evidence, answers, strays, seen), labels)


def _changed(
    lookup: Lookup, pulled: Pulled, known: Mapping[str, EvidenceRecord], evidence: Evidenced
) -> Pulled:
    """Return what has to be stored: the Patient counts as a record like any other."""
    records = [record for record in pulled.records if evidence.get(record.reference) is record]
    if lookup.patient is not None:
        records.append(lookup.patient)
    new = tuple(record for record in records if replace(record, body=b"") != known.get(record.reference))
    return Pulled(new, pulled.gone, pulled.strays)


def _commit(job: Job, result: Result, directives: tuple[Directive, ...]) -> bool:
    services = job.services
    occasion = assess.Occasion(
        services, job.hospital, job.twin, job.patient, job.at, job.claim.seq, result.labels
    )
    assessed = (
        assess.withdrawals(occasion) if result.closing else assess.assessments(occasion, result.computed)
    )
    with hop("audit"):
        services.audit.append(_updated_event(job, result))
    with hop("seal"), services.journal.transaction() as connection:
        now = services.now()
        _store(connection, job, result)
        remember(connection, services, job.twin, directives)
        assess.keep(connection, job.hospital, assessed, now)
        woken = _reroute(connection, job, result)
        _conclude(connection, job, result, now)
        due = turns(answer for one in result.computed for answer in one.answers)
        more = leases.finish(connection, job.claim, now, state=result.state, due=to_us(due) if due else None)
    for twin in woken:
        services.queue.synchronise(twin, services.settings.debounce)
    return more


def _updated_event(job: Job, result: Result) -> Event:
    models = ", ".join(
        f"{one.model.card.name} {one.model.card.version}" for one in result.computed if one.snapshot
    )
    detail = f"{result.state}: {models or 'nothing new'}"
    return acted(job.services, job.hospital, job.twin, "twin-update", detail, result.pulled.seen)


def _store(connection: Connection, job: Job, result: Result) -> None:
    vault = job.services.vault
    for record in result.pulled.records:
        key = evidence_key(job.services, job.twin, record.reference)
        store.put_evidence(connection, vault, job.twin, record, key=key, known=job.at)
        _quarantine(connection, job, record)
    for reference in result.pulled.gone:
        store.retract(connection, job.twin, key=evidence_key(job.services, job.twin, reference), known=job.at)
    for one in result.computed:
        if one.snapshot is not None:
            store.append_snapshot(connection, vault, job.twin, one.snapshot)


def evidence_key(services: Services, twin: str, reference: str) -> str:
    """Return the blind key under which a resource's evidence is stored."""
    return services.pseudonyms.of("evidence", twin, reference)


def _quarantine(connection: Connection, job: Job, record: EvidenceRecord) -> None:
    key = job.services.pseudonyms.digest("resource", job.twin, record.reference)
    connection.execute(delete(quarantine).where(quarantine.c.twin == job.twin, quarantine.c.resource == key))
    if record.reasons:
        sealed = job.services.seal(
            f"twin/{job.twin}", "quarantine.sealed", job.twin, record.reference.encode()
        )
        problems = "\n".join(record.reasons)
        insert_new(
            connection,
            quarantine,
            twin=job.twin,
            resource=key,
            sealed=sealed,
            problems=problems,
            since=to_us(job.at),
        )


def _reroute(connection: Connection, job: Job, result: Result) -> set[str]:
    now = job.services.now()
    strays = [notified(job.services, job.hospital.id, stray, now) for stray in result.pulled.strays]
    moved = [stray for stray in strays if stray.twin != job.twin]
    return inbox.record(connection, moved).wake if moved else set()


def _conclude(connection: Connection, job: Job, result: Result, now: int) -> None:
    for event in job.waiting:
        change = open_change(job.services, job.hospital.id, event.sealed)
        ending = result.closing or account(change, result.standing)
        detail = job.services.seal(f"twin/{job.twin}", "inbox.detail", str(event.id), ending.detail.encode())
        inbox.conclude(connection, event.id, ending.outcome, detail, now)
        events.labels(ending.outcome).inc()
