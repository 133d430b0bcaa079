"""The whole path over HTTP against a third-party EHR, also after the gateway was away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from fhir_mapping import risk_assessment
from gateway.operations.inspection import verify
from gateway.storage.schema import inbox
from tests.peers.sekmet import running
from tests.support import person
from tests.support import site as sites
from tests.support.databases import dispose_files
from tests.support.hospitals import entering, joined, listening, subscribed
from tests.support.waiting import eventually

pytestmark = pytest.mark.peer


class Running(sites.Clock):
    """The true time, moved ahead by what a test adds: the EHR stamps with its own clock."""

    def __init__(self):
        self._ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self._ahead

    def advance(self, **duration):
        self._ahead += timedelta(**duration)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def chosen(request, tmp_path, unused_port):
    """Settings on each database."""
    if request.param == "sqlite":
        yield sites.settings(tmp_path, port=unused_port)
        dispose_files(tmp_path)
        return
    with request.getfixturevalue("postgres").migrated() as url:
        yield sites.settings(tmp_path, url, port=unused_port)


@pytest.fixture
def gateway(chosen, sekmet):
    """A gateway whose Subscriptions stand in the EHR."""
    made = joined(chosen, sekmet, Running())
    with subscribed(made):
        yield made


@pytest.fixture
def hospital(sekmet):
    return entering(sekmet)


@pytest.fixture
def name(request):
    """An id that no other test of this EHR uses."""
    return f"p-{abs(hash(request.node.nodeid)):x}"


def heard(gateway, patient):
    """Return how many events of one patient are journaled."""
    query = select(func.count()).where(inbox.c.twin == gateway.twin_id(patient))
    with gateway.services.journal.reading() as connection:
        return connection.execute(query).scalar_one()


def standing(gateway, hospital, patient):
    """Return PREVENT's assessment as the hospital reads it."""
    made = gateway.assessments(patient).get("prevent")
    return hospital.read("RiskAssessment", made.id) if made else None


def test_what_the_hospital_writes_comes_back_as_an_assessment(gateway, hospital, name):
    now = gateway.clock()
    everything = person.adult(name, now)
    with listening(gateway):
        for resource in everything:
            hospital.put(resource)
        eventually(lambda: heard(gateway, name) == len(everything))
        gateway.run()
        assert f"Observation/{name}-cholesterol/_history/1" in risk_assessment.basis(
            standing(gateway, hospital, name)
        )
        hospital.put(person.cholesterol(f"{name}-new", name, 281, now))
        eventually(lambda: heard(gateway, name) == len(everything) + 1)
        gateway.run()
    assert f"Observation/{name}-new/_history/1" in risk_assessment.basis(standing(gateway, hospital, name))
    assert standing(gateway, hospital, name)["meta"]["versionId"] == "2"
    assert "waiting" not in gateway.outcomes()
    assert verify(gateway.services).ok


def test_gateway_that_was_down_loses_nothing(chosen, tmp_path, name):
    with running(tmp_path / "ehr") as ehr:  # its hooks go on trying a dead address after this test
        gateway = joined(chosen, ehr, Running())
        with subscribed(gateway):
            write_to_nobody_then_start(gateway, entering(ehr), name)


def write_to_nobody_then_start(gateway, hospital, name):
    now = gateway.clock()
    for resource in person.adult(name, now):
        hospital.put(resource)
    for number in range(13):
        at = now - timedelta(hours=13 - number)
        hospital.put(person.cholesterol(f"{name}-{number}", name, 200 + number, at))
    eventually(lambda: statuses(gateway) >= {"error"})
    assert heard(gateway, name) == 0
    gateway.clock.advance(seconds=61)
    with listening(gateway):
        gateway.sweep()
        gateway.clock.advance(seconds=61)
        gateway.sweep()
        eventually(lambda: statuses(gateway) <= {"active", "requested"})
    mine = heard(gateway, name)
    assert mine >= 20
    assert "waiting" not in gateway.outcomes()
    assert f"Observation/{name}-12/_history/1" in risk_assessment.basis(standing(gateway, hospital, name))


def statuses(gateway):
    """Return the states of our Subscriptions as they stand in the EHR."""
    connection = gateway.services.hospital(gateway.hospital_id).connection
    kinds = ("Patient", "Observation")
    ids = [gateway.subscription(kind).remote_id for kind in kinds]
    return {connection.get("Subscription", one).resource["status"] for one in ids}


def test_subscription_that_was_removed_is_registered_again(gateway, hospital, sekmet, name):
    before = gateway.subscription("Consent").remote_id
    sekmet.delete("Subscription", before)
    gateway.clock.advance(seconds=61)
    with listening(gateway):
        gateway.sweep()
        after = gateway.subscription("Consent").remote_id
        assert after != before
        hospital.put(person.patient(name))
        hospital.put(person.denial(f"{name}-consent", name, gateway.clock()))
        eventually(lambda: heard(gateway, name) == 2)
        gateway.run()
    assert gateway.twin(name).state == "denied"


def test_what_told_nobody_is_found_by_reconciliation(gateway, hospital, sekmet, name):
    with listening(gateway):
        everything = person.adult(name, gateway.clock())
        for resource in everything:
            hospital.put(resource)
        eventually(lambda: heard(gateway, name) == len(everything))
        gateway.run()
        assert "prediction" in standing(gateway, hospital, name)
        sekmet.delete("Observation", f"{name}-smoking")
        reconcile(gateway, name)
        assert "prediction" not in standing(gateway, hospital, name)
        hospital.put(everything[-1])
        eventually(lambda: heard(gateway, name) == len(everything) + 1)
        gateway.run()
        assert "prediction" in standing(gateway, hospital, name)
        sekmet.delete("Subscription", gateway.subscription("Consent").remote_id)
        hospital.put(person.denial(f"{name}-consent", name, gateway.clock()))
        reconcile(gateway, name)
    assert gateway.twin(name).state == "denied"
    assert "prediction" not in standing(gateway, hospital, name)


def reconcile(gateway, name):
    """Let the day of the next full reading come for one twin alone."""
    gateway.change_twin(name, reconciled=0)
    gateway.sweep()
