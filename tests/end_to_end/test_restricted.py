"""Against an EHR without Subscriptions, versions and RiskAssessment: polled, and assessments kept here."""

from __future__ import annotations

import os
import subprocess
import sys

import orjson
import pytest

from fhir_mapping import risk_assessment
from gateway import jose
from gateway.operations import assess, backfill, registry
from gateway.operations.registry import Access, Registration
from gateway.operations.site_key import public_jwks
from gateway.wiring import connect, utc_now, wire
from tests.peers import restricted_ehr
from tests.support import person
from tests.support import site as sites
from tests.support.databases import dispose_files
from tests.support.held_queue import HeldQueue
from tests.support.site import Clock, Site

SEARCHED = ("identifier", "patient", "subject", "_id", "_count")
KEY = jose.generate_key()


@pytest.fixture
def closed_ehr():
    with restricted_ehr.running(jose.public_jwks(KEY)) as ehr:
        yield ehr


@pytest.fixture
def creating_ehr():
    """The same, but RiskAssessment may be created under ids of the EHR."""
    with restricted_ehr.running(jose.public_jwks(KEY), extra={"RiskAssessment": SEARCHED}) as ehr:
        yield ehr


@pytest.fixture
def gateway_of(tmp_path):
    def join(ehr):
        clock, queue = Clock(utc_now()), HeldQueue()
        chosen = sites.settings(tmp_path, hospital_timeout=1.0)
        services = wire(chosen, clock=clock, queue=queue)
        access = Access(restricted_ehr.CLIENT, KEY)
        link = connect(chosen, ehr.base_url, access, utc_now)
        registration = Registration("closed", ehr.base_url, access, sites.POLICY, frozenset())
        identifier, profile = registry.register(services, registration, link)
        assert profile.sync == "polling"
        assert registry.subscribe(services, identifier) == 0
        return Site(services, queue, clock, identifier, None)

    yield join
    dispose_files(tmp_path)


def admit(ehr, gateway, patient="p1"):
    for resource in person.adult(patient, gateway.clock()):
        ehr.add(resource)
    known = gateway.services.hospital(gateway.hospital_id)
    backfill.enrol(gateway.services, known, [patient])
    gateway.clock.advance(seconds=20)
    gateway.sweep()


def made(gateway, patient="p1"):
    """Return PREVENT's assessment as it stands here."""
    return assess.opened(gateway.services, gateway.assessments(patient)["prevent"])


def measure(ehr, gateway, name, value):
    gateway.clock.advance(seconds=gateway.services.settings.poll_interval + 1)
    return ehr.add(person.cholesterol(name, "p1", value, gateway.clock()))


def test_twin_stays_current_by_polling(closed_ehr, gateway_of):
    gateway = gateway_of(closed_ehr)
    admit(closed_ehr, gateway)
    before = gateway.assessments("p1")["prevent"]
    measure(closed_ehr, gateway, "new", 290)
    gateway.sweep()
    assert gateway.assessments("p1")["prevent"].version == before.version + 1
    assert any("Observation/new/_history/sha256-" in each for each in risk_assessment.basis(made(gateway)))


def test_assessment_is_kept_here_and_not_written(closed_ehr, gateway_of):
    gateway = gateway_of(closed_ehr)
    admit(closed_ehr, gateway)
    assert gateway.deliveries() == {"kept": 1}
    assert {method for method, path, _ in closed_ehr.seen if "token" not in path} == {"GET"}
    assert len(made(gateway)["prediction"]) == 10


def test_poll_that_finds_nothing_new_writes_nothing(closed_ehr, gateway_of):
    gateway = gateway_of(closed_ehr)
    admit(closed_ehr, gateway)
    version = gateway.assessments("p1")["prevent"].version
    gateway.clock.advance(seconds=gateway.services.settings.poll_interval + 1)
    assert gateway.sweep() == 1
    assert gateway.assessments("p1")["prevent"].version == version


def test_value_changed_in_place_is_found_by_its_content(closed_ehr, gateway_of):
    gateway = gateway_of(closed_ehr)
    admit(closed_ehr, gateway)
    measure(closed_ehr, gateway, "new", 290)
    gateway.sweep()
    version = gateway.assessments("p1")["prevent"].version
    measure(closed_ehr, gateway, "new", 210)
    gateway.sweep()
    assert gateway.assessments("p1")["prevent"].version == version + 1


def test_deletion_is_found_by_reconciliation(closed_ehr, gateway_of):
    gateway = gateway_of(closed_ehr)
    admit(closed_ehr, gateway)
    closed_ehr.store["Observation"].pop("p1-smoking")
    gateway.clock.advance(seconds=gateway.services.settings.reconcile_interval + 1)
    gateway.sweep()  # the poll that is due as well comes first
    gateway.sweep()
    assert not gateway.assessments("p1")["prevent"].live


def test_withdrawal_is_found_by_polling(closed_ehr, gateway_of):
    gateway = gateway_of(closed_ehr)
    admit(closed_ehr, gateway)
    closed_ehr.add(person.denial("c1", "p1", gateway.clock()))
    gateway.clock.advance(seconds=gateway.services.settings.poll_interval + 1)
    gateway.sweep()
    assert gateway.twin("p1").state == "denied"


def standing(ehr):
    return list(ehr.store.get("RiskAssessment", {}).values())


def later(gateway, **duration):
    gateway.clock.advance(**duration)
    gateway.sweep()


