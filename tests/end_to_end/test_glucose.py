"""A person with type 1 diabetes, from what sensor and pump write to what the twin says, over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import numpy as np
import orjson
import pytest
import requests

from fhir_mapping import course_observation, risk_assessment
from gateway import jose
from gateway.demonstration.ehr import EhrUnavailable, installed
from gateway.demonstration.events import events
from gateway.demonstration.hospital import BackendToken
from gateway.demonstration.reckoning import reckon
from gateway.demonstration.run import Director, await_journal, await_quiet
from gateway.demonstration.stage import staged
from gateway.operations import clients, tokens
from gateway.settings import Settings
from gateway.wiring import utc_now
from tests.fhir_mapping.validators import accepted_by_all

SCOPES = ("system/RiskAssessment.rs", "system/Observation.rs")
OLGA = "Patient/demo-olga"
STEPS = 25  # a reading of the sensor and a meal are among them
MOST_BASIS = 600  # references: 300 readings, and as many doses and meals
LARGEST = 100_000  # bytes

pytestmark = [pytest.mark.peer, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    try:
        installed()
    except EhrUnavailable as missing:
        pytest.skip(str(missing))
    with staged(Settings(), tmp_path_factory.mktemp("demo")) as running:
        director = Director(running)
        for step in islice(events(running.patients, np.random.default_rng(5), utc_now), STEPS):
            director.do(step)
        await_journal(running, director)
        await_quiet(running)
        assert reckon(running, director.written).faults == []
        yield running


@pytest.fixture(scope="module")
def told(stage):
    """Every assessment of the person by its first outcome, as the hospital reads it back."""
    found = [each for each in stage.client.search("RiskAssessment") if each["subject"]["reference"] == OLGA]
    return {each["prediction"][0]["outcome"]["text"]: each for each in found if each.get("prediction")}


@pytest.fixture(scope="module")
def ask(stage):
    """Ask the gateway as a registered backend system does."""
    key = jose.generate_key()
    client_id = clients.register(stage.services, "analytics", jose.public_jwks(key), SCOPES)
    token = BackendToken(tokens.token_url(stage.services), client_id, key, " ".join(SCOPES), utc_now)

    def asked(method, path, **more):
        headers = {"Authorization": f"Bearer {token()}", "Content-Type": "application/fhir+json"}
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, f"{stage.settings.url}/fhir/{path}", headers=headers, timeout=60, **more
            )

    return asked


def low(told):
    return told["Glucose below 70 mg/dL for 15 minutes within 8 hours"]


def test_the_chance_of_low_glucose_stands_in_the_ehr(told):
    resource = low(told)
    assert resource["status"] in {"final", "amended"}
    assert len(resource["prediction"]) == 8
    assert accepted_by_all(resource)
    ends = [datetime.fromisoformat(each["whenPeriod"]["end"]) for each in resource["prediction"]]
    assert max(ends) - min(ends) == timedelta(hours=7.5)
    assert len(orjson.dumps(resource)) < LARGEST


def test_it_rests_on_the_newest_readings_doses_and_meals_and_says_what_is_not_listed(told):
    basis = risk_assessment.basis(low(told))
    kinds = {one.split("/")[0] for one in basis}
    assert {"Observation", "MedicationAdministration", "Condition", "Patient"} <= kinds
    assert any("demo-olga-live" in one and one.startswith("Observation/") for one in basis)
    assert len(basis) <= MOST_BASIS
    notes = " ".join(each["text"] for each in low(told)["note"])
    assert "of which the newest 300 are listed" in notes
    assert "Not for treatment" in notes


def test_high_glucose_and_control_are_assessed_too(told):
    assert "Glucose above 180 mg/dL for 15 minutes within 8 hours" in told
    assert "Severe hypoglycaemia within 6 months" in told


def test_the_course_is_shown_as_an_observation(ask):
    answer = ask("GET", f"Observation?patient={OLGA}")
    assert answer.status_code == 200
    found = [entry["resource"] for entry in answer.json()["entry"]]
    assert all(accepted_by_all(each) for each in found)
    courses = [each for each in found if "valueSampledData" in each or each.get("component")]
    course = course_observation.read(courses[0]).value
    assert course.signal == "interstitial-glucose"
    assert len(course.times) == 96


def test_a_meal_with_its_bolus_can_be_tried(ask, told):
    def tried(*doses):
        parameter = [{"name": "hours", "valueDecimal": 4}, *doses]
        answer = ask(
            "POST",
            f"RiskAssessment/{low(told)['id']}/$simulate",
            json={"resourceType": "Parameters", "parameter": parameter},
        )
        assert answer.status_code == 200, answer.text
        course = next(each for each in answer.json()["parameter"] if each["name"] == "course")
        return course_observation.read(course["resource"]).value.median()[-1]

    bolus = {
        "name": "dose",
        "part": [
            {"name": "substance", "valueCode": "fast-acting-insulin"},
            {"name": "amount", "valueDecimal": 5},
        ],
    }
    assert tried(bolus) < tried()
