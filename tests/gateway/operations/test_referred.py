"""A medication that stands in a resource of its own is read, once, and that it was read is on record."""

import pytest

from gateway.operations.referred import LIMIT, Referred
from tests.support import person
from tests.support.site import NOW

STATIN = {
    "resourceType": "Medication",
    "id": "atorvastatin",
    "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "83367"}]},
}
REQUEST = {
    "resourceType": "MedicationRequest",
    "id": "r1",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationReference": {"reference": "Medication/atorvastatin"},
}
BYPASS = {
    "resourceType": "Procedure",
    "id": "bypass",
    "status": "completed",
    "subject": {"reference": "Patient/p1"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "232717009"}]},
    "performedDateTime": "2015-03-02",
}


@pytest.fixture
def prescribed(site):
    """A gateway told of a whole patient and of a request whose medication stands elsewhere."""
    site.ehr.enter(STATIN)
    for resource in (*person.adult("p1", NOW), REQUEST):
        site.tell(site.ehr.enter(resource))
    site.run()
    return site


def used(site):
    (standing,) = site.ehr.all("RiskAssessment")
    return {one["reference"] for one in standing["basis"]}


def test_a_referenced_statin_counts_as_a_statin(prescribed):
    (standing,) = prescribed.ehr.all("RiskAssessment")
    assert "MedicationRequest/r1/_history/1" in used(prescribed)
    assert "could not be read" not in str(standing)


def test_two_requests_read_their_medication_once(prescribed):
    prescribed.clock.advance(minutes=1)
    prescribed.ehr.seen.clear()
    for number in ("r2", "r3"):
        prescribed.tell(prescribed.ehr.enter(REQUEST | {"id": number}))
    prescribed.run()
    assert prescribed.ehr.seen.count(("get", "Medication")) == 1


def test_a_medication_that_may_not_be_read_leaves_the_doubt(site):
    site.ehr.enter(STATIN)
    site.ehr.refuses["get"] = ("Medication/atorvastatin",)
    for resource in (*person.adult("p1", NOW), REQUEST):
        site.tell(site.ehr.enter(resource))
    site.run()
    (standing,) = site.ehr.all("RiskAssessment")
    assert "could not be read" in str(standing)


def test_what_was_read_beside_is_remembered_with_its_version(site):
    site.ehr.enter(STATIN)
    beside = Referred(site.services.hospital(site.hospital_id))
    base = site.ehr.base_url
    wanted = ("Medication/atorvastatin", f"{base}/Medication/atorvastatin", "Medication/absent")
    assert beside.read(wanted).keys() == set(wanted[:2])
    assert beside.seen == ["Medication/atorvastatin/_history/1"] * 2


@pytest.mark.parametrize(
    "reference",
    ["https://elsewhere.example/fhir/Medication/atorvastatin", "Patient/p1", "#a", "../Medication/1"],
)
def test_nothing_else_is_asked_for(site, reference):
    site.ehr.enter(STATIN)
    site.ehr.seen.clear()
    beside = Referred(site.services.hospital(site.hospital_id))
    assert beside.read((reference,)) == {}
    assert site.ehr.seen == []


def test_one_update_asks_for_a_bounded_number(site):
    site.ehr.seen.clear()
    beside = Referred(site.services.hospital(site.hospital_id))
    beside.read(f"Medication/{number}" for number in range(LIMIT + 5))
    beside.read(["Medication/more"])
    assert len(site.ehr.seen) == LIMIT


def test_a_bypass_on_record_ends_primary_prevention(prescribed):
    prescribed.clock.advance(minutes=1)
    prescribed.tell(prescribed.ehr.enter(BYPASS))
    prescribed.run()
    (standing,) = prescribed.ehr.all("RiskAssessment")
    assert "prediction" not in standing
    assert "cardiovascular disease" in str(standing["note"])
