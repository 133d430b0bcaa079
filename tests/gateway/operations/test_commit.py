"""What an update makes stand: what may be told, until when, and whose a resource is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fhir_mapping import risk_assessment
from fhir_mapping.instants import render
from tests.support import person
from tests.support.site import NOW


@pytest.fixture
def told(site):
    for resource in person.adult("p1", NOW):
        site.tell(site.ehr.enter(resource))
    site.run()
    return site


def standing(site, patient="p1"):
    return next(
        each
        for each in site.ehr.all("RiskAssessment")
        if each["subject"]["reference"] == f"Patient/{patient}"
    )


def secretive(site, **more):
    """A Consent that permits everything but to tell anybody."""
    consent = person.permission("c1", "p1", NOW)
    disclose = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "disclose"}]
    }
    consent["provision"] |= {"provision": [{"type": "deny", "action": [disclose]}]}
    return consent | more


def enter(site, consent):
    site.clock.advance(minutes=1)
    site.tell(site.ehr.enter(consent))
    site.run()


def test_what_may_no_longer_be_told_is_taken_back_from_the_ehr(told):
    assert standing(told)["prediction"]
    enter(told, secretive(told))
    assert standing(told)["status"] == "cancelled"
    assert "prediction" not in standing(told)


def test_what_may_be_told_again_is_told_again(told):
    enter(told, secretive(told))
    enter(told, person.permission("c1", "p1", NOW))
    assert standing(told)["prediction"]
    assert standing(told)["status"] == "amended"


def test_a_consent_takes_effect_when_its_time_comes_and_nobody_says_so(told):
    denial = person.denial("c1", "p1", NOW)
    denial["provision"]["period"] = {"start": render(NOW + timedelta(hours=2))}
    enter(told, denial)
    assert standing(told)["prediction"]
    told.clock.advance(hours=3)
    told.sweep()
    assert "prediction" not in standing(told)


def test_a_denial_ends_when_its_time_is_over(told):
    denial = person.denial("c1", "p1", NOW)
    denial["provision"]["period"] = {"end": render(NOW + timedelta(hours=2))}
    enter(told, denial)
    assert "prediction" not in standing(told)
    told.clock.advance(hours=3)
    told.sweep()
    assert standing(told)["prediction"]


def test_a_result_corrected_to_another_patient_leaves_the_first(told):
    for resource in person.adult("p2", NOW):
        told.tell(told.ehr.enter(resource))
    told.run()
    told.clock.advance(minutes=1)
    moved = person.cholesterol("p1-cholesterol", "p2", 290, NOW - timedelta(days=1))
    told.tell(told.ehr.enter(moved))
    told.run()
    assert "prediction" not in standing(told, "p1")
    assert "Observation/p1-cholesterol/_history/2" in risk_assessment.basis(standing(told, "p2"))


def test_a_version_told_before_it_is_shown_is_waited_for(told):
    told.clock.advance(minutes=1)
    early = person.cholesterol("p1-cholesterol", "p1", 290, NOW)
    early["meta"] = {"versionId": "2"}
    told.tell(early)
    told.run()
    assert told.outcomes()["waiting"] == 1
    told.ehr.enter(person.cholesterol("p1-cholesterol", "p1", 290, NOW))
    told.clock.advance(minutes=1)
    told.sweep()
    assert "Observation/p1-cholesterol/_history/2" in risk_assessment.basis(standing(told))


def test_a_version_that_is_never_shown_is_said_to_be_so(told):
    early = person.cholesterol("p1-cholesterol", "p1", 290, NOW)
    early["meta"] = {"versionId": "99"}
    told.tell(early)
    told.run()
    for _ in range(8):
        told.clock.advance(minutes=6)
        told.sweep()
    assert told.outcomes()["never-shown"] == 1


def test_a_forecast_that_runs_out_is_withdrawn_though_the_ehr_cannot_be_read(told):
    told.ehr.away = True
    told.clock.advance(days=800)
    told.sweep()
    assert not told.assessments("p1")["prevent"].live


def test_taking_back_goes_on_until_the_ehr_has_taken_it(told):
    refuse(told, "put")
    enter(told, person.denial("c1", "p1", NOW))
    assert standing(told)["prediction"]
    told.ehr.refuses.clear()
    for _ in range(3):
        told.clock.advance(minutes=10)
        told.sweep()
    assert "prediction" not in standing(told)


def refuse(site, method, *keys):
    site.ehr.refuses[method] = keys


def test_a_prediction_that_the_ehr_alters_is_not_left_standing(site):
    site.ehr.forgets = "basis"
    for resource in person.adult("p1", NOW):
        site.tell(site.ehr.enter(resource))
    site.run()
    assert standing(site)["status"] == "cancelled"
    assert "prediction" not in standing(site)
    assert site.deliveries() == {"refused": 1}


def test_one_resource_that_may_not_be_read_stops_no_other(told):
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.cholesterol("hidden", "p1", 290, NOW)))
    refuse(told, "get", "Observation/hidden")
    told.run()
    assert told.outcomes()["refused"] == 1
    told.tell(told.ehr.enter(person.cholesterol("open", "p1", 240, told.clock())))
    told.run()
    assert "Observation/open/_history/1" in risk_assessment.basis(standing(told))


def test_a_twin_given_up_is_tried_again_for_its_consent_may_be_withdrawn(told):
    told.change_twin("p1", parked="NotAuthorised", attempts=5)
    told.ehr.enter(person.denial("c1", "p1", NOW))  # and nobody is told
    told.clock.advance(days=3)
    told.sweep()
    assert "prediction" not in standing(told)


def test_new_labels_make_a_new_version(told):
    before = told.assessments("p1")["prevent"]
    labelled = person.cholesterol("old", "p1", 205, NOW - timedelta(days=300))
    labelled["meta"] = {
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]
    }
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(labelled))
    told.run()
    assert told.assessments("p1")["prevent"].version > before.version
    assert "prediction" not in standing(told), "this EHR does not enforce labels"
