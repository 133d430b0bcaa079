"""The demo: everything at once, for a person to watch or for a machine to judge."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import orjson
import requests
from rich.console import Console
from sqlalchemy import func, select

from gateway.demonstration.events import Step, events
from gateway.demonstration.journal_rows import JournalRows
from gateway.demonstration.reckoning import Reckoning, reckon
from gateway.demonstration.stage import SEED, Stage, staged
from gateway.demonstration.view import Address, watch
from gateway.errors import BadRequest
from gateway.operations import catch_up, people
from gateway.settings import Settings
from gateway.storage import inbox
from gateway.storage.schema import delivery, subscription
from gateway.storage.schema import inbox as inbox_table
from gateway.wiring import utc_now

STEPS = 60
PACE = 0.08  # seconds a step of the bounded run waits for every second of the unbounded one
REPEATS = 3
PATIENCE = 120.0


def run(settings: Settings, *, once: bool, as_json: bool, state: Path | None) -> int:
    """Run the demo; return the exit status: 0 only if every event is accounted for."""
    console = Console(stderr=as_json)
    with _folder(state) as folder:
        console.print("starting a third-party EHR, the gateway, a worker and a broker ...")
        with staged(settings, folder) as stage:
            if once:
                return _bounded(stage, console, as_json)
            return _unbounded(stage, console, "kept" if state else "removed at the end")


@contextmanager
def _folder(state: Path | None) -> Iterator[Path]:
    if state is not None:
        if state.exists() and any(state.iterdir()):
            raise BadRequest(f"{state} is not empty: every run of the demo begins in a new or empty folder")
        yield state
        return
    made = Path(tempfile.mkdtemp(prefix="didymos-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@dataclass(slots=True)
class Director:
    """Makes the hospital do the next thing, and remembers what it wrote."""

    stage: Stage
    written: list[tuple[str, str, str]] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)

    def do(self, step: Step) -> None:
        stored = self.stage.client.put(step.resource)
        self.written.append((stored["resourceType"], stored["id"], stored["meta"]["versionId"]))
        self.bodies.append(stored)


def _unbounded(stage: Stage, console: Console, afterwards: str) -> int:
    director, stop = Director(stage), threading.Event()

    def play() -> None:
        rng = np.random.default_rng(SEED + 1)
        for step in events(stage.patients, rng, utc_now):
            if stop.wait(step.delay):
                return
            director.do(step)

    player = threading.Thread(target=play, name="hospital", daemon=True)
    rows = JournalRows(stage, _names(stage), 0)
    player.start()
    try:
        watch(rows, _addresses(stage, afterwards), console, lambda: _pause(stage))
    except KeyboardInterrupt:
        console.print("ending ...")
    finally:
        stop.set()
    return 0


def _pause(stage: Stage) -> bool:
    stage.supervisor.revive()
    time.sleep(0.4)
    return True


def _names(stage: Stage) -> dict[str, str]:
    return {patient.role.id: f"{patient.role.name} ({patient.role.shows})" for patient in stage.patients}


def _addresses(stage: Stage, afterwards: str) -> list[Address]:
    ticket = people.invite(stage.services, "demo clinician", "clinician")
    return [
        Address(f"{stage.settings.url}/sign-in/{ticket}", "the clinician's pages (this link works once)"),
        Address(f"{stage.settings.url}/fhir/metadata", "our own FHIR face"),
        Address(f"{stage.settings.url}/metrics", "metrics"),
        Address(stage.ehr.base_url, "the EHR, a third-party FHIR server (it asks for a token)"),
        Address(str(stage.settings.state_dir), f"databases, keys, logs; {afterwards}"),
    ]


def _bounded(stage: Stage, console: Console, as_json: bool) -> int:
    director = Director(stage)
    rng = np.random.default_rng(SEED + 1)
    for step in islice(events(stage.patients, rng, utc_now), STEPS):
        time.sleep(step.delay * PACE)
        director.do(step)
    await_journal(stage, director)
    sent, absorbed = _repeat(stage, director, rng)
    await_quiet(stage)
    found = reckon(stage, director.written)
    if absorbed != sent:
        found.faults.append(f"{sent - absorbed} repeated notifications had an effect")
    for fault in found.faults:
        console.print(f"[red]fault[/red] {fault}")
    console.print(f"{found.events} events, {found.assessments} assessments, {len(found.faults)} faults")
    if as_json:
        print(orjson.dumps(_summary(found, sent, absorbed)).decode(), flush=True)  # noqa: T201  # the command's output
    return 1 if found.faults else 0


def await_journal(stage: Stage, director: Director) -> None:
    """Wait until the EHR has told of everything: its hooks come when it gets round to them."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with stage.services.journal.reading() as connection:
            count = connection.execute(select(func.count()).select_from(inbox_table)).scalar_one()
        if count >= len(director.written):
            return
        _pause(stage)


def _repeat(stage: Stage, director: Director, rng: np.random.Generator) -> tuple[int, int]:
    """Send known notifications again, in any order; return how many were sent and had no effect."""
    bodies = [body for body in director.bodies for _ in range(REPEATS)]
    rng.shuffle(bodies)
    before = _journaled(stage)
    answers = [_send(stage, body) for body in bodies]
    effects = _journaled(stage) - before
    return len(bodies), sum(status == 200 for status in answers) - effects


def _journaled(stage: Stage) -> int:
    with stage.services.journal.reading() as connection:
        return sum(inbox.counts(connection).values())


def _send(stage: Stage, body: dict[str, object]) -> int:
    with stage.services.journal.reading() as connection:
        query = select(subscription).where(subscription.c.criteria.startswith(f"{body['resourceType']}?"))
        row = connection.execute(query).first()
    if row is None:
        return 404
    channel = catch_up.open_channel(stage.services, row.id, row.sealed)
    url = f"{stage.settings.url}/notifications/{channel.path}/{body['resourceType']}/{body['id']}"
    headers = {"Authorization": f"Bearer {channel.secret}", "Content-Type": "application/fhir+json"}
    return requests.put(url, data=orjson.dumps(body), headers=headers, timeout=30).status_code


def await_quiet(stage: Stage) -> None:
    """Wait until no event and no delivery is open."""
    deadline = time.monotonic() + PATIENCE
    open_states = ("pending", "intended", "parked")
    while time.monotonic() < deadline:
        with stage.services.journal.reading() as connection:
            waiting = inbox.backlog(connection, 10)
            query = select(func.count()).select_from(delivery).where(delivery.c.state.in_(open_states))
            unsent = connection.execute(query).scalar_one()
        if not waiting and not unsent:
            return
        _pause(stage)


def _summary(found: Reckoning, sent: int, absorbed: int) -> dict[str, object]:
    return {
        "patients": found.patients,
        "events": found.events,
        "assessments": found.assessments,
        "superseded": found.superseded,
        "reasons": dict(sorted(found.reasons.items())),
        "duplicates_sent": sent,
        "duplicates_absorbed": absorbed,
        "latency_ms": {name: _quantile(found.latencies, share) for name, share in _SHARES.items()},
        "audit_entries": found.audit_entries,
        "root": found.root,
        "ok": not found.faults,
    }


_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def _quantile(ordered: list[float], share: float) -> float | None:
    return round(float(np.quantile(ordered, share)), 1) if ordered else None
