"""The door for notifications: what is taken, what is refused, and that nothing refused does harm."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select

from gateway.app import create
from gateway.operations.catch_up import digest
from gateway.operations.services import Services
from gateway.settings import Settings
from gateway.storage.schema import hospital, inbox, subscription, twin
from gateway.wiring import wire

PATH, SECRET = "an-unguessable-path", "a-secret"
MARK = "Xylophonquadrat"


class Calls:
    """A queue that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def synchronise(self, twin: str, delay: float) -> None:
        self.told.append(("synchronise", twin))

    def resolve(self, hospital: str) -> None:
        self.told.append(("resolve", hospital))

    def catch_up(self, subscription: str) -> None:
        self.told.append(("catch_up", subscription))

    def deliver(self, twin: str) -> None:
        self.told.append(("deliver", twin))

    def enrol(self, hospital: str) -> None:
        self.told.append(("enrol", hospital))


@dataclass
class Door:
    services: Services
    calls: Calls
    client: FlaskClient

    def put(self, body: bytes, path: str = "/Observation/o1", secret: str = SECRET, **options):
        options.setdefault("content_type", "application/fhir+json")
        headers = {"Authorization": f"Bearer {secret}"}
        return self.client.put(f"/notifications/{PATH}{path}", data=body, headers=headers, **options)

    def post(self, body: bytes = b"", **options):
        return self.client.post(
            f"/notifications/{PATH}", data=body, headers={"Authorization": f"Bearer {SECRET}"}, **options
        )

    def count(self, table) -> int:
        with self.services.journal.reading() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    calls = Calls()
    services = wire(Settings(state_dir=tmp_path, tenant="test"), queue=calls)
    with services.journal.transaction() as connection:
        connection.execute(
            insert(hospital).values(
                id="h",
                tenant="test",
                name="ward",
                base_url="http://127.0.0.1:9/fhir",
                policy="deny",
                profile="{}",
                access=b"",
                actors="",
                labels_attested=False,
                created=1,
            )
        )
        connection.execute(
            insert(subscription).values(
                id="s",
                hospital="h",
                channel=digest(PATH),
                secret=digest(SECRET),
                sealed=b"",
                criteria="Observation?",
                status="active",
                caught_up=1,
                checked=1,
            )
        )
    app = create(services)
    yield Door(services, calls, app.test_client())
    services.journal.close()
    services.audit_store.close()


def observation(version: str = "1", value: object = 120, patient: str = "p1", **more) -> bytes:
    resource = {
        "resourceType": "Observation",
        "id": "o1",
        "meta": {"versionId": version},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-01-01T10:00:00Z",
        "valueQuantity": {"value": value, "unit": "mm[Hg]"},
    }
    return orjson.dumps(resource | more)


def test_a_notification_is_on_disk_before_it_is_answered(door):
    assert door.put(observation()).status_code == 200
    assert door.count(inbox) == 1
    assert [name for name, _ in door.calls.told] == ["synchronise"]


def test_a_repetition_is_taken_and_has_no_effect(door):
    answers = [door.put(observation()).status_code for _ in range(19)]
    assert set(answers) == {200}
    assert door.count(inbox) == 1
    assert len(door.calls.told) == 1


def test_a_burst_wakes_an_idle_twin_once(door):
    for version in "123456789":
        door.put(observation(version))
    assert door.count(inbox) == 9
    assert len(door.calls.told) == 1


def test_an_empty_notification_marks_its_subscription_dirty(door):
    assert door.post().status_code == 200
    with door.services.journal.reading() as connection:
        assert connection.execute(select(subscription.c.dirty)).scalar() is not None
    assert door.calls.told == [("catch_up", "s")]


def test_what_names_no_patient_waits_to_be_resolved(door):
    bare = orjson.loads(observation())
    del bare["subject"]
    assert door.put(orjson.dumps(bare)).status_code == 200
    assert door.count(twin) == 0
    assert door.calls.told == [("resolve", "h")]


def test_our_own_resources_never_trigger_us(door):
    own = orjson.loads(observation())
    own["meta"]["source"] = "urn:didymos"
    assert door.put(orjson.dumps(own)).status_code == 200
    assert door.count(inbox) == 0


DEEP = b'{"resourceType":"Observation","id":"o1","extension":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
BAD = {
    "not JSON": (b"<xml>" + MARK.encode(), 400),
    "another resource than the path": (orjson.dumps({"resourceType": "Patient", "id": MARK}), 422),
    "not a resource": (orjson.dumps({"mark": MARK}), 400),
    "a list": (orjson.dumps([MARK]), 400),
    "NaN": (b'{"resourceType":"Observation","id":"o1","valueInteger":NaN}', 400),
    "a number that never ends": (b'{"resourceType":"Observation","id":"o1","v":1e10000000}', 400),
    "deep nesting": (DEEP, 400),
    "5 MB": (b'{"resourceType":"Observation","id":"o1","x":"' + b"a" * 5_000_000 + b'"}', 413),
    "NUL": (b'{"resourceType":"Observation","id":"o1","x":"\\u0000"}', 400),
    "half a surrogate": (b'{"resourceType":"Observation","id":"o1","x":"\\ud800"}', 400),
    "not UTF-8": (b'{"resourceType":"Observation","id":"o1","x":"\xff"}', 400),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_an_outcome_and_leaves_the_journal_alone(door, name, capfd):
    body, status = BAD[name]
    answer = door.put(body)
    assert answer.status_code == status
    assert answer.json["resourceType"] == "OperationOutcome"
    assert answer.json["issue"][0]["diagnostics"]
    assert MARK not in answer.text
    assert MARK not in "".join(capfd.readouterr())
    assert door.count(inbox) == 0


def test_a_wrong_secret_is_refused_and_recorded(door):
    answer = door.put(observation(), secret="another")
    assert answer.status_code == 401
    assert answer.json["issue"][0]["code"] == "login"
    assert door.count(inbox) == 0
    recorded = [entry.operational.detail for entry in door.services.audit.recent(1)]
    assert recorded == ["refused: wrong secret"]


@pytest.mark.parametrize("secret", ["", "\u00e9", "a-secre", "a-secret "])
def test_no_other_secret_opens_the_channel(door, secret):
    headers = {"Authorization": f"Bearer {secret}".encode().decode("latin-1")}
    answer = door.client.put(f"/notifications/{PATH}/Observation/o1", data=observation(), headers=headers)
    assert answer.status_code == 401
    assert door.count(inbox) == 0


def test_an_unknown_channel_is_not_found(door):
    answer = door.client.post("/notifications/guess", data=b"")
    assert answer.status_code == 404
    assert answer.json["resourceType"] == "OperationOutcome"


def test_another_format_is_not_taken(door):
    assert door.put(observation(), content_type="application/fhir+xml").status_code == 415


def test_too_many_waiting_events_ask_the_hospital_to_come_back(tmp_path, door):
    full = Settings(state_dir=tmp_path, tenant="test", backlog_limit=1)
    crowded = create(wire(full, queue=door.calls)).test_client()
    for version in "12":
        door.put(observation(version))
    headers = {"Authorization": f"Bearer {SECRET}"}
    answer = crowded.put(f"/notifications/{PATH}/Observation/o1", data=observation("3"), headers=headers)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert door.count(inbox) == 2
