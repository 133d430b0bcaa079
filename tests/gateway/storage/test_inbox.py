"""An event is kept once, numbered within its twin, and wakes the twin only from idleness."""

from __future__ import annotations

from threading import Thread

from gateway.storage import inbox, leases
from gateway.storage.inbox import Notified
from tests.gateway.storage.rows import LEASE, notified, record, the_twin


def test_repeated_event_is_a_duplicate(site):
    first = record(site, notified(site, "a"))
    second = record(site, notified(site, "a"))
    assert (first.new, first.duplicates) == (1, 0)
    assert (second.new, second.duplicates, second.wake) == (0, 1, set())


def test_repetition_within_one_notification_is_a_duplicate(site):
    done = record(site, notified(site, "a"), notified(site, "b"), notified(site, "a"))
    assert (done.new, done.duplicates) == (2, 1)


def test_events_are_numbered_within_their_twin_without_a_gap(site):
    record(site, notified(site, "a"), notified(site, "b", twin="u"), notified(site, "c"))
    with site.services.journal.reading() as connection:
        assert [row.seq for row in inbox.between(connection, "t", 0, 9)] == [1, 2]
        assert [row.seq for row in inbox.between(connection, "u", 0, 9)] == [1]


def test_only_the_event_that_finds_the_twin_idle_wakes_it(site):
    assert record(site, notified(site, "a", at=5)).wake == {"t"}
    assert record(site, notified(site, "b", at=6)).wake == set()
    with site.services.journal.transaction() as connection:
        held = leases.claim(connection, "t", 7, LEASE)
        leases.finish(connection, held, 8, state="current", due=None)
    assert record(site, notified(site, "c", at=9)).wake == {"t"}


def test_event_during_an_update_wakes_nobody_and_is_seen_at_its_end(site):
    record(site, notified(site, "a", at=5))
    with site.services.journal.transaction() as connection:
        held = leases.claim(connection, "t", 6, LEASE)
    assert record(site, notified(site, "b", at=7)).wake == set()
    with site.services.journal.transaction() as connection:
        assert leases.finish(connection, held, 8, state="current", due=None)


def test_event_without_a_subject_waits_for_one(site):
    nobodys = Notified(site.hospital_id, b"x", b"sealed", 5, None, None)
    assert record(site, nobodys).unresolved
    with site.services.journal.transaction() as connection:
        (waiting,) = inbox.unresolved(connection, site.hospital_id, 5, 10)
        assert inbox.hospitals_with_unresolved(connection) == [site.hospital_id]
        assert inbox.assign(connection, waiting.id, site.hospital_id, "t", b"patient", 6)
        assert inbox.unresolved(connection, site.hospital_id, 5, 10) == []


def test_event_revives_a_parked_twin(site):
    record(site, notified(site, "a"))
    with site.services.journal.transaction() as connection:
        held = leases.claim(connection, "t", 6, LEASE)
        leases.release(connection, held, 7, attempts=5, parked="Exhausted")
    record(site, notified(site, "b"))
    assert the_twin(site).parked is None


def test_an_event_ends_once(site):
    record(site, notified(site, "a"))
    with site.services.journal.transaction() as connection:
        (row,) = inbox.between(connection, "t", 0, 9)
        inbox.conclude(connection, [inbox.Ending(row.id, "used")], 9)
        inbox.conclude(connection, [inbox.Ending(row.id, "denied")], 10)
    assert site.outcomes() == {"used": 1}


def test_backlog_counts_no_further_than_asked(site):
    record(site, *(notified(site, str(number)) for number in range(5)))
    with site.services.journal.reading() as connection:
        assert (inbox.backlog(connection, 2), inbox.backlog(connection, 10)) == (3, 5)


def test_writers_at_the_same_time_keep_each_event_once(site):
    done = []

    def write() -> None:
        done.extend(record(site, notified(site, str(number))) for number in range(10))

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.new for each in done) == 10
    assert sum(each.duplicates for each in done) == 30
    with site.services.journal.reading() as connection:
        assert [row.seq for row in inbox.between(connection, "t", 0, 99)] == list(range(1, 11))
