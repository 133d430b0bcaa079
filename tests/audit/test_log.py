from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import BinaryIO

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from audit.checkpoint import Signer, verify_checkpoint
from audit.log import AuditUnavailable, Log
from audit.merkle import EMPTY_ROOT
from audit.sealing import Damaged
from audit.store import forget
from audit.verification import verify
from tests.audit.ground import AT, SIGNER, Cipher, Ground, an_event, on_engine, sqlite_engine


def report(ground, cipher=None):
    with ground.connect() as connection:
        return verify(connection, SIGNER.vkey, cipher)


def requests(log):
    return [opened.operational.request for opened in log.entries(0, 10**6)]


def test_what_was_appended_is_read_back(ground):
    log = ground.log(clock=lambda: AT)
    assert log.append(an_event(1), an_event(2, None)) == (0, 1)
    assert log.append(an_event(3, "twin-b", kind="policy", action="update", outcome="major-failure")) == (2,)
    first, second, third = log.entries(0, 10)
    assert (first.personal.subject, first.personal.resources) == ("twin-a", ("Observation/1/_history/1",))
    assert (first.operational.tenant, first.operational.purpose, first.operational.at) == (
        "north",
        "TREAT",
        AT,
    )
    assert (second.personal.subject, second.operational.names_subject) == (None, False)
    assert (third.leaf.kind, third.leaf.action, third.leaf.outcome) == ("policy", "update", "major-failure")
    assert third.leaf.recorded == AT
    assert not any(opened.erased for opened in (first, second, third))


def test_empty_log_has_the_empty_root_and_no_checkpoint(ground):
    log = ground.log()
    assert log.append() == ()
    assert log.size_and_root() == (0, EMPTY_ROOT)
    assert log.latest_checkpoint() is None
    assert list(log.entries(0, 5)) == list(log.recent(5)) == []


def test_checkpoint_vouches_for_all_entries(ground):
    log = ground.log()
    log.append(an_event(1))
    log.append(an_event(2), an_event(3))
    checkpoint = verify_checkpoint(log.latest_checkpoint(), SIGNER.vkey)
    assert (checkpoint.size, checkpoint.root) == log.size_and_root()
    assert checkpoint.size == 3
    assert report(ground, Cipher()).ok


def test_newest_entries_come_first_and_only_as_many_as_asked(ground):
    log = ground.log()
    log.append(*(an_event(number, f"twin-{number % 2}") for number in range(10)))
    assert [opened.index for opened in log.recent(3)] == [9, 8, 7]
    assert [opened.index for opened in log.for_subject("twin-1", 2)] == [9, 7]
    assert list(log.for_subject("twin-9", 2)) == []


def test_no_name_of_the_hospital_is_in_the_database_in_clear(embedded):
    embedded.log().append(an_event(resources=("Patient/marked-jane/_history/1",)))
    path = Path(embedded.engine.url.database)
    embedded.engine.dispose()
    assert not [file for file in path.parent.iterdir() if b"marked-jane" in file.read_bytes()]


@pytest.mark.parametrize("table", ["entry", "node", "checkpoint"])
@pytest.mark.parametrize("change", ["DELETE FROM {0}", "UPDATE {0} SET {1} = {1}"])
def test_database_refuses_to_alter_what_was_logged(ground, table, change):
    column = {"entry": "leaf", "node": "hash", "checkpoint": "note"}[table]
    ground.log().append(*map(an_event, range(4)))
    with pytest.raises(DBAPIError, match="append-only"):
        ground.run(change.format(table, column))
    assert report(ground).ok


@pytest.mark.postgres
def test_postgresql_refuses_to_empty_a_table(served):
    for table in ("entry", "node", "checkpoint"):
        with pytest.raises(DBAPIError, match="append-only"):
            served.run(f"TRUNCATE {table}")


