"""Read from the EHR what a twin needs: consent first, then what changed, or everything.

Every resource that comes back is checked to be this patient's. One that names another patient never
reaches the twin: its event is handed to the patient it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from consent.policy import Directive, Policy, Provision
from fhir_mapping import consent, identity, intake, resource, validation
from fhir_mapping.errors import Unusable
from fhir_mapping.notification import Change
from fhir_mapping.searches import Search, searches
from gateway.hospitals.catch_up import recent
from gateway.hospitals.connection import Fetched
from gateway.hospitals.errors import BadAnswer, NotAuthorised, ReadRefused
from gateway.operations import referred
from gateway.operations.referred import Referred
from gateway.operations.services import Hospital
from gateway.telemetry import hop
from twin_engine.model import Model
from twin_engine.store import EvidenceRecord

BATCH = 50


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the consent lookup brought: the person and the Consents."""

    patient: EvidenceRecord | None
    directives: tuple[Directive, ...]
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pulled:
    """Evidence as it stands in the EHR now."""

    records: tuple[EvidenceRecord, ...] = ()
    gone: tuple[str, ...] = ()
    strays: tuple[Change, ...] = ()
    refused: frozenset[str] = frozenset()  # what the EHR does not let us read: no evidence any more
    beside: tuple[str, ...] = ()  # what was read only to understand the records

    @property
    def seen(self) -> tuple[str, ...]:
        return (*(versioned(record) for record in self.records), *self.beside)


def versioned(record: EvidenceRecord) -> str:
    """Return the reference with version that a basis names."""
    return f"{record.reference}/_history/{record.version}"


def look_up(hospital: Hospital, patient: str, now: datetime) -> Lookup:
    """Read the Patient and the Consents, and nothing else."""
    with hop("pull"):
        person = hospital.reader.get("Patient", patient)
        found = (
            list(hospital.reader.search("Consent", patient=patient)) if _searches(hospital, "Consent") else []
        )
    with hop("map"):
        record = record_of(person, now) if person else None
        directives = tuple(_directive(hospital.policy, fetched) for fetched in found)
    seen = tuple(f"Consent/{directive.id}/_history/{directive.version}" for directive in directives)
    return Lookup(record, directives, (versioned(record), *seen) if record else seen)


def _directive(policy: Policy, fetched: Fetched) -> Directive:
    """Return what a Consent says. One that cannot be read counts, whatever it was filed as, and so denies."""
    try:
        if fetched.fault is not None:
            raise fetched.fault
        if fetched.as_sent:  # what came in another release was checked by its own definitions
            validation.check(fetched.resource)
        return consent.read(fetched.resource)
    except Unusable:
        return Directive(
            id=fetched.id,
            version=fetched.version or "unknown",
            status="active",
            scope=min(policy.scopes, default=""),
            categories=policy.categories,
            root=Provision(None, unknown=True),
            policies=policy.policies,
            unknown=True,
        )


def _searches(hospital: Hospital, kind: str) -> bool:
    return hospital.profile.can(kind, "search-type")


def readable(hospital: Hospital, models: Mapping[str, Model]) -> frozenset[str]:
    """Return the types of which something may be read: what the models need and the EHR shows."""
    searched = frozenset(kind for kind, _ in _searches_of(hospital, models))
    return searched | frozenset(kind for kind in referred.TYPES if hospital.profile.can(kind, "read"))


def record_of(fetched: Fetched, now: datetime, beside: Referred | None = None) -> EvidenceRecord:
    """Return one resource as evidence; what has the wrong structure is evidence of its own fault only.

    What it cannot be understood without is read from ``beside``.
    """
    try:
        reading = _read(fetched, now)
        others = beside.read(reading.wants) if beside and reading.wants else {}
        if others:
            reading = resource.read(fetched.resource, now, others, fetched.fault)
    except Unusable as fault:
        return _faulty(fetched, fault)
    return EvidenceRecord(
        reference=reading.reference,
        version=reading.source.rsplit("/", 1)[-1],
        last_updated=reading.last_updated,
        content_hash=identity.content_hash(fetched.resource),
        items=reading.items,
        subject=reading.subject,
        labels=reading.labels,
        reasons=tuple(f"{problem.code}: {problem.text}" for problem in reading.reasons),
        body=fetched.body,
    )


def _read(fetched: Fetched, now: datetime) -> resource.Reading:
    if fetched.as_sent:
        return intake.read(fetched.body, now, fetched.resource)
    return resource.read(fetched.resource, now, fault=fetched.fault)


def _faulty(fetched: Fetched, fault: Unusable) -> EvidenceRecord:
    digest = identity.content_hash(fetched.resource)
    return EvidenceRecord(
        reference=f"{fetched.resource['resourceType']}/{fetched.id}",
        version=fetched.version or f"sha256-{digest[:16]}",
        last_updated=None,
        content_hash=digest,
        items=(),
        subject=None,
        labels=identity.labels_of(fetched.resource),
        reasons=tuple(f"{problem.code}: {problem.text}" for problem in fault.problems),
        body=fetched.body,
    )


