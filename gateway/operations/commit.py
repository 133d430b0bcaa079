"""The end of an update: one transaction, and only if the fence is unchanged.

Evidence, snapshots, assessments with their deliveries, the end of every event and the number done
stand together or not at all. Before it, in one append to the audit log: that the twin was updated, and
whether what is new may be disclosed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from audit.record import Event
from consent.decision import Decision
from consent.policy import Directive
from fhir_mapping.notification import Change
from gateway.operations import assess, calibrating, scoring
from gateway.operations.account import Account, account
from gateway.operations.consented import acted, recorded, weigh
from gateway.operations.directives import remember
from gateway.operations.errand import Leave, disclosure
from gateway.operations.job import DENIED, Job, Result
from gateway.operations.receive import notified
from gateway.operations.services import Services
from gateway.operations.update import turns
from gateway.storage import holders, inbox, leases, outbox
from gateway.storage.engine import to_us
from gateway.storage.inbox import Notified, insert_new
from gateway.storage.outbox import Version
from gateway.storage.schema import quarantine
from gateway.telemetry import events, hop
from twin_engine import store
from twin_engine.store import EvidenceRecord
from twin_engine.twin import Forecast


@dataclass(frozen=True, slots=True)
class Updated:
    """An update that was committed; ``more`` events arrived meanwhile."""

    more: bool
    leave: Leave | None


def commit(job: Job, found: Result, directives: tuple[Directive, ...]) -> Updated:
    """Make the update stand.

    Raises
    ------
    gateway.storage.leases.Fenced
        Another worker holds the twin now: nothing stands.
    """
    services, told = job.services, _disclosure(job, found, directives)
    result = found if told is None or told.permitted else replace(found, closing=UNTOLD)
    assessed = _assessed(job, result)
    relied_on = told if assessed or result.closing is UNTOLD else None
    _record(job, result, relied_on, directives)
    with hop("seal"), services.journal.transaction() as connection:
        now = services.now()
        woken = _store(connection, job, result)
        woken |= _take(connection, job, [f"Consent/{directive.id}" for directive in directives])
        remember(connection, services, job.twin, directives)
        assess.keep(connection, job.hospital, assessed, now)
        if told is not None and told.permitted:
            outbox.reopen(connection, job.twin, now)
        woken |= _reroute(connection, job, result)
        _conclude(connection, job, result, now)
        due = _due(result, directives, job.at)
        more = leases.finish(connection, job.claim, now, state=result.state, due=to_us(due) if due else None)
    for twin in woken:
        services.queue.synchronise(twin, services.settings.debounce)
    return Updated(more, Leave(job.claim.seq, told) if told else None)


# The twin may be computed but the EHR may not be told: what stands there is taken back.
UNTOLD = Account("denied", "disclosure")


def _disclosure(job: Job, result: Result, directives: tuple[Directive, ...]) -> Decision | None:
    """Decide whether the EHR may be told; None where there is nothing to tell it."""
    shown = (one for one in result.computed if not one.silent)
    forecasts = any(isinstance(answer, Forecast) for one in shown for answer in one.answers)
    if not forecasts or result.closing or job.hospital.profile.write == "kept-here":
        return None
    return weigh(job.services, job.hospital, job.twin, disclosure(result.labels), directives)


def _assessed(job: Job, result: Result) -> tuple[Version, ...]:
    occasion = job.occasion(result.labels)
    return assess.withdrawals(occasion) if result.closing else assess.assessments(occasion, result.computed)


def _record(job: Job, result: Result, told: Decision | None, directives: tuple[Directive, ...]) -> None:
    """Record the update and, where something is to be told, the decision on telling it."""
    acts = [_updated(job, result)]
    if told is not None:
        acts.append(recorded(job.services, job.hospital, told, directives))
    with hop("audit"):
        job.services.audit.append(*acts)


def _due(result: Result, directives: tuple[Directive, ...], at: datetime) -> datetime | None:
    """Return when time alone changes something: a forecast, or what a Consent says."""
    answers = turns(answer for one in result.computed for answer in one.answers)
    consents = [directive.turns(at) for directive in directives]
    return min((moment for moment in (answers, *consents) if moment is not None), default=None)


def _updated(job: Job, result: Result) -> Event:
    models = ", ".join(
        f"{one.model.card.name} {one.model.card.version}" for one in result.computed if one.snapshot
    )
    detail = f"{result.state}: {models or 'nothing new'}"
    return acted(job.services, job.hospital, job.twin, "twin-update", detail, result.pulled.seen)


def _store(connection: Connection, job: Job, result: Result) -> set[str]:
    """Keep what was read and computed; return twins that held one of these resources until now."""
    vault, references = job.services.vault, []
    for record in result.pulled.records:
        key = evidence_key(job.services, job.twin, record.reference)
        store.put_evidence(connection, vault, job.twin, record, key=key, known=job.at)
        references.append(record.reference)
    for reference in result.pulled.gone:
        store.retract(connection, job.twin, key=evidence_key(job.services, job.twin, reference), known=job.at)
    for one in result.computed:
        if one.snapshot is not None:
            store.append_snapshot(connection, vault, job.twin, one.snapshot)
    before = job.at - timedelta(days=job.services.settings.state_retention)
    store.compact(connection, job.twin, before, outbox.updates(connection, job.twin))
    _score(connection, job, result)
    _quarantine(connection, job, result)
    return _take(connection, job, references)


def _score(connection: Connection, job: Job, result: Result) -> None:
    """Forget the scores that rest on what was withdrawn, and keep how other forecasts did."""
    denied = result.state == DENIED.state
    calibrating.take_out(connection, job.services, job.twin, None if denied else result.withdrawn)
    scoring.keep(connection, job.sitting, result.settled, () if denied else result.computed)


def _take(connection: Connection, job: Job, references: list[str]) -> set[str]:
    """Hold the resources; whoever held one until now is read again in full and so loses it."""
    keys = [job.services.holder_key(job.hospital.id, reference) for reference in references]
    former = holders.take(connection, keys, job.twin)
    return {twin for twin in sorted(former) if inbox.wake(connection, twin, job.services.now(), full=True)}


def evidence_key(services: Services, twin: str, reference: str) -> str:
    """Return the blind key under which a resource's evidence is stored."""
    return services.pseudonyms.of("evidence", twin, reference)


