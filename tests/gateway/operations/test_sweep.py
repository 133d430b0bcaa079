"""The sweeper heals whatever was lost between the journal and the queue."""

from __future__ import annotations

import pytest

from gateway.operations.sweep import retry, sweep
from gateway.operations.synchronise import update
from gateway.storage import leases
from gateway.storage.engine import to_us
from gateway.storage.schema import twin
from tests.support import person
from tests.support.site import NOW


@pytest.fixture
def told(site):
    """A gateway that was told of a whole patient and whose queue lost every call."""
    for resource in person.adult("p1", NOW):
        site.tell(site.ehr.enter(resource))
    site.queue.lose()
    return site


def test_lost_wake_up_is_called_again(told):
    told.clock.advance(seconds=1)
    assert told.sweep() == 0
    told.clock.advance(seconds=10)
    assert told.sweep() == 1
    assert told.twin("p1").state == "current"
    assert told.deliveries() == {"confirmed": 1}


def test_dead_workers_lease_runs_out(told):
    with told.services.journal.transaction() as connection:
        leases.claim(connection, told.twin_id("p1"), to_us(told.clock()), 150_000_000)
    told.clock.advance(seconds=149)
    told.sweep()
    assert told.twin("p1").done_seq == 0
    told.clock.advance(seconds=2)
    told.sweep()
    assert told.twin("p1").state == "current"


def test_update_that_failed_is_tried_again_ever_more_slowly(told):
    told.ehr.away = True
    for wait in (2, 4, 8):
        told.clock.advance(minutes=10)
        update(told.services, told.twin_id("p1"))
        assert told.twin("p1").lease == to_us(told.clock()) + wait * 1_000_000
    told.ehr.away = False
    told.clock.advance(minutes=10)
    told.sweep()
    assert told.twin("p1").state == "current"


def test_ehr_that_is_away_never_parks_a_twin(told):
    told.ehr.away = True
    for _ in range(9):
        told.clock.advance(minutes=10)
        told.sweep()
    assert told.twin("p1").parked is None
    told.ehr.away = False
    told.clock.advance(minutes=10)
    told.sweep()
    assert told.twin("p1").state == "current"


def test_forecast_expires_by_the_clock(told):
    told.clock.advance(minutes=1)
    told.sweep()
    before = told.assessments("p1")["prevent"]
    assert before.live
    due = told.twin("p1").due
    told.clock.advance(days=100)  # the birthday is on 17 May
    assert due < to_us(told.clock())
    told.sweep()
    told.run()
    after = told.assessments("p1")["prevent"]
    assert (after.live, after.version) == (True, before.version + 1)
    assert told.twin("p1").due > to_us(told.clock())


def test_stale_inputs_end_an_assessment_with_a_reason(told):
    told.clock.advance(minutes=1)
    told.sweep()
    told.clock.advance(days=800)
    told.sweep()
    assert not told.assessments("p1")["prevent"].live
    (standing,) = told.ehr.all("RiskAssessment")
    assert "prediction" not in standing
    assert "too old" in standing["note"][-1]["text"]


def test_dirty_subscription_is_read_even_if_the_call_was_lost(site):
    site.ehr.enter(person.patient("p1"))
    site.clock.advance(seconds=5)
    site.ehr.enter(person.cholesterol("o1", "p1", 205, NOW))
    site.deliver("Observation", content_type=None)
    site.queue.lose()
    site.clock.advance(seconds=11)
    site.sweep()
    assert site.subscription("Observation").dirty is None
    assert site.twin("p1").state == "current"


def test_unresolved_event_is_resolved_even_if_the_call_was_lost(site):
    site.ehr.enter(person.patient("p1"))
    site.ehr.enter(person.cholesterol("o1", "p1", 205, NOW))
    site.deliver("Observation", "Observation", "o1")
    site.queue.lose()
    site.sweep()
    assert site.twin("p1").state == "current"


def test_unwritten_delivery_is_written(told):
    told.clock.advance(minutes=1)
    assert update(told.services, told.twin_id("p1")) is not None
    assert told.deliveries() == {"pending": 1}
    told.sweep()
    assert told.deliveries() == {"confirmed": 1}
    assert len(told.ehr.all("RiskAssessment")) == 1


def test_two_sweepers_do_the_work_once(told):
    told.clock.advance(minutes=1)
    told.sweep()
    seen = len(told.ehr.seen)
    told.sweep()
    told.sweep()
    assert told.ehr.versions("RiskAssessment", told.assessments("p1")["prevent"].id) == 1
    assert len(told.ehr.seen) == seen


def test_status_of_a_subscription_is_polled(site):
    site.clock.advance(seconds=site.services.settings.subscription_interval + 1)
    assert site.sweep() == 7
    assert {each["status"] for each in site.ehr.all("Subscription")} == {"active"}
    assert site.sweep() == 0


def test_a_delivery_that_fails_does_not_keep_later_twins_waiting(site):
    for name in ("p1", "p2"):
        for resource in person.adult(name, NOW):
            site.ehr.enter(resource)
            site.tell(resource)
    site.queue.lose()
    for name in ("p1", "p2"):
        update(site.services, site.twin_id(name))
    with site.services.journal.transaction() as connection:
        broken = twin.update().where(twin.c.id == site.twin_id("p1"))
        connection.execute(broken.values(patient=b"cannot be opened"))
    site.clock.advance(seconds=20)
    sweep(site.services)
    assert {call for call in site.queue.calls if call[0] == "deliver"} == {
        ("deliver", site.twin_id("p1")),
        ("deliver", site.twin_id("p2")),
    }


def test_parked_twin_is_tried_again_when_a_person_says_so(told):
    told.change_twin("p1", parked="ValueError", attempts=5, lease=to_us(told.clock()))
    told.clock.advance(seconds=20)
    assert told.sweep() == 0
    assert retry(told.services, ["another"]) == 0
    assert retry(told.services) == 1
    told.run()
    assert told.twin("p1").state == "current"