def pull_changes(
    hospital: Hospital, patient: str, kinds: frozenset[str], changes: Iterable[Change], now: datetime
) -> Pulled:
    """Read each changed resource of ``kinds`` again."""
    wanted: dict[str, set[str]] = {}
    for change in changes:
        if change.type in kinds - referred.TYPES:
            wanted.setdefault(change.type, set()).add(change.id)
    beside = Referred(hospital)
    pulled = Pulled()
    for kind, ids in sorted(wanted.items()):
        pulled = _join(pulled, _read_again(patient, kind, sorted(ids), now, beside))
    return replace(pulled, beside=tuple(beside.seen))


def _read_again(patient: str, kind: str, ids: list[str], now: datetime, beside: Referred) -> Pulled:
    hospital = beside.hospital
    found: dict[str, Fetched] = {}
    refused: set[str] = set()
    with hop("pull"):
        for start in range(0, len(ids), BATCH) if len(ids) > 1 else ():
            found |= _by_id(hospital, patient, kind, ids[start : start + BATCH])
        for missing in [one for one in ids if one not in found]:
            try:
                fetched = hospital.reader.get(kind, missing)
            except (NotAuthorised, ReadRefused, BadAnswer):  # the Patient could be read: it is this one only
                refused.add(f"{kind}/{missing}")
                continue
            if fetched is not None:
                found[missing] = fetched
    with hop("map"):
        pulled = _sort_out(kind, patient, ids, found, now, beside)
    return replace(pulled, refused=frozenset(refused))


def _by_id(hospital: Hospital, patient: str, kind: str, ids: list[str]) -> dict[str, Fetched]:
    parameters = [("_id", ",".join(ids)), ("_count", str(BATCH))]
    return {fetched.id: fetched for fetched in hospital.reader.search(kind, parameters, patient=patient)}


def _sort_out(
    kind: str, patient: str, ids: list[str], found: Mapping[str, Fetched], now: datetime, beside: Referred
) -> Pulled:
    records, strays = [], []
    for fetched in found.values():
        owner = beside.hospital.connection.owner(fetched.resource)
        if owner != f"Patient/{patient}":
            strays.append(_stray(kind, fetched, record_of(fetched, now), owner))
        else:
            records.append(record_of(fetched, now, beside))
    # What is another patient's now is gone from this one's evidence.
    lost = {*ids} - {record.reference.split("/", 1)[1] for record in records}
    return Pulled(tuple(records), tuple(sorted(f"{kind}/{one}" for one in lost)), tuple(strays))


def _stray(kind: str, fetched: Fetched, record: EvidenceRecord, owner: str | None) -> Change:
    return Change(
        type=kind,
        id=fetched.id,
        version=fetched.version,
        subject=owner.removeprefix("Patient/") if owner and owner.startswith("Patient/") else None,
        deleted=False,
        content_hash=record.content_hash,
        own=False,
    )


def _join(first: Pulled, second: Pulled) -> Pulled:
    return Pulled(
        first.records + second.records,
        first.gone + second.gone,
        first.strays + second.strays,
        first.refused | second.refused,
    )


def pull_everything(
    hospital: Hospital, patient: str, models: Mapping[str, Model], known: Iterable[str], now: datetime
) -> Pulled:
    """Read all that the models declare; what was known and is not there any more is gone."""
    records: dict[str, EvidenceRecord] = {}
    beside = Referred(hospital)
    types: set[str] = set()
    for kind, parameters in _searches_of(hospital, models):
        types.add(kind)
        with hop("pull"):
            found = list(hospital.reader.search(kind, parameters, patient=patient))
        with hop("map"):
            records |= _records(found, now, beside)
    missing = (one for one in known if one.split("/", 1)[0] in types and one not in records)
    gone = sorted(one for one in missing if hospital.reader.covers(one))
    return Pulled(tuple(records.values()), tuple(gone), beside=tuple(beside.seen))


def pull_recent(
    hospital: Hospital,
    patient: str,
    models: Mapping[str, Model],
    since: datetime,
    overlap: timedelta,
    now: datetime,
) -> Pulled:
    """Read what is dated or was issued lately, from an EHR that tells us nothing."""
    records: dict[str, EvidenceRecord] = {}
    beside = Referred(hospital)
    for kind, parameters in _searches_of(hospital, models):
        tokens = tuple(token for name, value in parameters if name == "code" for token in value.split(","))
        with hop("pull"):
            found = list(recent(hospital.connection, hospital.profile, kind, patient, since, overlap, tokens))
        with hop("map"):
            records |= _records(found, now, beside)
    return Pulled(tuple(records.values()), beside=tuple(beside.seen))


def _searches_of(hospital: Hospital, models: Mapping[str, Model]) -> list[Search]:
    declared = [model.inputs for model in models.values()]
    return [search for search in searches(declared) if _searches(hospital, search[0])]


def _records(found: Iterable[Fetched], now: datetime, beside: Referred) -> dict[str, EvidenceRecord]:
    records = (record_of(fetched, now, beside) for fetched in found)
    return {record.reference: record for record in records}
