"""Whose a resource is: asked under a decision, and one bad event stops no other."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from sqlalchemy import select

from consent.policy import load_policy
from fhir_mapping import risk_assessment
from gateway.hospitals.errors import HospitalUnavailable, NotAuthorised
from gateway.operations.resolve import PAUSE, TRIES, resolve
from gateway.storage.schema import inbox
from tests.support import person
from tests.support.site import NOW


@pytest.fixture
def ward(site):
    """A hospital with one patient who has everything, of which nobody told us."""
    for resource in person.adult("p1", NOW):
        site.ehr.enter(resource)
    return site


def fail(error):
    def act():
        raise error

    return act


def tell(site, reference, **more):
    kind, id_ = reference.split("/")
    return site.deliver(kind if kind in ("Observation", "Condition") else "Observation", kind, id_, **more)


def said(site):
    """Return kind, outcome and words of what the audit log holds about the hospital as a whole."""
    log = site.services.audit
    entries = log.entries(0, log.size_and_root()[0])
    return [
        (each.leaf.kind, each.leaf.outcome, each.operational.detail)
        for each in entries
        if each.leaf.kind in ("consent-decision", "pull") and each.personal.subject is None
    ]


def forbidding(site):
    """Return services whose hospital has a policy without any consent lookup."""
    beside = site.services.hospital
    closed = replace(load_policy("treat-when-silent"), lookups=frozenset())
    return replace(site.services, hospital=lambda one: replace(beside(one), policy=closed))


def test_what_no_model_speaks_of_is_ended_without_asking(ward):
    tell(ward, "Encounter/e1")
    before = len(ward.ehr.seen)
    ward.run()
    assert ward.outcomes() == {"not-an-input": 1}
    assert len(ward.ehr.seen) == before


def test_refused_event_stops_no_other(ward):
    tell(ward, "Condition/c1")
    tell(ward, "Observation/p1-cholesterol")
    ward.ehr.at_next("Condition", fail(NotAuthorised("the EHR answered 403")))
    ward.run()
    assert ward.outcomes()["waiting"] == 1
    assert ward.twin("p1").state == "current"


def test_refused_event_ends_after_a_bounded_number_of_tries(ward):
    tell(ward, "Condition/c1")
    ward.queue.lose()
    for _ in range(TRIES):
        assert ward.outcomes() == {"waiting": 1}
        ward.ehr.at_next("Condition", fail(NotAuthorised("the EHR answered 403")))
        resolve(ward.services, ward.hospital_id)
        asked = len(ward.ehr.seen)
        resolve(ward.services, ward.hospital_id)
        assert len(ward.ehr.seen) == asked  # it is left alone for a while
        ward.clock.advance(minutes=1)
    assert ward.outcomes() == {"refused": 1}


def test_ehr_that_goes_away_leaves_the_rest_and_wakes_those_already_found(ward):
    for name in ("cholesterol", "hdl", "bmi"):
        tell(ward, f"Observation/p1-{name}")
    ward.queue.lose()
    ward.ehr.at_next(
        "Observation",
        lambda: ward.ehr.at_next("Observation", fail(HospitalUnavailable("the EHR answered 503"))),
    )
    resolve(ward.services, ward.hospital_id)
    assert list(ward.queue.calls) == [("synchronise", ward.twin_id("p1"))]
    ward.clock.advance(seconds=PAUSE + 1)
    ward.sweep()
    assert "waiting" not in ward.outcomes()


def test_ehr_is_asked_only_after_a_recorded_permission(ward):
    tell(ward, "Observation/p1-cholesterol")
    before = len(said(ward))
    at_search = []
    ward.ehr.at_next("Observation", lambda: at_search.extend(said(ward)))
    resolve(ward.services, ward.hospital_id)
    (asked,) = at_search[before:]
    assert asked[:2] == ("consent-decision", "success")
    assert "the subjects of 1 references" in asked[2]


def test_without_permission_nothing_is_asked(ward):
    tell(ward, "Observation/p1-cholesterol")
    before = len(ward.ehr.seen)
    resolve(forbidding(ward), ward.hospital_id)
    assert len(ward.ehr.seen) == before
    assert ward.outcomes() == {"denied": 1}
    assert said(ward)[-1][:2] == ("consent-decision", "minor-failure")


def test_deletion_without_a_body_reaches_the_twin_that_held_the_resource(ward):
    for resource in person.adult("p1", NOW):
        ward.tell(ward.ehr.enter(resource))
    ward.run()
    ward.clock.advance(minutes=1)
    newer = ward.ehr.enter(person.cholesterol("late", "p1", 290, NOW))
    ward.tell(newer)
    ward.run()
    assert "Observation/late/_history/1" in basis(ward)
    ward.ehr.remove("Observation", "late")
    tell(ward, "Observation/late", deleted=True)
    ward.run()
    assert "Observation/late/_history/1" not in basis(ward)
    assert ward.outcomes()["deleted"] == 1


def test_deletion_told_by_a_bundle_without_the_resource_reaches_its_twin(ward):
    ward.tell(ward.ehr.enter(person.cholesterol("late", "p1", 290, NOW)))
    ward.run()
    ward.ehr.remove("Observation", "late")
    told = {"resourceType": "Parameters", "parameter": [{"name": "type", "valueCode": "event-notification"}]}
    gone = {"fullUrl": f"{ward.ehr.base_url}/Observation/late"}
    gone["request"] = {"method": "DELETE", "url": "Observation/late"}
    entries = [{"resource": told}, gone]
    ward.deliver(
        "Observation", body=orjson.dumps({"resourceType": "Bundle", "type": "history", "entry": entries})
    )
    ward.run()
    with ward.services.journal.reading() as connection:
        ended = connection.execute(select(inbox.c.twin).where(inbox.c.outcome == "deleted")).scalar_one()
    assert ended == ward.twin_id("p1")


def basis(site):
    (standing,) = site.ehr.all("RiskAssessment")
    return risk_assessment.basis(standing)
