"""What a model answers about a patient now, on our FHIR address."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fhir_mapping import course_observation, guidance_response
from tests.fhir_mapping.validators import accepted_by_all
from tests.gateway.web.fhir_ground import EHR, KEY, NOW, Ground, consent
from twin_engine import store
from twin_engine.store import EvidenceRecord, Snapshot
from twin_engine.twin import Course, Forecast, Reason, Refusal, Risk, Summary

SCOPES = ("system/RiskAssessment.rs", "system/GuidanceResponse.s")
ALL = " ".join(SCOPES)
DERIVED = "system/Observation.s"
FORECAST = Forecast(
    "cardiovascular-disease",
    NOW,
    NOW + timedelta(days=30),
    (Risk("total-cvd-10y", None, 0.07),),
    ("Observation/17/_history/3",),
    "Because.",
)
REFUSAL = Refusal(
    "clinical-deterioration",
    NOW,
    (Reason("missing-input", "heart-rate", "No heart rate is known."),),
)


class Asked(Ground):
    """A ground whose client may ask the models."""

    def __init__(self, folder):
        super().__init__(folder)
        self.client_id = self.register("asking", KEY, (*SCOPES, DERIVED))

    def answer(self, patient, *answers, labels=frozenset()):
        twin = self.services.twin_id(self.hospital, patient)
        record = EvidenceRecord("Observation/17", "3", None, "0" * 64, labels=labels)
        with self.services.journal.transaction() as connection:
            store.put_evidence(connection, self.services.vault, twin, record, key="k", known=NOW)
            for model, answer in answers:
                snapshot = Snapshot(model, "1.0", "sha256:0", 4, NOW, NOW, "0" * 32, b"", (answer,))
                store.append_snapshot(connection, self.services.vault, twin, snapshot)

    def ask(self, query="patient=p1", scope=ALL):
        return self.get(f"/fhir/GuidanceResponse?{query}", scope=scope)

    def told(self, query="patient=p1"):
        found = self.ask(query)
        assert found.status_code == 200, found.data
        return [entry["resource"] for entry in found.json.get("entry", ())]


@pytest.fixture
def ground(tmp_path):
    built = Asked(tmp_path)
    built.enrol("p1")
    built.answer("p1", ("prevent", FORECAST), ("news2", REFUSAL))
    yield built
    built.close()


def test_every_model_answers_with_a_forecast_or_with_what_it_lacks(ground):
    lacking, foretelling = ground.told()
    assert all(accepted_by_all(each) for each in (lacking, foretelling))
    assert (lacking["status"], foretelling["status"]) == ("data-required", "success")
    assert guidance_response.read(lacking).needs[0].name == "heart-rate"
    assert foretelling["meta"]["versionId"] == "4"
    assert foretelling["subject"]["reference"] == f"{EHR}/Patient/p1"
    assert guidance_response.read(foretelling).answer == FORECAST


def test_a_forecast_that_has_run_out_is_no_answer(ground):
    ground.clock.forward(days=31)
    *_, foretelling = ground.told()
    assert foretelling["status"] == "failure"
    assert "has run out" in foretelling["text"]["div"]


def test_an_answer_is_in_the_log_before_it_is_given(ground):
    ids = [each["id"] for each in ground.told()]
    [(outcome, _, detail, resources)] = ground.events("disclosure")
    assert (outcome, detail) == ("success", "2 GuidanceResponse")
    assert resources == tuple(f"GuidanceResponse/{each}" for each in ids)
    headers = ground.bearer(scope=ALL)
    asked = ground.without_audit().get("/fhir/GuidanceResponse?patient=p1", headers=headers)
    assert asked.status_code == 503


@pytest.mark.parametrize(
    ("consents", "state"), [([consent("deny")], "current"), (None, "current"), ([], "denied"), ([], "new")]
)
def test_who_may_not_know_is_told_nothing(ground, consents, state):
    ground.enrol("p2", consents, state=state)
    ground.answer("p2", ("prevent", FORECAST))
    assert ground.told("patient=p2") == []


def test_labels_of_the_evidence_guard_the_answer(ground):
    ground.enrol("p3")
    ground.answer("p3", ("prevent", FORECAST), labels=frozenset({"R", "PSY"}))
    assert ground.told("patient=p3") == []


def test_an_erased_twin_and_a_foreign_model_answer_nothing(ground):
    ground.enrol("p4")
    ground.answer("p4", ("no-such-model", replace(FORECAST, family="x")))
    assert ground.told("patient=p4") == []
    ground.services.vault.destroy(f"twin/{ground.services.twin_id(ground.hospital, 'p1')}")
    assert ground.told() == []


@pytest.mark.parametrize(("query", "status"), [("", 400), ("patient=p1&_count=1", 400), ("_id=a", 400)])
def test_it_is_asked_about_a_patient_and_nothing_else(ground, query, status):
    assert ground.ask(query).status_code == status


@pytest.mark.parametrize("scope", SCOPES)
def test_both_scopes_are_needed(ground, scope):
    assert ground.ask(scope=scope).status_code == 403


def test_it_is_asked_with_a_form_too(ground):
    headers = ground.bearer(scope=ALL)
    client = ground.app.test_client()
    path = "/fhir/GuidanceResponse/_search"
    assert client.post(path, data={"patient": "p1"}, headers=headers).json["entry"]
    assert client.post(path, json={"patient": "p1"}, headers=headers).status_code == 415


FAN = Course(
    "interstitial-glucose", "mg/dL", NOW, (300.0, 600.0), ((0.05, (80.0, 70.0)), (0.5, (100.0, 99.0)))
)
NEED = Summary("basal-insulin", "[iU]/h", 0.8, NOW - timedelta(days=7), NOW, 0.6, 1.1)


def derived(ground, scope=f"system/RiskAssessment.rs {DERIVED}", patient="p5"):
    return ground.get(f"/fhir/Observation?patient={patient}", scope=scope)


def test_the_course_and_numbers_of_a_forecast_are_observations_of_their_own(ground):
    ground.enrol("p5")
    ground.answer("p5", ("prevent", replace(FORECAST, courses=(FAN,), summaries=(NEED,))), ("news2", REFUSAL))
    found = [entry["resource"] for entry in derived(ground).json["entry"]]
    assert all(accepted_by_all(each) for each in found)
    assert [course_observation.read(each).value for each in found] == [FAN, NEED]
    assert len({each["id"] for each in found}) == 2
    [(_, _, detail, _)] = ground.events("disclosure")
    assert detail == "2 Observation"


def test_a_course_that_has_run_out_is_not_shown(ground):
    ground.enrol("p5")
    ground.answer("p5", ("prevent", replace(FORECAST, courses=(FAN,))))
    ground.clock.forward(days=31)
    assert "entry" not in derived(ground).json


def test_a_course_needs_the_scope_of_assessments_too(ground):
    assert derived(ground, DERIVED, "p1").status_code == 403
