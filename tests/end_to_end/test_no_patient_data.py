"""A marked patient goes through everything; the marks are then looked for where they must not be."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from gateway.demonstration.events import Step
from gateway.demonstration.run import Director, await_journal, await_quiet
from gateway.demonstration.stage import Stage, staged
from gateway.operations import backfill, catch_up
from gateway.settings import Settings
from gateway.storage.schema import inbox, subscription

ROOT = Path(__file__).parents[2]
PATIENT = "zq-marked-patient-7731"
NAME, STREET, NOTE = "Quetzalmarke", "Zinnoberallee 4711", "Ultramarinbefund"
VALUE = 173.03125
MARKS = [mark.encode() for mark in (PATIENT, NAME, STREET, NOTE, str(VALUE), "zq-marked-observation")]

pytestmark = [
    pytest.mark.peer,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (ROOT / ".ehr").exists(), reason="the third-party EHR is not installed: make .ehr/.ready"
    ),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("marked")
    with staged(Settings(port=1024 + int(np.random.default_rng().integers(40_000))), folder) as running:
        yield running


def patient() -> dict:
    return {
        "resourceType": "Patient",
        "id": PATIENT,
        "name": [{"family": NAME, "given": ["Marta"]}],
        "gender": "female",
        "birthDate": "1966-05-04",
        "address": [{"line": [STREET], "city": "Köln"}],
    }


def observation(number: int, **more: object) -> dict:
    return {
        "resourceType": "Observation",
        "id": f"zq-marked-observation-{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "subject": {"reference": f"Patient/{PATIENT}", "display": NAME},
        "effectiveDateTime": "2026-11-01T10:00:00Z",
        "valueQuantity": {
            "value": VALUE,
            "unit": "mmHg",
            "system": "http://unitsofmeasure.org",
            "code": "mm[Hg]",
        },
        "note": [{"text": NOTE}],
    } | more


BAD = [
    {"effectiveDateTime": "2099-01-01T10:00:00Z"},
    {"valueQuantity": {"value": VALUE, "unit": NOTE, "code": NOTE}},
    {
        "valueQuantity": {
            "value": -VALUE,
            "unit": "mmHg",
            "system": "http://unitsofmeasure.org",
            "code": "mm[Hg]",
        }
    },
    {"status": "entered-in-error"},
]


def abuse(stage: Stage) -> None:
    """Knock at the door with marked nonsense."""
    with stage.services.journal.reading() as connection:
        row = connection.execute(
            subscription.select().where(subscription.c.criteria.startswith("Observation"))
        ).one()
    channel = catch_up.open_channel(stage.services, row.id, row.sealed)
    door = f"{stage.settings.url}/notifications/{channel.path}"
    good = {"Authorization": f"Bearer {channel.secret}", "Content-Type": "application/fhir+json"}
    for body in (f"<{NAME}>", f'{{"resourceType":"{NAME}","id":1e10000000}}', f'["{NAME}"' * 900):
        answer = requests.put(f"{door}/Observation/{PATIENT}", data=body.encode(), headers=good, timeout=30)
        assert answer.status_code in (400, 422), answer.status_code
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert NAME not in answer.text
    wrong = requests.put(
        f"{door}/Observation/{PATIENT}", data=NAME.encode(), headers={"Authorization": NAME}, timeout=30
    )
    assert wrong.status_code == 401


def test_no_mark_stands_in_clear_in_databases_broker_or_logs(stage: Stage) -> None:
    director = Director(stage)
    director.do(Step(0, "", patient()))
    director.do(Step(0, "", observation(0)))
    for number, fault in enumerate(BAD, 1):
        director.do(Step(0, "", observation(number, **fault)))
    await_journal(stage, director)
    abuse(stage)
    await_quiet(stage)
    backfill.from_search(stage.services, stage.hospital_id, lambda *_: None)
    assert seen_by_the_twin(stage), (
        "the marked patient never reached its twin, so the search would prove nothing"
    )
    found = {
        (str(file.relative_to(stage.settings.state_dir)), mark.decode())
        for file in stage.settings.state_dir.rglob("*")
        if file.is_file() and not file.is_socket()
        for mark in MARKS
        if mark in file.read_bytes()
    }
    assert found == set()


def seen_by_the_twin(stage: Stage) -> bool:
    twin = stage.services.twin_id(stage.hospital_id, PATIENT)
    with stage.services.journal.reading() as connection:
        outcomes = connection.execute(inbox.select().where(inbox.c.twin == twin)).all()
    return len(outcomes) >= len(BAD) + 2 and all(row.outcome for row in outcomes)
