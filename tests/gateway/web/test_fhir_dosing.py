"""Dosing proposals are shown where a named person switched them on, to who may know, and not for long."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from fhir_mapping import proposal
from gateway.cli import main
from gateway.errors import BadRequest
from gateway.operations import dosing
from gateway.operations.dosing import turn
from gateway.operations.switches import Word
from gateway.operations.switches import turn as turn_model
from tests.fhir_mapping.validators import accepted_by_all
from tests.gateway.web.fhir_ground import KEY, NOW, Ground, consent
from twin_engine import store
from twin_engine.models.glucose.record import FAST, SENSOR
from twin_engine.store import EvidenceRecord, Snapshot
from twin_engine.twin import Condition, Dose, Forecast, Measurement, Subject

SCOPES = ("system/RiskAssessment.rs", "system/MedicationRequest.s")
ALL = " ".join(SCOPES)
MODEL = "type-1-diabetes"
FORECAST = Forecast("hypoglycaemia", NOW, NOW + timedelta(minutes=30), (), (), "Because.")
ADULT = Subject("female", (NOW - timedelta(days=365 * 40)).date(), False, "Patient/p1/_history/1")
DIAGNOSED = Condition("type-1-diabetes", "Condition/1/_history/1", True)


def trace(level, rate):
    """Return six hours of readings that end at ``level`` mg/dL after half an hour at ``rate`` mg/dL/min."""
    for n in range(72):
        value = level - rate * 5 * min(n, 6)
        time = NOW - timedelta(minutes=5 * n + 1)
        yield Measurement(SENSOR, time, f"Observation/g{n}/_history/1", value)


def pump():
    """Return a day of a pump at 0.9 U/h."""
    yield Dose(FAST, NOW - timedelta(hours=24), "MedicationAdministration/b/_history/1", 0.9 * 24, NOW)


LOW = (DIAGNOSED, *trace(75.0, -1.0), *pump())


class Dosing(Ground):
    """A ground whose client may ask for proposals, with a twin of p1 whose glucose is low."""

    def __init__(self, folder):
        super().__init__(folder)
        self.client_id = self.register("dosing", KEY, SCOPES)
        self.enrol("p1")
        self.know("p1", LOW)

    def know(self, patient, items):
        twin, services = self.services.twin_id(self.hospital, patient), self.services
        records = (
            EvidenceRecord(f"Patient/{patient}", "1", None, "0" * 64, subject=ADULT),
            EvidenceRecord("Observation/all", "1", None, "0" * 64, items=tuple(items)),
        )
        snapshot = Snapshot(MODEL, "1", "sha256:0", 1, NOW, NOW, "0" * 32, b"", (FORECAST,))
        with services.journal.transaction() as connection:
            for number, record in enumerate(records):
                store.put_evidence(connection, services.vault, twin, record, key=f"k{number}", known=NOW)
            store.append_snapshot(connection, services.vault, twin, snapshot)

    def turn(self, state, hospital=None):
        where = self.hospital if hospital is None else hospital
        turn(self.services, state, where, "Dr A. Person", "study 7")

    def ask(self, patient="p1", scope=ALL):
        return self.get(f"/fhir/MedicationRequest?patient={patient}", scope=scope)

    def entries(self, patient="p1"):
        found = self.ask(patient)
        assert found.status_code == 200, found.data
        return found.json.get("entry", [])

    def state(self):
        with self.services.journal.reading() as connection:
            return dosing.switch(connection, self.services, self.hospital, MODEL)


@pytest.fixture
def ground(tmp_path):
    built = Dosing(tmp_path)
    yield built
    built.close()


def test_nothing_is_proposed_until_a_person_switches_it_on(ground):
    assert ground.state().said == "off by default"
    assert ground.entries() == []
    ground.turn("on")
    assert ground.state().said == "on since 2026-03-01 12:00Z by Dr A. Person: study 7"
    assert len(ground.entries()) == 1


def test_a_proposal_is_a_draft_that_runs_out_in_minutes_and_orders_nothing(ground):
    ground.turn("on")
    [entry] = ground.entries()
    shown = entry["resource"]
    assert accepted_by_all(shown)
    assert (shown["resourceType"], shown["status"], shown["intent"]) == (
        "MedicationRequest",
        "draft",
        "proposal",
    )
    assert shown["doNotPerform"] is True
    assert "Research use only. Not for treatment." in shown["reasonCode"][0]["text"]
    period = shown["dispenseRequest"]["validityPeriod"]
    assert period == {"start": "2026-03-01T12:00:00.000000Z", "end": "2026-03-01T12:10:00.000000Z"}
    assert any("No bolus above 10 U" in note["text"] for note in shown["note"])
    assert proposal.read(shown).proposal.amount == pytest.approx(0.9)


def test_what_is_proposed_is_in_the_log_before_it_is_shown(ground):
    ground.turn("on")
    [entry] = ground.entries()
    [(outcome, _, detail, resources)] = ground.events("disclosure")
    assert (outcome, detail) == ("success", "1 MedicationRequest")
    assert resources == (f"MedicationRequest/{entry['resource']['id']}",)
    headers = ground.bearer(scope=ALL)
    asked = ground.without_audit().get("/fhir/MedicationRequest?patient=p1", headers=headers)
    assert asked.status_code == 503


def test_a_model_that_will_not_propose_says_why(ground):
    ground.turn("on")
    ground.clock.forward(minutes=12)
    [entry] = ground.entries()
    assert entry["search"] == {"mode": "outcome"}
    assert entry["resource"]["resourceType"] == "OperationOutcome"
    assert "older than 10 minutes" in str(entry["resource"]["issue"])


@pytest.mark.parametrize("where", [None, ""])
def test_the_switch_off_holds_from_the_next_question_on(ground, where):
    ground.turn("on")
    ground.turn("off", where)
    assert ground.entries() == []
    assert ground.state().state == "off"
    ground.turn("on")
    assert len(ground.entries()) == 1


def test_it_is_switched_on_at_one_hospital_and_not_at_another(ground):
    other = ground.hospital_at("clinic", "https://clinic.example/fhir")
    ground.turn("on", other)
    assert ground.entries() == []


@pytest.mark.parametrize("state", ["silent", "off"])
def test_a_model_that_is_not_on_proposes_nothing(ground, state):
    ground.turn("on")
    turn_model(ground.services, Word(MODEL, state, "A. Person", "a recall"))
    assert ground.entries() == []


def test_who_may_not_know_is_proposed_nothing(ground):
    ground.turn("on")
    ground.enrol("p2", [consent("deny")])
    ground.know("p2", LOW)
    assert ground.entries("p2") == []


@pytest.mark.parametrize("scope", SCOPES)
def test_both_scopes_are_needed(ground, scope):
    assert ground.ask(scope=scope).status_code == 403


def test_who_says_it_and_why_stands_in_the_audit_log(ground):
    ground.turn("on")
    ground.turn("off", "")
    said = [detail for _, _, detail, _ in ground.events("policy") if detail.startswith("dosing")]
    assert said == [
        f"dosing by {MODEL} on at {ground.hospital} by Dr A. Person: study 7",
        f"dosing by {MODEL} off at every EHR by Dr A. Person: study 7",
    ]


@pytest.mark.parametrize(
    ("state", "where", "by", "reason"),
    [
        ("on", "", "who", "why"),
        ("on", "ward", " ", "why"),
        ("off", "ward", "who", ""),
        ("off", "", "who", "x" * 201),
    ],
)
def test_a_word_needs_a_name_a_reason_and_a_place(ground, state, where, by, reason):
    with pytest.raises(BadRequest):
        turn(ground.services, state, where, by, reason)
    assert ground.state().said == "off by default"


def test_another_version_of_the_model_is_off_again(ground):
    ground.turn("on")
    model = ground.services.models[MODEL]
    with ground.services.journal.reading() as connection:
        newer = type(model)(card=type(model.card)(**{**as_fields(model.card), "version": "99"}))
        services = type(ground.services)(**{**as_fields(ground.services), "models": {MODEL: newer}})
        assert dosing.switch(connection, services, ground.hospital, MODEL).state == "off"


def as_fields(value):
    return {name: getattr(value, name) for name in value.__match_args__}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["on", "--hospital", "ward", "--by", "Dr A", "--reason", "study 7"],
            "dosing proposals are on at ward",
        ),
        (["off", "--by", "Dr A", "--reason", "over"], "dosing proposals are off everywhere"),
        (["list"], "off by default"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else None,
)
def test_the_command_is_understood(ground, words, said):
    answered = CliRunner().invoke(main, ["dosing", *words], env=ground.settings.environment())
    assert (answered.exit_code, answered.exception) == (0, None)
    assert said in answered.output
