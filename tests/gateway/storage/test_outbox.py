"""What is to be written to an EHR, by one process at a time, the newest version last."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from gateway.storage import outbox
from gateway.storage.outbox import CONFIRMED, INTENDED, PARKED, PENDING, REFUSED
from gateway.storage.schema import delivery
from tests.gateway.storage.rows import LEASE, notified, record, version


@pytest.fixture
def journal(site):
    record(site, notified(site, "a", at=3), notified(site, "b", at=4))
    return site.services.journal


def append(journal, new, state=PENDING, now=5):
    with journal.transaction() as connection:
        outbox.append(connection, new, now, state)


def claim(journal, now=10):
    with journal.transaction() as connection:
        return outbox.claim(connection, "a", now, LEASE)


def standing(journal):
    with journal.reading() as connection:
        return connection.execute(select(delivery)).one()


def test_new_version_waits_to_be_written(journal):
    append(journal, version())
    with journal.reading() as connection:
        assert outbox.waiting(connection, 5, 10) == ["t"]
        assert outbox.open_deliveries(connection, "t", 5) == ["a"]


def test_delivery_is_held_by_one_process(journal):
    append(journal, version())
    assert claim(journal).fence == 1
    assert claim(journal) is None
    assert claim(journal, 11 + LEASE).fence == 2


def test_confirmed_delivery_answers_the_events_up_to_its_number(journal):
    append(journal, version(seq=2))
    with journal.transaction() as connection:
        held = outbox.claim(connection, "a", 10, LEASE)
        assert outbox.confirm(connection, held, 2, b"remote", 11) == (False, [3, 4])
    assert (standing(journal).state, standing(journal).written) == (CONFIRMED, 1)


def test_process_that_lost_its_lease_confirms_nothing(journal):
    append(journal, version())
    lost = claim(journal)
    claim(journal, 11 + LEASE)
    with journal.transaction() as connection:
        assert outbox.confirm(connection, lost, 1, b"remote", 12 + LEASE) == (False, [])
        assert not outbox.intend(connection, lost, 12 + LEASE)
        outbox.settle(connection, lost, REFUSED, "late", 0)
    assert (standing(journal).state, standing(journal).written) == (PENDING, 0)


def test_version_that_came_meanwhile_is_written_next(journal):
    append(journal, version(1))
    held = claim(journal)
    append(journal, version(2))
    with journal.transaction() as connection:
        assert outbox.confirm(connection, held, 1, b"remote", 12) == (True, [3])
    again = claim(journal, 13)
    assert (again.version, again.written) == (2, 1)


@pytest.mark.parametrize("unsettled", [INTENDED, PARKED])
def test_newer_version_does_not_forget_that_an_earlier_write_may_stand(journal, unsettled):
    append(journal, version(1))
    with journal.transaction() as connection:
        outbox.settle(connection, outbox.claim(connection, "a", 10, LEASE), unsettled, "unsure", 20)
    append(journal, version(2))
    assert (standing(journal).state, standing(journal).version) == (unsettled, 2)


def test_newest_version_is_found_of_each_assessment(journal):
    for new in (version(1), version(2), version(1, identifier="b")):
        append(journal, new)
    with journal.reading() as connection:
        found = outbox.latest(connection, "t")
        assert {name: each.version for name, each in found.items()} == {"a": 2, "b": 1}
        assert outbox.read(connection, "a").version == 2
        assert outbox.read(connection, "a", 1).version == 1
        assert outbox.read(connection, "c") is None
