"""One worker at a time holds a twin, and one that lost it changes nothing."""

from __future__ import annotations

import pytest

from gateway.storage import inbox, leases
from gateway.storage.leases import Fenced
from tests.gateway.storage.rows import LEASE, notified, record, the_twin


def claim(site, now):
    with site.services.journal.transaction() as connection:
        return leases.claim(connection, "t", now, LEASE)


def finish(site, held, now, due=None):
    with site.services.journal.transaction() as connection:
        return leases.finish(connection, held, now, state="current", due=due)


def conclude_and_finish(site, held, now):
    with site.services.journal.transaction() as connection:
        (row,) = inbox.between(connection, "t", 0, 9)
        inbox.conclude(connection, [inbox.Ending(row.id, "used")], now)
        leases.finish(connection, held, now, state="current", due=None)


def test_held_twin_is_not_given_away(site):
    record(site, notified(site, "a"))
    assert claim(site, 6).fence == 1
    assert claim(site, 6 + LEASE) is None


def test_twin_without_work_is_not_given_away(site):
    record(site, notified(site, "a"))
    finish(site, claim(site, 6), 7)
    assert claim(site, 8) is None


def test_lease_that_ran_out_goes_to_the_next_with_a_higher_fence(site):
    record(site, notified(site, "a"))
    assert [claim(site, 6).fence, claim(site, 7 + LEASE).fence] == [1, 2]


def test_worker_that_lost_its_lease_commits_nothing(site):
    record(site, notified(site, "a"))
    lost = claim(site, 6)
    held = claim(site, 7 + LEASE)
    with pytest.raises(Fenced):
        conclude_and_finish(site, lost, 9 + LEASE)
    assert site.outcomes() == {"waiting": 1}
    assert finish(site, held, 10 + LEASE) is False
    assert the_twin(site).done_seq == 1


def test_worker_that_lost_its_lease_cannot_give_it_back(site):
    record(site, notified(site, "a"))
    lost = claim(site, 6)
    claim(site, 7 + LEASE)
    with site.services.journal.transaction() as connection:
        leases.release(connection, lost, 8, attempts=9, parked="Lost")
    assert the_twin(site).parked is None
    assert the_twin(site).lease == 7 + 2 * LEASE


def test_lease_given_back_is_claimable_at_its_time(site):
    record(site, notified(site, "a"))
    with site.services.journal.transaction() as connection:
        leases.release(connection, leases.claim(connection, "t", 6, LEASE), 50, attempts=1)
    assert claim(site, 50) is None
    assert claim(site, 51).attempts == 2


def test_parked_twin_is_left_alone_until_somebody_asks(site):
    record(site, notified(site, "a"))
    with site.services.journal.transaction() as connection:
        leases.release(connection, leases.claim(connection, "t", 6, LEASE), 7, attempts=5, parked="Broken")
        assert leases.stale(connection, 1000, 0, 10) == []
    assert claim(site, 1000) is None
    with site.services.journal.transaction() as connection:
        inbox.wake(connection, "t", 1000)
    assert claim(site, 1001).attempts == 1


def test_twin_that_nobody_was_told_of_is_stale(site):
    record(site, notified(site, "a", at=5))
    with site.services.journal.transaction() as connection:
        assert leases.stale(connection, 10, 5, 10) == []
        assert leases.stale(connection, 11, 5, 10) == ["t"]
        leases.told(connection, ["t"], 11)
        assert leases.stale(connection, 12, 5, 10) == []


def test_full_reading_is_asked_for_until_it_is_done(site):
    record(site, notified(site, "a"))
    held = claim(site, 6)
    assert held.full
    finish(site, held, 7)
    record(site, notified(site, "b"))
    assert not claim(site, 8).full


def test_forecast_falls_due_once(site):
    record(site, notified(site, "a"))
    finish(site, claim(site, 6), 7, due=20)
    with site.services.journal.transaction() as connection:
        assert leases.due(connection, 19, 10) == []
        assert leases.due(connection, 20, 10) == ["t"]
        assert inbox.wake(connection, "t", 20)
        assert leases.due(connection, 21, 10) == []


def test_catch_up_of_a_subscription_is_fenced_too(site):
    identifier = site.subscription("Patient").id
    with site.services.journal.transaction() as connection:
        first = leases.claim_subscription(connection, identifier, 10, LEASE)
        assert leases.claim_subscription(connection, identifier, 11, LEASE) is None
        second = leases.claim_subscription(connection, identifier, 11 + LEASE, LEASE)
        assert not leases.finish_subscription(connection, identifier, first, status="error")
        assert leases.finish_subscription(connection, identifier, second, status="active")
    assert site.subscription("Patient").status == "active"
