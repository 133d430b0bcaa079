"""Nothing that a Subscription did not deliver is lost, also where the EHR believes that all is well."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from consent.policy import load_policy
from gateway.hospitals.errors import NotAuthorised
from gateway.operations import catch_up as use_case
from gateway.operations.catch_up import catch_up
from gateway.storage.schema import subscription
from tests.support import person
from tests.support.site import NOW


@pytest.fixture
def ward(site):
    """A hospital whose Subscriptions were all looked at once, a moment ago."""
    site.ehr.enter(person.patient("p1"))
    look(site)
    site.run()
    site.clock.advance(seconds=61)
    look(site)
    return site


def look(site, kind="Observation"):
    catch_up(site.services, site.subscription(kind).id)


def written(site, id_="o1"):
    """Let the hospital write a result and tell nobody."""
    return site.ehr.enter(person.cholesterol(id_, "p1", 205, NOW))


def searched(site, kind="Observation"):
    return site.ehr.seen.count(("search", kind))


def counted(site, number, *foci):
    """Tell of ``foci`` in a notification with this number."""
    numbered = {"name": "event-number", "valueString": str(number)}
    parts = [[numbered, {"name": "focus", "valueReference": {"reference": each}}] for each in foci]
    fields = [{"name": "type", "valueCode": "event-notification" if foci else "heartbeat"}]
    fields.append({"name": "events-since-subscription-start", "valueString": str(number)})
    events = [{"name": "notification-event", "part": part} for part in parts]
    status = {"resource": {"resourceType": "Parameters", "parameter": [*fields, *events]}}
    body = orjson.dumps({"resourceType": "Bundle", "type": "history", "entry": [status]})
    return site.deliver("Observation", body=body)


def change(site, **values):
    mine = subscription.c.id == site.subscription("Observation").id
    with site.services.journal.transaction() as connection:
        connection.execute(subscription.update().where(mine).values(**values))


def test_look_in_time_at_a_subscription_that_is_well_reads_nothing(ward):
    before = searched(ward)
    ward.clock.advance(seconds=61)
    look(ward)
    assert searched(ward) == before


def test_late_look_reads_what_a_subscription_that_stayed_active_did_not_deliver(ward):
    ward.clock.advance(minutes=1)
    written(ward)
    ward.clock.advance(minutes=10)
    look(ward)
    ward.run()
    assert ward.outcomes().keys() >= {"missing-input"}


def test_first_look_of_a_process_reads_the_window(ward):
    use_case._looked.clear()
    before = searched(ward)
    look(ward)
    assert searched(ward) == before + 1


def test_window_that_could_not_be_read_is_read_at_the_next_look(ward):
    written(ward)
    ward.deliver("Observation", content_type=None)
    caught_up = ward.subscription("Observation").caught_up
    ward.clock.advance(seconds=1)
    ward.ehr.at_next("Observation", refuse)
    look(ward)
    assert ward.subscription("Observation").caught_up == caught_up
    assert ward.subscription("Observation").dirty is None
    ward.clock.advance(seconds=61)
    look(ward)
    assert ward.subscription("Observation").caught_up > caught_up
    assert sum(ward.outcomes().values()) == 1


def refuse():
    raise NotAuthorised("the EHR answered 403")


def test_second_empty_notification_during_the_search_is_not_taken_for_answered(ward):
    ward.deliver("Observation", content_type=None)
    ward.ehr.at_next("Observation", lambda: ward.deliver("Observation", content_type=None))
    look(ward)
    assert ward.subscription("Observation").dirty is not None
    look(ward)
    assert ward.subscription("Observation").dirty is None


def test_gap_in_the_event_numbers_marks_the_subscription(ward):
    written(ward)
    counted(ward, 1, "Observation/o1")
    assert ward.subscription("Observation").dirty is None
    counted(ward, 3, "Observation/o1")
    assert ward.subscription("Observation").dirty is not None
    assert ("catch_up", ward.subscription("Observation").id) in ward.queue.calls


def test_heartbeat_that_counts_more_events_than_came_marks_the_subscription(ward):
    counted(ward, 0)
    assert ward.subscription("Observation").dirty is None
    counted(ward, 1)
    assert ward.subscription("Observation").dirty is not None


def test_subscription_that_was_registered_anew_counts_anew(ward):
    written(ward)
    first = counted(ward, 1, "Observation/o1")
    again = counted(ward, 1, "Observation/o1")
    ward.ehr.remove("Subscription", ward.subscription("Observation").remote_id)
    look(ward)
    assert ward.subscription("Observation").event_number is None
    anew = counted(ward, 1, "Observation/o1")
    assert [each.new for each in (first, again, anew)] == [1, 0, 1]


def test_window_is_read_only_after_a_recorded_permission(ward):
    change(ward, dirty=1)
    kinds = []
    ward.ehr.at_next("Observation", lambda: kinds.append(newest(ward)))
    look(ward)
    assert kinds == ["consent-decision"]
    assert newest(ward) == "pull"


def test_without_permission_no_window_is_read(ward):
    change(ward, dirty=1)
    before, caught_up = searched(ward), ward.subscription("Observation").caught_up
    beside = ward.services.hospital
    closed = replace(load_policy("treat-when-silent"), lookups=frozenset())
    services = replace(ward.services, hospital=lambda one: replace(beside(one), policy=closed))
    catch_up(services, ward.subscription("Observation").id)
    assert searched(ward) == before
    assert ward.subscription("Observation").caught_up == caught_up


def newest(site):
    size, _ = site.services.audit.size_and_root()
    (entry,) = site.services.audit.entries(size - 1, size)
    return entry.leaf.kind
