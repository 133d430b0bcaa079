"""kill -9 of every process in the middle of the work: nothing lost, nothing doubled, the log verifies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from itertools import islice

import numpy as np
import pytest
import requests
from sqlalchemy import func, select

from fhir_mapping.identity import SOURCE
from gateway.demonstration.ehr import EhrUnavailable, installed
from gateway.demonstration.events import events
from gateway.demonstration.reckoning import reckon
from gateway.demonstration.stage import staged
from gateway.operations.receive import open_change
from gateway.settings import Settings
from gateway.storage import inbox
from gateway.storage.schema import delivery
from gateway.storage.schema import inbox as inbox_table
from gateway.wiring import utc_now
from tests.support.processes import below, living
from tests.support.site import settings
from tests.support.waiting import eventually

EVENTS = 200
KILLED = ("worker", "broker", "web", "worker", "broker", "web")
SWIFT = {
    "task_limit": 5.0,
    "lease": 6.0,
    "sweep_interval": 0.5,
    "subscription_interval": 1.0,
    "debounce": 0.05,
    "log_level": "WARNING",
}
OPEN = ("pending", "intended", "parked")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")


@pytest.fixture
def stage(tmp_path):
    try:
        installed()
    except EhrUnavailable as missing:
        pytest.skip(str(missing))
    with staged(Settings(**SWIFT), tmp_path) as running:
        yield running


def kill(stage, name):
    child = next(each for each in stage.supervisor.children if each.name == name)
    if child.alive():
        os.kill(child.process.pid, signal.SIGKILL)


def write(stage, rng):
    """Let the hospital write its events while the processes are killed at random moments."""
    moments = dict(zip(rng.choice(np.arange(10, EVENTS), len(KILLED), replace=False), KILLED, strict=True))
    written = []
    for number, step in enumerate(islice(events(stage.patients, rng, utc_now), EVENTS)):
        if number in moments:
            kill(stage, moments[number])
        stored = stage.client.put(step.resource)
        written.append((stored["resourceType"], stored["id"], stored["meta"]["versionId"]))
        stage.supervisor.revive()
    return written


def journaled(stage):
    with stage.services.journal.reading() as connection:
        rows = connection.execute(select(inbox_table.c.sealed)).scalars().all()
    changes = (open_change(stage.services, stage.hospital_id, sealed) for sealed in rows)
    return {(change.type, change.id, change.version) for change in changes}


def newest(written):
    """Return the last version of each resource: an earlier one may pass while nobody listens."""
    last = {}
    for kind, one, version in written:
        last[kind, one] = max(int(version), last.get((kind, one), 0))
    return {(kind, one, str(version)) for (kind, one), version in last.items()}


def unfinished(stage):
    with stage.services.journal.reading() as connection:
        waiting = inbox.backlog(connection, EVENTS)
        query = select(func.count()).select_from(delivery).where(delivery.c.state.in_(OPEN))
        return waiting + connection.execute(query).scalar_one()


def revived(stage, condition):
    def look():
        stage.supervisor.revive()
        return condition()

    return look


@pytest.mark.peer
@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_when_processes_are_killed(stage):
    written = write(stage, np.random.default_rng())
    expected = newest(written)
    eventually(revived(stage, lambda: expected <= journaled(stage)), 120, 0.2)
    eventually(revived(stage, lambda: unfinished(stage) == 0), 120, 0.2)
    found = reckon(stage, expected)
    assert found.faults == []
    assert found.events >= len(expected)
    standing = [each for each in stage.client.search("RiskAssessment") if ours(each)]
    about = Counter((each["subject"]["reference"], method(each), outcomes(each)) for each in standing)
    assert set(about.values()) == {1}
    assert {each["id"] for each in standing} == {identifier for identifier, _ in deliveries(stage)}
    assert all(state == "confirmed" for _, state in deliveries(stage))


def ours(resource):
    return resource.get("meta", {}).get("source", "").split("#")[0] == SOURCE


def method(resource):
    return tuple(coding["code"] for coding in resource["method"]["coding"])


def outcomes(resource):
    """Return what is foretold: a model may speak of several families of outcomes."""
    return frozenset(each["outcome"]["text"] for each in resource.get("prediction", ()))


def deliveries(stage):
    with stage.services.journal.reading() as connection:
        return [(row.id, row.state) for row in connection.execute(select(delivery.c.id, delivery.c.state))]


def test_every_process_ends_with_a_parent_that_is_killed(tmp_path, unused_port):
    chosen = settings(tmp_path, port=unused_port, worker_processes=2)
    command = [sys.executable, "-m", "gateway.cli", "serve"]
    environment = {**os.environ, **chosen.environment()}
    with (tmp_path / "serve.log").open("wb") as log:
        parent = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        eventually(lambda: healthy(chosen) and len(below(parent.pid)) >= 6, 120)
        family = below(parent.pid)
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: not living(family), 15)


def test_every_process_of_a_killed_worker_ends(tmp_path, unused_port):
    chosen = settings(tmp_path, port=unused_port)
    command = [sys.executable, "-m", "gateway.cli", "serve"]
    environment = {**os.environ, **chosen.environment()}
    with (tmp_path / "serve.log").open("wb") as log:
        parent = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        worker = eventually(lambda: with_children(parent.pid), 120)
        family = below(worker)
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: not living(family), 15)
    finally:
        parent.terminate()
        parent.wait()


def with_children(parent):
    """Return the worker once its scheduler and its processes run."""
    return next((pid for pid in below(parent) if len(below(pid)) >= 3), None)


def healthy(chosen):
    try:
        return requests.get(f"{chosen.url}/health", timeout=2).ok
    except requests.RequestException:
        return False
