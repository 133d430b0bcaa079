"""The command line opens patients' data only where consent permits it, and says so in the audit log."""

from __future__ import annotations

import pytest

from fhir_mapping import consent
from gateway.operations import inspection
from gateway.operations.directives import recall
from gateway.operations.inspection import Quarantine, quarantined
from tests.support import person
from tests.support.site import NOW


def admit(site, patient):
    """Enter a patient with one result that no model can use."""
    wrong = person.cholesterol(f"{patient}-wrong", patient, -3, NOW)
    for resource in (person.patient(patient), wrong):
        site.tell(site.ehr.enter(resource))
    site.run()


def entries(site):
    log = site.services.audit
    return [
        (entry.leaf.kind, entry.personal.subject if entry.personal else None)
        for entry in log.entries(0, log.size_and_root()[0])
    ]


RECORDED = ("consent-decision", "twin-read")


@pytest.fixture
def listed(site):
    admit(site, "p1")
    admit(site, "p2")
    return site


def test_quarantine_is_shown_after_it_is_decided_and_recorded(listed):
    before = len(entries(listed))
    found = quarantined(listed.services)
    assert [row[1] for row in found.shown] == ["Observation/p1-wrong", "Observation/p2-wrong"]
    expected = [(kind, listed.twin_id(one)) for one in ("p1", "p2") for kind in RECORDED]
    assert sorted(entries(listed)[before:]) == sorted(expected)


def test_what_consent_does_not_permit_is_only_counted(listed):
    listed.tell(listed.ehr.enter(person.denial("c1", "p1", NOW)))
    listed.run()
    found = quarantined(listed.services)
    assert [row[1] for row in found.shown] == ["Observation/p2-wrong"]
    assert found.hidden == 1


def test_a_twin_is_shown_with_its_consents_as_they_were_understood(site):
    admit(site, "p1")
    site.tell(site.ehr.enter(person.permission("c1", "p1", NOW)))
    site.run()
    [shown] = inspection.twin(site.services, site.twin_id("p1"))["consents"]
    assert (shown["resourceType"], shown["id"], shown["status"]) == ("Consent", "c1", "active")
    assert shown["patient"] == {"reference": "Patient/p1"}
    assert consent.read(shown) == recall(site.services, site.twin_id("p1"))[0]


def test_an_erased_twin_does_not_break_the_list(plain_site):
    admit(plain_site, "p1")
    admit(plain_site, "p2")
    plain_site.services.vault.destroy(f"twin/{plain_site.twin_id('p1')}")
    found = quarantined(plain_site.services)
    assert [row[1] for row in found.shown] == ["Observation/p2-wrong"]
    assert found.hidden == 1


def test_an_empty_quarantine_is_empty(site):
    assert quarantined(site.services) == Quarantine((), 0)
    assert inspection.twins(site.services) == []
