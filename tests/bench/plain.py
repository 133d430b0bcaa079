"""The plain way to do what the gateway does: one Celery task an event.

Reads, writes, consent decisions, audit records and sealing are the gateway's own functions; what differs is
what a competent engineer would take first: fhir.resources (R4B) parses what is read, fhirclient carries it,
and every event is a task of its own that reads, computes and writes. Left out are the journal, leases,
retries and catch-up, all of which cost the gateway processor time and the plain way none.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import orjson
import redis
import waitress
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.riskassessment import RiskAssessment
from fhirclient.auth import FHIROAuth2Auth
from fhirclient.server import FHIRServer
from flask import Flask, Response, abort, request
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from audit.record import Event
from consent.policy import Directive, load_policy
from fhir_mapping import consent, provenance, risk_assessment
from fhir_mapping.device import Software
from fhir_mapping.heading import Heading
from fhir_mapping.survival import lost
from gateway.demonstration.hospital import BackendToken
from gateway.demonstration.stage import POLICY
from gateway.operations.consented import Question, acted, ask
from gateway.operations.services import Hospital, Services
from gateway.operations.update import Computed, compute
from gateway.queue import application
from gateway.settings import Settings
from gateway.supervisor import Child, Supervisor, broker
from gateway.wiring import utc_now, wire
from tests.bench import cohort, plain_values
from twin_engine import store
from twin_engine.store import EvidenceRecord, code_hash
from twin_engine.twin import Forecast

CLINICAL = frozenset(
    {"Observation", "Condition", "MedicationRequest", "MedicationStatement", "Medication", "Procedure"}
)
HOSPITAL = "plain"
IDENTIFIER = "urn:didymos:assessment"
metadata = MetaData()
event = Table(
    "plain_event",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("done", Integer, nullable=False),
)
assessment = Table(
    "plain_assessment",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("provenance", LargeBinary, nullable=False),
    Column("remote", LargeBinary),
)


class Change(msgspec.Struct, frozen=True):
    """What a notification said."""

    patient: str
    id: str
    version: str


@dataclass(frozen=True)
class Site:
    """Where the plain way runs and which EHR it serves."""

    settings: Settings
    base_url: str
    token_url: str
    key: dict[str, Any]
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def file(self) -> Path:
        return self.settings.state_dir / "site.json"


def started(site: Site) -> Supervisor:
    """Start its broker, web process and worker, as many processes as the gateway has."""
    settings = site.settings
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    told = {"base_url": site.base_url, "token_url": site.token_url, "key": site.key, "secret": site.secret}
    site.file.write_bytes(orjson.dumps(told))
    supervisor = Supervisor(settings.environment(), settings.state_dir / "log")
    metadata.create_all(parts(site.settings.state_dir).services.journal.engine)
    supervisor.start(broker(settings))
    command = [sys.executable, "-m", "tests.bench.plain"]
    supervisor.start(Child("web", [*command, "web", str(settings.state_dir)], lambda: _listens(settings)))
    supervisor.start(Child("worker", [*command, "worker", str(settings.state_dir)]))
    return supervisor


def _listens(settings: Settings) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((settings.host, settings.port)) == 0


def warm(site: Site, twins: int) -> None:
    """Bring in what the twins' histories hold; no assessment is written yet."""
    own = parts(site.settings.state_dir)
    for number in range(twins):
        patient = cohort.patient_id(number)
        twin = own.services.twin_id(HOSPITAL, patient)
        found = own.get(f"Observation?patient={patient}&_count=100").get("entry", ())
        read = [_record(entry["resource"]) for entry in found]
        with own.services.journal.transaction() as connection:
            for record in read:
                _keep_evidence(own.services, connection, twin, record)
        person = Patient.model_validate(own.get(f"Patient/{patient}"))
        with own.services.journal.reading() as connection:
            known = store.current_evidence(connection, own.services.vault, twin)
        answers = _computed(own.services, twin, person, known)
        with own.services.journal.transaction() as connection:
            _keep_snapshots(own.services, connection, twin, answers)


def done(site: Site) -> int:
    """Return how many events have been dealt with."""
    counted = select(func.count()).select_from(event).where(event.c.done == 1)
    with parts(site.settings.state_dir).services.journal.reading() as connection:
        return connection.execute(counted).scalar_one()


@dataclass(frozen=True, slots=True)
class Parts:
    """What one process works with."""

    services: Services
    hospital: Hospital
    server: FHIRServer
    token: BackendToken
    locks: redis.Redis
    secret: str

    def get(self, path: str) -> dict[str, Any]:
        return self._signed().request_json(path)

    def put(self, path: str, resource: dict[str, Any]) -> None:
        self._signed().put_json(path, resource)

    def _signed(self) -> FHIRServer:
        self.server.auth.access_token = self.token()
        return self.server