def test_sqlite_refuses_to_replace_what_was_logged(embedded):
    embedded.log().append(*map(an_event, range(4)))
    for table in ("entry", "node", "checkpoint"):
        with pytest.raises(DBAPIError, match="append-only"):
            embedded.run(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    assert report(embedded).ok


def test_entries_of_an_erased_subject_stay_proved_and_unreadable(ground):
    cipher = Cipher()
    log = ground.log(cipher)
    log.append(an_event(1, "twin-a"), an_event(2, "twin-b"), an_event(3, None))
    cipher.destroyed.add("audit/twin-a")
    assert [opened.personal is None for opened in log.entries(0, 3)] == [True, False, False]
    with ground.connect() as connection:
        assert forget(connection, "twin-a") == 1
    erased, *others = log.entries(0, 3)
    assert erased.erased
    assert erased.personal is None
    assert erased.operational.request == "r1"
    assert not any(opened.erased for opened in others)
    assert list(log.for_subject("twin-a", 5)) == []
    assert report(ground, cipher).ok
    assert report(ground, cipher).erased == 1


def test_operational_part_vanishes_with_the_key_of_its_month(ground):
    cipher = Cipher()
    log = ground.log(cipher)
    log.append(an_event(1), an_event(2, at=AT + timedelta(days=30)))
    assert cipher.owners == {"audit/twin-a", "ops/north/2026-03", "ops/north/2026-04"}
    cipher.destroyed.add("ops/north/2026-03")
    first, second = log.entries(0, 2)
    assert first.operational is None
    assert first.personal.subject == second.personal.subject == "twin-a"
    assert second.operational.request == "r2"
    assert report(ground, cipher).ok


def test_body_of_another_entry_is_not_opened_in_its_place(ground):
    log = ground.log()
    log.append(an_event(1), an_event(2))
    ground.disarm()
    ground.run("UPDATE entry SET ops_sealed = (SELECT ops_sealed FROM entry WHERE idx = 1) WHERE idx = 0")
    with pytest.raises(Damaged, match="entry 0"):
        list(log.entries(0, 2))


def test_clock_that_was_set_back_does_not_reverse_the_order(ground):
    instants = iter([AT, AT - timedelta(hours=1), AT + timedelta(hours=1)])
    log = ground.log(clock=lambda: next(instants))
    for number in range(3):
        log.append(an_event(number))
    assert [opened.leaf.recorded - AT for opened in log.entries(0, 3)] == [
        timedelta(),
        timedelta(),
        timedelta(hours=1),
    ]
    assert report(ground).ok


def test_two_logs_on_one_database_continue_each_other(ground):
    one, other = ground.log(), ground.log()
    for number in range(0, 20, 2):
        assert one.append(an_event(number)) == (number,)
        assert other.append(an_event(number + 1)) == (number + 1,)
    assert requests(one) == [f"r{number}" for number in range(20)]
    assert report(ground, Cipher()).ok


def test_threads_that_append_together_lose_and_double_nothing(ground):
    log = ground.log()
    with ThreadPoolExecutor(8) as threads:
        indices = list(threads.map(lambda number: log.append(an_event(number)), range(120)))
    found = requests(log)
    assert sorted(index for (index,) in indices) == list(range(120))
    assert all(found[index] == f"r{number}" for number, (index,) in enumerate(indices))
    assert report(ground, Cipher()).ok


def test_logs_that_append_at_the_same_time_wait_for_each_other(ground):
    logs = [ground.log() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        indices = list(threads.map(lambda number: logs[number % 4].append(an_event(number)), range(60)))
    found = requests(logs[0])
    assert all(found[index] == f"r{number}" for number, (index,) in enumerate(indices))
    assert len(found) == 60
    assert report(ground, Cipher()).ok


@pytest.mark.parametrize(
    "changes", [{"kind": "party"}, {"tenant": "x" * 250}, {"subject": "x" * 65}, {"tenant": "a\x00b"}]
)
def test_event_that_does_not_fit_is_refused_before_it_can_spoil_others(ground, changes):
    log = ground.log()
    with pytest.raises(AuditUnavailable):
        log.append(an_event(**changes))
    assert log.size_and_root() == (0, EMPTY_ROOT)


def test_log_cut_back_behind_the_back_of_its_writer_is_not_continued(ground):
    log = ground.log()
    for number in range(3):
        log.append(an_event(number))
    ground.disarm()
    for table, column in (("entry", "idx >= 2"), ("checkpoint", "size > 2")):
        ground.run(f"DELETE FROM {table} WHERE {column}")
    with pytest.raises(AuditUnavailable) as refused:
        log.append(an_event(4))
    assert "3 entries were signed, now there are 2" in str(refused.value.__cause__)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE node SET hash = leaf FROM (SELECT leaf_hash AS leaf FROM entry WHERE idx = 0) AS x",
        "DELETE FROM node",
        "UPDATE checkpoint SET note = root",
        "UPDATE checkpoint SET root = note",
        "DELETE FROM entry WHERE idx = 5",
    ],
)
def test_log_with_a_damaged_end_is_not_continued(ground, damage):
    ground.log().append(*map(an_event, range(6)))
    ground.disarm()
    ground.run(damage)
    with pytest.raises(AuditUnavailable, match="LogDamaged"):
        ground.log().append(an_event(7))


