"""Against an EHR that speaks FHIR R5: what is read is understood as in R4, what is written is R5."""

from __future__ import annotations

import pytest
from fhir.resources.riskassessment import RiskAssessment
from fhir.resources.subscription import Subscription

from gateway.hospitals.errors import BadAnswer
from gateway.operations import backfill, registry
from gateway.operations.registry import Access, Registration
from gateway.wiring import connect, utc_now, wire
from tests.peers import r5_ehr
from tests.support import person
from tests.support import site as sites
from tests.support.databases import dispose_files
from tests.support.held_queue import HeldQueue
from tests.support.site import Clock, Site

ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


@pytest.fixture
def gateway_of(tmp_path):
    def join(ehr):
        clock, queue = Clock(utc_now()), HeldQueue()
        chosen = sites.settings(tmp_path)
        services = wire(chosen, clock=clock, queue=queue)
        link = connect(chosen, ehr.base_url, Access(), utc_now)
        registration = Registration("r5", ehr.base_url, Access(), sites.POLICY, frozenset())
        identifier, _ = registry.register(services, registration, link)
        registry.subscribe(services, identifier)
        return Site(services, queue, clock, identifier, None)

    yield join
    dispose_files(tmp_path)


@pytest.fixture
def ehr():
    with r5_ehr.running() as served:
        yield served


def admit(ehr, gateway):
    for resource in person.adult("p1", gateway.clock()):
        ehr.enter(resource)
    known = gateway.services.hospital(gateway.hospital_id)
    backfill.enrol(gateway.services, known, ["p1"])
    gateway.clock.advance(seconds=20)
    gateway.sweep()


def tell(ehr, gateway, resource, number=1):
    told = ehr.notification(ehr.enter(resource), number)
    gateway.deliver(resource["resourceType"], body=told)
    gateway.clock.advance(seconds=5)
    gateway.run()


def directive(decision, **parts):
    return {
        "resourceType": "Consent",
        "id": "c1",
        "status": "active",
        "category": [{"coding": [{"system": ACT_CODE, "code": "IDSCL"}]}],
        "subject": {"reference": "Patient/p1"},
        "date": "2026-02-01",
        "decision": decision,
        **parts,
    }


def prevent(ehr):
    return [each for each in ehr.all("RiskAssessment") if each["method"]["coding"][0]["code"] == "prevent"]


def test_what_is_written_is_r5(ehr, gateway_of):
    gateway = gateway_of(ehr)
    admit(ehr, gateway)
    (written,) = prevent(ehr)
    RiskAssessment.model_validate(written)
    assert written["contained"][0]["name"][0]["value"]
    assert set(gateway.deliveries()) == {"confirmed"}


def test_a_subscription_stands_on_a_topic_of_the_ehr(ehr, gateway_of):
    gateway = gateway_of(ehr)
    standing = {each["topic"]: Subscription.model_validate(each) for each in ehr.all("Subscription")}
    observed = standing[f"{r5_ehr.TOPICS}/Observation"]
    assert (observed.channelType.code, observed.content) == ("rest-hook", "full-resource")
    assert observed.parameter[0].name == "Authorization"
    assert {each.filterParameter for each in observed.filterBy} == {"code"}
    before = len(ehr.seen)
    registry.subscribe(gateway.services, gateway.hospital_id)
    assert not [method for method, _ in ehr.seen[before:] if method in ("PUT", "POST")]


def test_a_notification_of_r5_updates_the_twin(ehr, gateway_of):
    gateway = gateway_of(ehr)
    admit(ehr, gateway)
    before = gateway.assessments("p1")["prevent"].version
    tell(ehr, gateway, person.cholesterol("new", "p1", 290, gateway.clock()))
    assert gateway.assessments("p1")["prevent"].version == before + 1
    assert prevent(ehr)[0]["meta"]["versionId"] == "2"


def test_a_medication_of_r5_counts(ehr, gateway_of):
    gateway = gateway_of(ehr)
    admit(ehr, gateway)
    before = prevent(ehr)[0]["prediction"][0]["probabilityDecimal"]
    statin = person.statin("m1", "p1", gateway.clock())
    statin["medication"] = {"concept": statin.pop("medicationCodeableConcept")}
    tell(ehr, gateway, statin)
    assert prevent(ehr)[0]["prediction"][0]["probabilityDecimal"] != before


def test_a_denial_of_r5_denies_and_a_permission_permits_again(ehr, gateway_of):
    gateway = gateway_of(ehr)
    admit(ehr, gateway)
    tell(ehr, gateway, directive("deny"))
    assert gateway.twin("p1").state == "denied"
    tell(ehr, gateway, directive("permit"), 2)
    assert gateway.twin("p1").state == "current"


def test_a_consent_of_r5_that_r4_cannot_say_denies(ehr, gateway_of):
    gateway = gateway_of(ehr)
    admit(ehr, gateway)
    expression = {"language": "text/fhirpath", "expression": "true"}
    tell(ehr, gateway, directive("permit", provision=[{"expression": expression}]))
    assert gateway.twin("p1").state == "denied"


def test_a_statement_that_cannot_be_read_leaves_a_doubt_and_not_a_silence(ehr, gateway_of):
    gateway = gateway_of(ehr)
    admit(ehr, gateway)
    statement = {
        "resourceType": "MedicationStatement",
        "id": "m1",
        "status": "recorded",
        "subject": {"reference": "Patient/p1"},
        "medication": {"concept": person.statin("x", "p1", gateway.clock())["medicationCodeableConcept"]},
        "adherence": {"code": {"coding": [{"system": ADHERENCE, "code": "taking"}]}},
        "effectiveTiming": {"event": ["2026-01-01"]},
    }
    tell(ehr, gateway, statement)
    assert not gateway.assessments("p1")["prevent"].live


def test_without_topics_the_ehr_is_polled_and_connect_says_so(gateway_of):
    with r5_ehr.running(topics=("Observation", "Patient")) as ehr:
        gateway = gateway_of(ehr)
        profile = gateway.services.hospital(gateway.hospital_id).profile
        assert (profile.sync, profile.release) == ("polling", "R5")
        assert any("no topic tells of every change of Consent, Condition" in note for note in profile.notes)
        assert ehr.all("Subscription") == []
        admit(ehr, gateway)
        assert prevent(ehr)


@pytest.mark.parametrize("version", ["3.0.2", "5.0.0-ballot", "6.0.0", ""])
def test_an_unknown_release_is_not_connected(gateway_of, version):
    with r5_ehr.running(version) as ehr, pytest.raises(BadAnswer, match="R4, R4B or R5"):
        gateway_of(ehr)