@cache
def parts(folder: Path) -> Parts:
    """Return this process's parts; a forked worker asks first and so has its own."""
    told = orjson.loads((folder / "site.json").read_bytes())
    settings = Settings.load()
    if settings.state_dir != folder:
        settings = settings.model_copy(update={"state_dir": folder, "tenant": "bench"})
    server = FHIRServer(None, told["base_url"])
    server.auth = FHIROAuth2Auth()
    server.session.trust_env = False
    return Parts(
        services=wire(settings),
        hospital=_hospital(told["base_url"]),
        server=server,
        token=BackendToken(told["token_url"], HOSPITAL, told["key"], "system/*.*", utc_now),
        locks=redis.Redis(unix_socket_path=str(settings.broker_socket)),
        secret=told["secret"],
    )


def _hospital(base_url: str) -> Hospital:
    """Return what consent and audit ask of a hospital."""
    return Hospital(
        id=HOSPITAL,
        name=HOSPITAL,
        base_url=base_url,
        connection=None,
        reader=None,
        profile=None,
        policy=load_policy(POLICY),
        actors=frozenset(),
        labels_attested=False,
    )


def receiver(folder: Path) -> Flask:
    """Return the web application that takes notifications."""
    own, app = parts(folder), Flask(__name__)
    queue = application(own.services.settings)

    @app.put("/hook/Observation/<identifier>")
    def hook(identifier: str) -> Response:
        if not secrets.compare_digest(request.headers.get("Authorization", ""), f"Bearer {own.secret}"):
            abort(401)
        body = request.get_json(force=True)
        patient = body["subject"]["reference"].removeprefix("Patient/")
        change = Change(patient, identifier, body["meta"]["versionId"])
        sealed = own.services.seal(own.services.ours, "change", HOSPITAL, msgspec.msgpack.encode(change))
        own.services.audit.append(_notified(own.services))
        queue.send_task("update", args=(base64.b64encode(sealed).decode(),))
        return Response(status=200)

    return app


def _notified(services: Services) -> Event:
    return Event(
        kind="notification",
        action="execute",
        outcome="success",
        tenant=services.settings.tenant,
        actor="hospital",
        at=services.clock(),
        detail="event: 1 new, 0 known",
    )


def run(own: Parts, sealed: str) -> None:
    """Deal with one event from its notification to the assessment read back."""
    services = own.services
    opened = services.unseal(services.ours, "change", HOSPITAL, base64.b64decode(sealed))
    change = msgspec.msgpack.decode(opened, type=Change)
    key = services.pseudonyms.digest("event", HOSPITAL, change.id, change.version)
    try:
        with services.journal.transaction() as connection:
            connection.execute(insert(event).values(key=key, done=0))
    except IntegrityError:
        return  # it was notified before
    twin = services.twin_id(HOSPITAL, change.patient)
    with own.locks.lock(f"twin:{twin}", timeout=services.settings.lease, sleep=0.02):
        _bring_up_to_date(own, twin, change)
    with services.journal.transaction() as connection:
        connection.execute(update(event).where(event.c.key == key).values(done=1))


def _bring_up_to_date(own: Parts, twin: str, change: Change) -> None:
    services = own.services
    if not _permitted(own, twin, Question("consent-lookup", frozenset({"Patient", "Consent"})), ()):
        return
    person, directives = _looked_up(own, change.patient)
    seen = _pulled(own, twin, [f"Patient/{person.id}/_history/{person.meta.versionId}"])
    if not _permitted(own, twin, Question("collect", CLINICAL), directives, seen):
        return
    record = _record(own.get(f"Observation/{change.id}"))
    seen = _pulled(own, twin, [f"{record.reference}/_history/{record.version}"])
    if not _permitted(own, twin, Question("use", CLINICAL), directives, seen):
        return
    with services.journal.reading() as connection:
        known = store.current_evidence(connection, services.vault, twin)
    computed = _computed(services, twin, person, (*known, record))
    services.audit.append(acted(services, own.hospital, twin, "twin-update", "current", seen.resources))
    with services.journal.transaction() as connection:
        _keep_evidence(services, connection, twin, record)
        _keep_snapshots(services, connection, twin, computed)
    for one in computed:
        for answer in one.answers if one.snapshot else ():
            if isinstance(answer, Forecast):
                _disclose(own, twin, change.patient, one, answer, directives)


def _looked_up(own: Parts, patient: str) -> tuple[Patient, tuple[Directive, ...]]:
    person = Patient.model_validate(own.get(f"Patient/{patient}"))
    found = own.get(f"Consent?patient={patient}")
    Bundle.model_validate(found)
    return person, tuple(consent.read(entry["resource"]) for entry in found.get("entry", ()))


def _permitted(
    own: Parts, twin: str, question: Question, directives: tuple[Directive, ...], *acts: Event
) -> bool:
    return ask(own.services, own.hospital, twin, question, directives, *acts).permitted


def _pulled(own: Parts, twin: str, seen: list[str]) -> Event:
    return acted(own.services, own.hospital, twin, "pull", f"{len(seen)} resources", tuple(seen))


