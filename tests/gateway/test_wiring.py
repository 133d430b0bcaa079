"""What an administrator changes takes effect in processes that run already."""

from __future__ import annotations

import pytest

from gateway.errors import NotFound
from gateway.hospitals.errors import NotAuthorised
from gateway.operations import registry
from gateway.operations.registry import Access, Registration
from gateway.wiring import Hospitals, utc_now
from tests.support.site import POLICY


class Ticks:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def reregister(site, policy=POLICY, attested=False):
    registration = Registration("ward", site.ehr.base_url, Access(), policy, frozenset(), attested)
    registry.register(site.services, registration, site.ehr)


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def running(site, ticks):
    """The hospitals of another process, which has opened this one already."""
    services = site.services
    opened = Hospitals(services.settings, services.journal, services.vault, utc_now, ticks)
    opened.open(site.hospital_id)
    return opened


def test_changed_policy_and_attestation_reach_running_processes_within_seconds(site, running, ticks):
    reregister(site, "deny", attested=True)
    ticks.now += 5
    found = running.open(site.hospital_id)
    assert (found.policy.name, found.labels_attested) == ("deny", True)


def test_a_connection_is_kept_while_nothing_changes(site, running, ticks):
    first = running.open(site.hospital_id)
    ticks.now += 5
    assert running.open(site.hospital_id) is first


def test_a_disconnected_ehr_is_sent_nothing(site, running, ticks):
    registry.disconnect(site.services, site.hospital_id)
    ticks.now += 5
    with pytest.raises(NotAuthorised, match="disconnected"):
        running.open(site.hospital_id).connection.get("Patient", "p1")


def test_an_unknown_hospital_is_not_found(running):
    with pytest.raises(NotFound):
        running.open("nowhere")
