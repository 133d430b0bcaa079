"""The log leaves as AuditEvents, after it was recorded that it does."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.log import AuditUnavailable
from audit.sealing import Damaged
from fhir_mapping import audit_event
from gateway.errors import BadRequest
from gateway.operations.audit_export import Unreadable, export
from tests.fhir_mapping.validators import accepted_by_all
from tests.gateway.web.fhir_ground import NOW, Closed, Ground


@pytest.fixture
def ground(tmp_path):
    built = Ground(tmp_path / "state")
    yield built
    built.close()


def written(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_every_entry_is_exported_as_the_log_has_it(ground, tmp_path):
    ground.enrol("p1")
    shown = ground.assess("p1")
    assert ground.get(f"/fhir/RiskAssessment/{shown}").status_code == 200
    log, file = ground.services.audit, tmp_path / "log.ndjson"
    size, _ = log.size_and_root()
    assert export(ground.services, None, None, file) == size
    events = written(file)
    assert [audit_event.read(event) for event in events] == list(log.entries(0, size))
    assert all(accepted_by_all(event) for event in events)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_export_is_recorded_before_anything_is_written(ground, tmp_path):
    export(ground.services, None, None, tmp_path / "log.ndjson")
    [(outcome, actor, detail, _)] = ground.events("audit-read")
    assert (outcome, actor) == ("success", "administrator")
    assert detail == "entries 0 to 1 exported as AuditEvent"
    closed = replace(ground.services, audit=Unrecording(ground.services.audit))
    with pytest.raises(AuditUnavailable):
        export(closed, None, None, tmp_path / "second.ndjson")
    assert not (tmp_path / "second.ndjson").exists()


class Unrecording(Closed):
    """A log that can be read, and takes nothing."""

    def __init__(self, log):
        self.size_and_root, self.entries = log.size_and_root, log.entries


def test_only_what_was_recorded_in_the_time_is_exported(ground, tmp_path):
    entry = next(ground.services.audit.entries(0, 1))
    day = entry.leaf.recorded.date()
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    spans = ((day, after), (after, None), (None, day), (after, before))
    counts = []
    for number, (since, until) in enumerate(spans):
        file = tmp_path / str(number)
        counts.append(export(ground.services, since and str(since), until and str(until), file))
        assert len(written(file)) == counts[-1]
    assert counts == [1, 0, 0, 0]


def test_a_file_is_never_overwritten_and_a_date_is_a_date(ground, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("mine")
    with pytest.raises(BadRequest, match="exists"):
        export(ground.services, None, None, kept)
    assert kept.read_text() == "mine"
    with pytest.raises(BadRequest, match="date"):
        export(ground.services, "yesterday", None, tmp_path / "new")


def test_an_altered_entry_ends_the_export_and_leaves_no_file(ground, tmp_path):
    broken = replace(ground.services, audit=Altered(ground.services.audit))
    with pytest.raises(Unreadable, match="entry 0"):
        export(broken, None, None, tmp_path / "log.ndjson")
    assert not (tmp_path / "log.ndjson").exists()
    with pytest.raises(Unreadable, match="cannot be read"):
        export(broken, str(NOW.year), None, tmp_path / "log.ndjson")


class Altered:
    """A log whose first entry does not open."""

    def __init__(self, log):
        self.size_and_root, self.append = log.size_and_root, log.append

    def entries(self, start, stop):
        raise Damaged(start, "operational")
        yield