def _quarantine(connection: Connection, job: Job, result: Result) -> None:
    """List what cannot be used, and no longer what now can or is gone."""
    touched = [*(record.reference for record in result.pulled.records), *result.pulled.gone]
    keys = [_resource_key(job, reference) for reference in touched]
    if keys:
        mine = (quarantine.c.twin == job.twin) & quarantine.c.resource.in_(keys)
        connection.execute(delete(quarantine).where(mine))
    for record in result.pulled.records:
        if record.reasons:
            _list(connection, job, record)


def _list(connection: Connection, job: Job, record: EvidenceRecord) -> None:
    reference = record.reference.encode()
    insert_new(
        connection,
        quarantine,
        twin=job.twin,
        resource=_resource_key(job, record.reference),
        sealed=job.services.seal(f"twin/{job.twin}", "quarantine.sealed", job.twin, reference),
        problems="\n".join(record.reasons),
        since=to_us(job.at),
    )


def _resource_key(job: Job, reference: str) -> bytes:
    return job.services.pseudonyms.digest("resource", job.twin, reference)


def _reroute(connection: Connection, job: Job, result: Result) -> set[str]:
    now = job.services.now()
    strays = [_rerouted(job, stray, now) for stray in result.pulled.strays]
    moved = [stray for stray in strays if stray.twin != job.twin]
    return inbox.record(connection, moved).wake if moved else set()


def _rerouted(job: Job, stray: Change, now: int) -> Notified:
    """Return the event as its owner's; under a key of its own, for the key of the version is taken here."""
    key = (stray.type, stray.id, stray.version or stray.content_hash, stray.subject or "")
    event = notified(job.services, job.hospital.id, stray, now)
    return replace(event, dedupe=job.services.pseudonyms.digest("rerouted", job.hospital.id, *key))


def _conclude(connection: Connection, job: Job, result: Result, now: int) -> None:
    endings = []
    for event, change in zip(job.waiting, job.changes, strict=True):
        ending = result.closing or account(change, result.standing)
        detail = job.services.seal(f"twin/{job.twin}", "inbox.detail", str(event.id), ending.detail.encode())
        endings.append(inbox.Ending(event.id, ending.outcome, detail))
        events.labels(ending.outcome).inc()
    inbox.conclude(connection, endings, now)
