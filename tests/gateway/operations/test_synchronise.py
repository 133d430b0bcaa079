"""One update of one twin, from what is told to what stands in the EHR, on both databases."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from fhir_mapping import risk_assessment
from gateway.operations import synchronise
from gateway.operations.deliver import deliver
from gateway.operations.inspection import quarantined, verify
from gateway.storage import leases
from gateway.storage.engine import to_us
from tests.support import person
from tests.support.site import NOW

RISKS = 10  # total CVD, ASCVD and heart failure in 10 and 30 years


@pytest.fixture
def told(site):
    """A gateway that has seen a whole patient."""
    for resource in person.adult("p1", NOW):
        site.tell(site.ehr.enter(resource))
    site.run()
    return site


def standing(site):
    (only,) = site.ehr.all("RiskAssessment")
    return only


def basis(site):
    return risk_assessment.basis(standing(site))


def test_whole_patient_gives_one_assessment_in_the_ehr(told):
    assert len(standing(told)["prediction"]) == RISKS
    assert standing(told)["subject"] == {"reference": "Patient/p1"}
    assert told.deliveries() == {"confirmed": 1}
    assert told.outcomes().keys() <= {"used", "superseded", "missing-input", "not-an-input"}
    assert "Observation/p1-cholesterol/_history/1" in basis(told)


def test_burst_costs_one_update(told):
    assert told.ehr.versions("RiskAssessment", told.assessments("p1")["prevent"].id) == 1
    assert told.twin("p1").done_seq == 7


def test_new_value_gives_a_new_version_under_the_same_id(told):
    told.clock.advance(minutes=1)
    before = standing(told)
    told.tell(told.ehr.enter(person.cholesterol("new", "p1", 280, told.clock())))
    told.run()
    after = standing(told)
    assert after["id"] == before["id"]
    assert "Observation/new/_history/1" in basis(told)
    assert "Observation/p1-cholesterol/_history/1" not in basis(told)
    assert risk_of(after) > risk_of(before)


def risk_of(resource):
    return resource["prediction"][0]["probabilityDecimal"]


def test_only_what_changed_is_read_again(told):
    told.clock.advance(minutes=1)
    told.ehr.seen.clear()
    told.tell(told.ehr.enter(person.cholesterol("new", "p1", 230, told.clock())))
    told.run()
    read = [request for request in told.ehr.seen if request[0] in ("get", "search")]
    assert read == [
        ("get", "Patient"),
        ("search", "Consent"),
        ("get", "Observation"),
        ("get", "RiskAssessment"),
    ]


def test_equal_evidence_writes_nothing(told):
    told.clock.advance(minutes=1)
    before = told.ehr.versions("RiskAssessment", standing(told)["id"])
    told.tell(told.ehr.enter(person.cholesterol("older", "p1", 230, NOW - timedelta(days=200))))
    told.run()
    assert told.ehr.versions("RiskAssessment", standing(told)["id"]) == before
    assert "superseded" in told.outcomes()


def test_amended_value_replaces_the_first(told):
    told.clock.advance(minutes=1)
    first = person.cholesterol("p1-cholesterol", "p1", 205, NOW - timedelta(days=30))
    told.tell(told.ehr.enter(person.amended(first, 290)))
    told.run()
    assert "Observation/p1-cholesterol/_history/2" in basis(told)


def test_value_entered_in_error_takes_the_assessment_back(told):
    told.clock.advance(minutes=1)
    first = person.cholesterol("p1-cholesterol", "p1", 205, NOW - timedelta(days=30))
    told.tell(told.ehr.enter(person.retracted(first)))
    told.run()
    assert "prediction" not in standing(told)
    assert standing(told)["note"]
    assert not told.assessments("p1")["prevent"].live


def test_older_value_stands_again_where_a_newer_one_was_an_error(told):
    told.clock.advance(minutes=1)
    wrong = person.cholesterol("wrong", "p1", 300, told.clock())
    told.tell(told.ehr.enter(wrong))
    told.run()
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.retracted(wrong)))
    told.run()
    assert "Observation/p1-cholesterol/_history/1" in basis(told)


def test_missing_input_gives_a_reason_and_no_assessment(site):
    everything = person.adult("p1", NOW)
    for resource in (each for each in everything if each["id"] != "p1-smoking"):
        site.tell(site.ehr.enter(resource))
    site.run()
    assert site.ehr.all("RiskAssessment") == []
    assert site.outcomes() == {"missing-input": 6}
    assert site.twin("p1").state == "current"


def test_denial_closes_every_event_before_anything_clinical_is_read(site):
    site.ehr.enter(person.denial("c1", "p1", NOW))
    for resource in person.adult("p1", NOW):
        site.tell(site.ehr.enter(resource))
    site.run()
    assert site.outcomes() == {"denied": 7}
    assert site.twin("p1").state == "denied"
    assert {kind for _, kind in site.ehr.seen} <= {"Patient", "Consent", "Subscription"}
    assert site.ehr.all("RiskAssessment") == []


def test_withdrawal_takes_the_assessment_back(told):
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.denial("c1", "p1", told.clock())))
    told.run()
    assert "prediction" not in standing(told)
    assert told.twin("p1").state == "denied"


def test_new_permission_brings_the_assessment_back(told):
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.denial("c1", "p1", told.clock())))
    told.run()
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.permission("c1", "p1", told.clock())))
    told.run()
    assert len(standing(told)["prediction"]) == RISKS


def test_what_came_during_a_denial_is_read_when_permission_returns(told):
    told.tell(told.ehr.enter(person.denial("c1", "p1", told.clock())))
    told.run()
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.cholesterol("meanwhile", "p1", 250, told.clock())))
    told.run()
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.permission("c1", "p1", told.clock())))
    told.run()
    assert "Observation/meanwhile/_history/1" in basis(told)


def test_decisions_stand_in_the_log_before_the_acts(told):
    size, _ = told.services.audit.size_and_root()
    mine = [
        (entry.leaf.kind, entry.operational.detail.split(":")[0])
        for entry in told.services.audit.entries(0, size)
        if entry.personal is not None and entry.personal.subject == told.twin_id("p1")
    ]
    order = [
        ("consent-decision", "consent-lookup"),
        ("consent-decision", "collect"),
        ("consent-decision", "use"),
        ("twin-update", "current"),
        ("consent-decision", "disclose"),
    ]
    places = [mine.index(each) for each in order]
    assert places == sorted(places)
    assert mine[-1][0] == "assessment-write"
    assert verify(told.services).ok


def test_worker_that_lost_its_lease_writes_nothing(site):
    for resource in person.adult("p1", NOW):
        site.tell(site.ehr.enter(resource))
    site.queue.lose()
    twin = site.twin_id("p1")

    def steal() -> None:
        site.clock.advance(seconds=200)
        with site.services.journal.transaction() as connection:
            assert leases.claim(connection, twin, to_us(site.clock()), 1_000_000) is not None

    site.ehr.at_next("Observation", steal)
    assert synchronise.update(site.services, twin) is None
    assert site.twin("p1").done_seq == 0
    assert site.assessments("p1") == {}
    assert site.outcomes() == {"waiting": 7}


def test_event_during_an_update_is_done_next(told):
    told.clock.advance(minutes=1)
    first = told.ehr.enter(person.cholesterol("first", "p1", 230, told.clock()))
    second = person.cholesterol("second", "p1", 250, told.clock() + timedelta(seconds=1))
    told.tell(first)
    told.ehr.at_next("Observation", lambda: told.tell(told.ehr.enter(second)))
    told.run()
    assert "Observation/second/_history/1" in basis(told)
    assert "waiting" not in told.outcomes()


def test_observation_moved_to_another_patient_goes_with_him(told):
    told.clock.advance(minutes=1)
    for resource in person.adult("p2", NOW):
        told.ehr.enter(resource)
    moved = person.cholesterol("p1-cholesterol", "p2", 205, NOW - timedelta(days=30))
    stated = told.ehr.enter(moved)
    told.tell({**stated, "subject": {"reference": "Patient/p1"}})
    told.run()
    assert "rerouted" in told.outcomes()
    assert told.twin("p2").state == "current"


def test_unusable_value_is_quarantined_with_its_reason(told):
    told.clock.advance(minutes=1)
    odd = person.cholesterol("odd", "p1", 205, told.clock())
    odd["valueQuantity"] = {
        "value": -3,
        "unit": "mg/dL",
        "system": "http://unitsofmeasure.org",
        "code": "mg/dL",
    }
    told.tell(told.ehr.enter(odd))
    told.run()
    assert told.outcomes()["quarantined"] == 1
    assert "Observation/p1-cholesterol/_history/1" in basis(told)


def test_invalid_telephone_number_is_listed_and_costs_nobody_the_twin(site):
    adult = person.adult("p1", NOW)
    for resource in adult:
        if resource["resourceType"] == "Patient":
            resource["telecom"] = [{"system": "mobile", "value": "1"}]
        site.tell(site.ehr.enter(resource))
    site.run()
    assert "Patient/p1/_history/1" in basis(site)
    assert "quarantined" not in site.outcomes()
    (row,) = quarantined(site.services).shown
    assert row[1] == "Patient/p1"
    assert row[3].startswith("code-invalid: the code is not in the required value set")


def test_ehr_that_changes_what_it_is_given_is_not_believed(told):
    told.clock.advance(minutes=1)
    told.ehr.forgets = "method"
    told.tell(told.ehr.enter(person.cholesterol("new", "p1", 280, told.clock())))
    told.run()
    assert told.deliveries() == {"refused": 1}


def test_ehr_that_is_away_at_the_write_gets_it_later(told):
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.cholesterol("new", "p1", 280, told.clock())))
    told.queue.lose()
    assert synchronise.update(told.services, told.twin_id("p1")) is not None
    told.ehr.away = True
    deliver(told.services, told.twin_id("p1"))
    assert told.deliveries() == {"pending": 1}
    told.ehr.away = False
    told.clock.advance(minutes=10)
    told.sweep()
    assert told.deliveries() == {"confirmed": 1}
    assert "Observation/new/_history/1" in basis(told)


def test_deletion_that_told_nobody_is_found_by_reconciliation(told):
    told.ehr.remove("Observation", "p1-cholesterol")
    told.clock.advance(seconds=told.services.settings.reconcile_interval + 1)
    told.sweep()
    assert not told.assessments("p1")["prevent"].live
    assert "prediction" not in standing(told)


def test_withdrawal_that_told_nobody_is_found_by_reconciliation(told):
    told.ehr.enter(person.denial("c1", "p1", told.clock()))
    told.clock.advance(seconds=told.services.settings.reconcile_interval + 1)
    told.sweep()
    assert told.twin("p1").state == "denied"
    assert "prediction" not in standing(told)


def test_our_own_assessment_in_the_ehr_triggers_nothing(told):
    before = told.twin("p1").seq
    own = standing(told)
    assert told.deliver("Observation", "RiskAssessment", own["id"], orjson.dumps(own)).new == 0
    assert told.twin("p1").seq == before
