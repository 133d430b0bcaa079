"""A population is brought in whole, also after an interruption, and what could not be read is counted."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from consent.policy import load_policy
from gateway.errors import NotPermitted
from gateway.hospitals.errors import HospitalUnavailable
from gateway.operations import backfill
from gateway.operations.backfill import Filled
from tests.support import person
from tests.support.site import NOW


@pytest.fixture
def ward(site):
    """A hospital with three patients, of whom nobody told us."""
    for name in ("p1", "p2", "p3"):
        site.ehr.enter(person.patient(name))
    return site


def fill(site):
    return backfill.from_search(site.services, site.hospital_id, lambda *_: None, threads=1)


def reads(site):
    return site.ehr.seen.count(("get", "Patient"))


def newest(site):
    size, _ = site.services.audit.size_and_root()
    (entry,) = site.services.audit.entries(size - 1, size)
    return entry.leaf.kind


def test_every_patient_is_read(ward):
    assert fill(ward) == Filled(read=3, postponed=0)
    assert {ward.twin(each).state for each in ("p1", "p2", "p3")} == {"current"}


def test_population_is_searched_though_some_twin_waits(ward):
    known = ward.services.hospital(ward.hospital_id)
    backfill.enrol(ward.services, known, ["p1"])
    assert fill(ward) == Filled(read=3, postponed=0)


def test_backfill_interrupted_while_reading_reads_only_the_rest(ward):
    fill(ward)
    ward.clock.advance(minutes=1)
    known = ward.services.hospital(ward.hospital_id)
    backfill.enrol(ward.services, known, ["p1", "p2", "p3"])
    ward.clock.advance(minutes=1)
    backfill.synchronise(ward.services, ward.twin_id("p1"))
    before = reads(ward)
    assert fill(ward) == Filled(read=3, postponed=0)
    assert reads(ward) == before + 2


def test_twin_whose_reading_waits_is_not_asked_again(ward):
    known = ward.services.hospital(ward.hospital_id)
    backfill.enrol(ward.services, known, ["p1"])
    asked = ward.twin("p1").seq
    backfill.enrol(ward.services, known, ["p1"])
    assert ward.twin("p1").seq == asked


def test_update_that_failed_is_counted_as_postponed(ward):
    def away():
        raise HospitalUnavailable

    ward.ehr.at_next("Consent", away)
    assert fill(ward) == Filled(read=2, postponed=1)


def test_second_backfill_finds_who_came_since(ward):
    fill(ward)
    ward.clock.advance(minutes=1)
    ward.ehr.enter(person.patient("p4"))
    assert fill(ward) == Filled(read=4, postponed=0)


def test_new_patients_alone_are_enrolled(ward):
    fill(ward)
    ward.clock.advance(minutes=1)
    ward.ehr.enter(person.patient("p4"))
    assert backfill.enrol_new(ward.services, ward.hospital_id) == [ward.twin_id("p4")]
    assert ward.twin("p1").full is None
    assert ward.twin("p4").full is not None


def test_patients_are_searched_for_only_after_a_recorded_permission(ward):
    kinds = []
    ward.ehr.at_next("Patient", lambda: kinds.append(newest(ward)))
    fill(ward)
    assert kinds == ["consent-decision"]


def test_without_permission_nobody_is_searched_for(ward):
    beside = ward.services.hospital
    closed = replace(load_policy("treat-when-silent"), lookups=frozenset())
    services = replace(ward.services, hospital=lambda one: replace(beside(one), policy=closed))
    before = len(ward.ehr.seen)
    with pytest.raises(NotPermitted):
        backfill.from_search(services, ward.hospital_id, lambda *_: None)
    assert len(ward.ehr.seen) == before


def test_a_folder_adds_to_what_the_ehr_shows_and_its_consents_hold(ward, tmp_path):
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in person.adult("folder", NOW)],
    }
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "one.json").write_bytes(orjson.dumps(bundle))
    ward.ehr.enter(person.denial("no", "folder", NOW))
    backfill.from_folder(ward.services, ward.hospital_id, tmp_path / "bundles", lambda *_: None)
    assert ward.twin("folder").state == "denied"
    assert not ward.assessments("folder")
    ward.ehr.enter(person.permission("no", "folder", NOW))
    backfill.from_folder(ward.services, ward.hospital_id, tmp_path / "bundles", lambda *_: None)
    assert ward.assessments("folder")["prevent"].live