def test_post_that_timed_out_is_reconciled_and_not_doubled(creating_ehr, gateway_of):
    gateway = gateway_of(creating_ehr)
    creating_ehr.faults.hold_posts = True
    admit(creating_ehr, gateway)
    assert gateway.deliveries() == {"parked": 1}
    assert len(standing(creating_ehr)) == 1
    creating_ehr.faults.hold_posts = False
    later(gateway, minutes=1)
    assert gateway.deliveries() == {"confirmed": 1}
    assert len(standing(creating_ehr)) == 1
    assert len(creating_ehr.requests("POST", "/RiskAssessment")) == 1


def test_newer_version_does_not_double_a_post_that_timed_out(creating_ehr, gateway_of):
    gateway = gateway_of(creating_ehr)
    creating_ehr.faults.hold_posts = True
    admit(creating_ehr, gateway)
    creating_ehr.faults.hold_posts = False
    measure(creating_ehr, gateway, "new", 290)
    gateway.sweep()
    later(gateway, minutes=10)
    assert len(standing(creating_ehr)) == 1
    assert len(creating_ehr.requests("POST", "/RiskAssessment")) == 1


def test_second_backfill_creates_nothing(creating_ehr, gateway_of):
    gateway = gateway_of(creating_ehr)
    admit(creating_ehr, gateway)
    backfill.from_search(gateway.services, gateway.hospital_id, lambda *_: None)
    gateway.run()
    assert len(standing(creating_ehr)) == 1
    assert len(creating_ehr.requests("POST", "/RiskAssessment")) == 1


KINDS = ("Patient", "Consent", "Observation", "Condition", "MedicationRequest", "Procedure")
READ = " ".join((*(f"system/{kind}.rs" for kind in KINDS), "system/Medication.r"))


@pytest.fixture
def didymos(closed_ehr, tmp_path):
    """The command itself, known to the EHR."""
    chosen = sites.settings(tmp_path)
    closed_ehr.jwks.update(public_jwks(wire(chosen, queue=HeldQueue())))

    def run(*arguments):
        command = [sys.executable, "-m", "gateway.cli", *arguments]
        environment = {**os.environ, **chosen.environment()}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    yield run
    dispose_files(tmp_path)


def connected(didymos, ehr):
    return didymos(
        "connect", "closed", ehr.base_url, "--client-id", restricted_ehr.CLIENT, "--policy", sites.POLICY
    )


def test_an_ehr_that_grants_only_reading_is_used_and_assessments_are_kept_here(closed_ehr, didymos):
    closed_ehr.faults.grant = READ
    for resource in person.adult("p1", utc_now()):
        closed_ehr.add(resource)
    said = connected(didymos, closed_ehr)
    assert said.returncode == 0, said.stderr
    assert "MedicationAdministration is not granted" in said.stdout + said.stderr
    assert didymos("backfill", "closed").returncode == 0
    listed = didymos("twin", "list").stdout.split()
    assert listed[1:3] == ["closed", "current"]
    shown = didymos("twin", "show", listed[0])
    assert [each["state"] for each in orjson.loads(shown.stdout)["deliveries"]] == ["kept"]


def test_connect_names_what_an_ehr_does_not_grant(closed_ehr, didymos):
    closed_ehr.faults.grant = READ.replace("system/Consent.rs", "")
    said = connected(didymos, closed_ehr)
    assert said.returncode == 1
    assert "did not grant system/Consent.rs; its administrator must add" in said.stderr


def test_new_patients_of_a_polled_ehr_are_found(closed_ehr, gateway_of):
    gateway = gateway_of(closed_ehr)
    admit(closed_ehr, gateway)
    for resource in person.adult("p2", gateway.clock()):
        closed_ehr.add(resource)
    gateway.clock.advance(seconds=gateway.services.settings.reconcile_interval + 1)
    gateway.sweep()
    assert gateway.twin("p2").state == "current"
    searches = len(closed_ehr.requests("GET", "/Patient"))
    gateway.clock.advance(seconds=10)
    gateway.sweep()
    assert len(closed_ehr.requests("GET", "/Patient")) == searches


def test_a_search_for_new_patients_that_failed_is_tried_again(closed_ehr, gateway_of):
    gateway = gateway_of(closed_ehr)
    for resource in person.adult("p2", gateway.clock()):
        closed_ehr.add(resource)
    gateway.clock.advance(seconds=gateway.services.settings.reconcile_interval + 1)
    closed_ehr.faults.foreign_next = "https://elsewhere.example/"
    gateway.sweep()
    closed_ehr.faults.foreign_next = None
    gateway.clock.advance(seconds=601)
    gateway.sweep()
    assert gateway.twin("p2").state == "current"


def test_connect_prints_what_works_and_what_falls_back(closed_ehr, tmp_path):
    chosen = sites.settings(tmp_path)
    services = wire(chosen, queue=HeldQueue())
    closed_ehr.jwks.update(public_jwks(services))
    command = [sys.executable, "-m", "gateway.cli", "connect", "closed", closed_ehr.base_url]
    command += ["--client-id", restricted_ehr.CLIENT, "--policy", sites.POLICY]
    environment = {**os.environ, **chosen.environment()}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "Restricted EHR" in said.stdout
    assert "no Subscriptions; patients are polled" in said.stdout
    assert "the EHR takes no RiskAssessment" in said.stdout
    assert "no _lastUpdated on Observation" in said.stdout
    assert "0 Subscriptions stand" in said.stdout
    dispose_files(tmp_path)
