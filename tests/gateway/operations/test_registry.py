"""EHRs are connected, changed and disconnected."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from gateway.hospitals.errors import HospitalUnavailable
from gateway.operations import registry
from gateway.operations.registry import Access, Registration
from gateway.storage import leases
from gateway.storage.schema import subscription
from tests.support import person
from tests.support.site import NOW, POLICY


@pytest.fixture
def settled(site):
    """A gateway with one twin that is current."""
    for resource in person.adult("p1", NOW):
        site.tell(site.ehr.enter(resource))
    site.run()
    return site


def channels(site):
    mine = subscription.c.hospital == site.hospital_id
    with site.services.journal.reading() as connection:
        return connection.execute(select(subscription).where(mine)).all()


def abandon(site, kind):
    """Make one Subscription that of an earlier release, whose criterion is not wanted any more."""
    row = site.subscription(kind)
    with site.services.journal.transaction() as connection:
        changed = update(subscription).where(subscription.c.id == row.id)
        connection.execute(changed.values(id="earlier", criteria="Observation?code=http://loinc.org|0000-0"))
    return row.remote_id


def test_subscriptions_that_are_not_wanted_any_more_are_removed_at_the_ehr(site):
    remote, wanted = abandon(site, "Condition"), len(channels(site))
    registry.subscribe(site.services, site.hospital_id)
    assert remote not in {each["id"] for each in site.ehr.all("Subscription")}
    assert len(site.ehr.all("Subscription")) == len(channels(site)) == wanted


def test_a_subscription_that_cannot_be_removed_now_is_kept_in_mind(site):
    remote = abandon(site, "Condition")
    site.ehr.away = True
    with pytest.raises(HospitalUnavailable):
        registry.subscribe(site.services, site.hospital_id)
    site.ehr.away = False
    registry.subscribe(site.services, site.hospital_id)
    assert remote not in {each["id"] for each in site.ehr.all("Subscription")}


def test_disconnecting_removes_our_subscriptions_and_keeps_the_twins(settled):
    assert registry.disconnect(settled.services, settled.hospital_id) == 0
    assert settled.ehr.all("Subscription") == []
    assert channels(settled) == []
    assert registry.hospitals(settled.services) == {}
    assert settled.twin("p1").state == "current"
    assert settled.assessments("p1")["prevent"].live


def test_a_disconnected_ehr_is_not_read_any_more(settled):
    registry.disconnect(settled.services, settled.hospital_id)
    seen = len(settled.ehr.seen)
    settled.clock.advance(days=3)
    settled.sweep()
    assert len(settled.ehr.seen) == seen


def test_disconnecting_from_an_ehr_that_is_away_says_what_stays_there(settled):
    settled.ehr.away = True
    assert registry.disconnect(settled.services, settled.hospital_id) == 7
    assert channels(settled) == []


def test_connecting_again_goes_on_where_it_stopped(settled):
    registry.disconnect(settled.services, settled.hospital_id)
    settled.ehr.enter(person.cholesterol("late", "p1", 290, NOW))
    assert settled.twin("p1").parked == leases.DISCONNECTED
    registration = Registration("ward", settled.ehr.base_url, Access(), POLICY, frozenset())
    registry.register(settled.services, registration, settled.ehr)
    before = settled.assessments("p1")["prevent"].version
    settled.clock.advance(seconds=60)
    settled.sweep()
    assert settled.assessments("p1")["prevent"].version == before + 1