def test_log_of_another_key_is_not_continued(ground):
    ground.log().append(an_event())
    stranger = Log(ground.connect, Signer.from_seed(SIGNER.name, bytes(32)), Cipher())
    with pytest.raises(AuditUnavailable, match="LogDamaged"):
        stranger.append(an_event())


def test_read_only_database_makes_the_log_unavailable(embedded):
    embedded.log().append(an_event())
    path = Path(embedded.engine.url.database)
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(AuditUnavailable, match="OperationalError"):
        Ground(engine).log().append(an_event())
    engine.dispose()


def test_missing_database_makes_the_log_unavailable(tmp_path):
    engine = sqlite_engine(tmp_path / "nowhere" / "audit.sqlite")
    with pytest.raises(AuditUnavailable, match="OperationalError"):
        Ground(engine).log().append(an_event())
    engine.dispose()


def test_subject_whose_key_is_destroyed_makes_no_record_and_says_so(ground):
    cipher = Cipher()
    cipher.destroyed.add("audit/twin-a")
    with pytest.raises(AuditUnavailable, match="LookupError"):
        ground.log(cipher).append(an_event())
    assert ground.log().size_and_root()[0] == 0


def append_until_refused(log):
    for size in range(1, 1000):
        try:
            assert log.append(an_event(size)) == (size,)
        except AuditUnavailable:
            return size
    raise TimeoutError("the disk never filled")


def test_full_disk_loses_nothing_acknowledged_and_the_log_goes_on_when_there_is_room(embedded):
    log = embedded.log()
    log.append(an_event(0))
    with embedded.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 3}"))
    acknowledged = append_until_refused(log)
    assert log.size_and_root()[0] == acknowledged
    with embedded.engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
    assert log.append(an_event(1000)) == (acknowledged,)
    assert report(embedded, Cipher()).ok


def test_fork_in_the_middle_of_an_append_leaves_the_child_able_to_append(embedded):
    log = embedded.log()
    log.append(an_event(0))
    taken = log._turns._lead_lock
    with taken:
        child = os.fork()
        if child == 0:
            embedded.engine.dispose(close=False)
            code = 1
            try:
                code = 0 if log.append(an_event(1)) == (1,) else 1
            finally:
                os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert log.append(an_event(2)) == (2,)
    assert report(embedded).ok


@dataclass
class Appender:
    """A process of its own that appends one to three events at a time and names each once acknowledged."""

    pid: int
    output: BinaryIO

    @classmethod
    def start(cls, path, name, count):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                cls.append(path, name, count, writing)
            finally:
                os._exit(0)
        os.close(writing)
        return cls(pid, os.fdopen(reading, "rb"))

    @staticmethod
    def append(path, name, count, writing):
        with on_engine(sqlite_engine(path)) as ground:
            log = ground.log()
            for number in range(count):
                said = [f"{name}-{number}-{part}" for part in range(number % 3 + 1)]
                log.append(*(an_event(request=request) for request in said))
                os.write(writing, "".join(f"{request}\n" for request in said).encode())

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def acknowledged(self):
        """Wait for its end; return the events that it has named in full."""
        with self.output:
            said = self.output.read().decode()
        os.waitpid(self.pid, 0)
        return said[: said.rfind("\n") + 1].split()


def test_killed_appenders_lose_no_acknowledged_event(tmp_path):
    path, random, acknowledged = tmp_path / "audit.sqlite", Random(9), []
    with on_engine(sqlite_engine(path)):
        pass
    for number in range(6):
        appenders = [Appender.start(path, f"{name}{number}", 10**6) for name in "ab"]
        for each in appenders:
            time.sleep(random.uniform(0.05, 0.2))
            each.kill()
        acknowledged += [request for each in appenders for request in each.acknowledged()]
    with on_engine(sqlite_engine(path)) as ground:
        found = requests(ground.log())
        assert report(ground, Cipher()).ok
    assert len(acknowledged) > 20
    assert set(acknowledged) <= set(found)
    assert len(set(found)) == len(found)


def test_two_processes_that_append_together_lose_and_double_nothing(tmp_path):
    path = tmp_path / "audit.sqlite"
    with on_engine(sqlite_engine(path)):
        pass
    said = [each.acknowledged() for each in [Appender.start(path, name, 40) for name in "ab"]]
    with on_engine(sqlite_engine(path)) as ground:
        found = requests(ground.log())
        assert report(ground, Cipher()).ok
    assert sorted(found) == sorted(said[0] + said[1])
    assert len(found) == 2 * 79
    for own in said:
        assert [request for request in found if request in set(own)] == own