def _record(received: dict[str, Any]) -> EvidenceRecord:
    observation, body = Observation.model_validate(received), orjson.dumps(received)
    return EvidenceRecord(
        reference=f"Observation/{observation.id}",
        version=observation.meta.versionId,
        last_updated=observation.meta.lastUpdated,
        content_hash=hashlib.sha256(body).hexdigest(),
        items=tuple(plain_values.items(observation)),
        body=body,
    )


def _computed(
    services: Services, twin: str, person: Patient, records: Iterable[EvidenceRecord]
) -> tuple[Computed, ...]:
    subject = plain_values.subject(person)
    known = EvidenceRecord(f"Patient/{person.id}", person.meta.versionId, None, "", subject=subject)
    newest = {record.reference: record for record in (known, *records)}
    evidence = store.gather(newest.values())
    with services.journal.reading() as connection:
        before = {one.model: one for one in store.latest_snapshots(connection, services.vault, twin)}
    return compute(services.models, evidence, before, services.clock(), 0) if evidence else ()


def _keep_evidence(services: Services, connection: Connection, twin: str, record: EvidenceRecord) -> None:
    key = services.pseudonyms.of("evidence", twin, record.reference)
    store.put_evidence(connection, services.vault, twin, record, key=key, known=services.clock())


def _keep_snapshots(
    services: Services, connection: Connection, twin: str, computed: tuple[Computed, ...]
) -> None:
    for one in computed:
        if one.snapshot is not None:
            store.append_snapshot(connection, services.vault, twin, one.snapshot)


def _disclose(
    own: Parts,
    twin: str,
    patient: str,
    one: Computed,
    answer: Forecast,
    directives: tuple[Directive, ...],
) -> None:
    services = own.services
    identifier = services.pseudonyms.of("assessment", twin, one.model.card.name, answer.family)
    with services.journal.transaction() as connection:
        number = _next(connection, identifier)
        resource, trail = _rendered(identifier, number, patient, one, answer)
        row = f"{identifier}/{number}"
        values = {
            "sealed": services.seal(f"twin/{twin}", "assessment.sealed", row, orjson.dumps(resource)),
            "provenance": services.seal(f"twin/{twin}", "assessment.provenance", row, orjson.dumps(trail)),
        }
        connection.execute(insert(assessment).values(id=identifier, version=number, **values))
    if not _permitted(own, twin, Question("disclose", frozenset({"RiskAssessment"})), directives):
        return
    own.put(f"RiskAssessment/{identifier}", resource)
    version = _read_back(own, resource)
    what = f"RiskAssessment/{identifier}/_history/{version}"
    services.audit.append(acted(services, own.hospital, twin, "assessment-write", answer.family, (what,)))
    remote = services.seal(f"twin/{twin}", "delivery.remote", identifier, what.encode())
    mine = (assessment.c.id == identifier) & (assessment.c.version == number)
    with services.journal.transaction() as connection:
        connection.execute(update(assessment).where(mine).values(remote=remote))


def _next(connection: Connection, identifier: str) -> int:
    newest = select(func.coalesce(func.max(assessment.c.version), 0)).where(assessment.c.id == identifier)
    return connection.execute(newest).scalar_one() + 1


def _rendered(
    identifier: str, number: int, patient: str, one: Computed, answer: Forecast
) -> tuple[dict[str, Any], dict[str, Any]]:
    card = one.model.card
    software = Software(card.name, card.version, card.title, code_hash(one.model), card.sources)
    framed = Heading(identifier, f"Patient/{patient}", (IDENTIFIER, identifier), software)
    act = provenance.Act(
        id=f"{identifier}-{number}",
        target=f"RiskAssessment/{identifier}/_history/{number}",
        recorded=answer.at,
        software=software,
        inputs=answer.basis,
        created=number == 1,
        labels=frozenset(),
    )
    statement = risk_assessment.foretold(framed, answer, amended=number > 1)
    return risk_assessment.render(statement), provenance.render(act)


def _read_back(own: Parts, sent: dict[str, Any]) -> str:
    """Return the version that stands.

    Raises
    ------
    ValueError
        What stands is not what was sent.
    """
    received = own.get(f"RiskAssessment/{sent['id']}")
    standing = RiskAssessment.model_validate(received)
    if lost(sent, received):
        raise ValueError("what stands is not what was sent")
    return standing.meta.versionId


def main(kind: str, folder: Path) -> None:
    """Be one of its processes."""
    settings = Settings.load()
    if kind == "web":
        waitress.serve(
            receiver(folder),
            host=settings.host,
            port=settings.port,
            threads=settings.web_threads,
            ident=None,
        )
        return
    celery = application(settings)

    def deal(sealed: str) -> None:
        run(parts(folder), sealed)

    celery.task(deal, name="update")
    arguments = ["worker", "--loglevel", "ERROR", "--pool", "prefork", "--without-gossip", "--without-mingle"]
    celery.worker_main([*arguments, "--concurrency", str(settings.worker_processes)])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
