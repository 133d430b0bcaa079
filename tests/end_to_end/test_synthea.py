"""Forty synthetic patients of somebody else, through a third-party EHR: equal to an independent oracle."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from sqlalchemy import func, select

from gateway.operations import backfill
from gateway.operations.inspection import verify
from gateway.storage.schema import assessment, quarantine
from tests.end_to_end import prevent_oracle
from tests.peers.sekmet import running
from tests.support import site as sites
from tests.support.databases import dispose_files
from tests.support.hospitals import entering, joined
from twin_engine import store
from twin_engine.twin import Refusal

DATA = Path(__file__).parents[2] / "../shared/data"
AT = datetime(2021, 4, 1, 12, tzinfo=UTC)  # all of the bundles lies before

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not (DATA / "synthea").exists(), reason=f"no Synthea bundles in {DATA}"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def bundles():
    return [orjson.loads(each.read_bytes()) for each in sorted((DATA / "synthea").glob("*.json"))]


@pytest.fixture(scope="module")
def tables():
    return orjson.loads((DATA / "vectors/prevent_coefficients.json").read_bytes())["tables"]


@pytest.fixture(scope="module")
def filled(bundles, tmp_path_factory):
    """A gateway that has brought in everybody, the hospital's own way to read, and the patients' ids."""
    folder = tmp_path_factory.mktemp("synthea")
    with running(folder / "ehr") as ehr:
        hospital = entering(ehr)
        patients = [patient_of(ehr.transact(bundle)) for bundle in bundles]
        gateway = joined(sites.settings(folder), ehr, sites.Clock(AT))
        backfill.from_search(gateway.services, gateway.hospital_id, lambda *_: None)
        gateway.run()
        yield gateway, hospital, patients
    dispose_files(folder)


def patient_of(places):
    (patient,) = (place for place in places if place.startswith("Patient/"))
    return patient.removeprefix("Patient/")


def read_back(gateway, hospital, patient):
    """Return PREVENT's predictions as the EHR holds them; None where it holds no assessment."""
    made = gateway.assessments(patient).get("prevent")
    standing = hospital.read("RiskAssessment", made.id) if made else None
    if standing is None:
        return None
    assert standing["subject"]["reference"] == f"Patient/{patient}"
    return {outcome(each): each["probabilityDecimal"] / 100 for each in standing["prediction"]}


def outcome(prediction):
    return next(each["code"] for each in prediction["outcome"]["coding"] if each["code"].endswith("0y"))


def test_every_risk_equals_the_oracles(filled, bundles, tables):
    gateway, hospital, patients = filled
    oracle = (prevent_oracle.risks(each, AT, tables) for each in bundles)
    expected = dict(zip(patients, oracle, strict=True))
    found = {patient: read_back(gateway, hospital, patient) for patient in expected}
    assert sum(each is not None for each in expected.values()) >= 5
    assert {one for one, each in found.items() if each} == {one for one, each in expected.items() if each}
    for patient, risks in expected.items():
        if risks is not None:
            assert found[patient] == pytest.approx(risks, abs=1e-6, rel=0)


def test_everybody_else_has_a_stated_reason(filled):
    gateway, _, patients = filled
    for patient in patients:
        twin = gateway.twin_id(patient)
        assert gateway.twin(patient).state == "current"
        with gateway.services.journal.reading() as connection:
            snapshots = store.latest_snapshots(connection, gateway.services.vault, twin)
        answers = {each.model: each.answers for each in snapshots}
        assert set(answers) == set(gateway.services.settings.models.split(","))
        for said in answers.values():
            assert said
            assert all(each.reasons for each in said if isinstance(each, Refusal))


def test_second_backfill_writes_nothing_new(filled):
    gateway, hospital, _ = filled
    before = counts(gateway), versions(hospital)
    backfill.from_search(gateway.services, gateway.hospital_id, lambda *_: None)
    gateway.run()
    assert (counts(gateway), versions(hospital)) == before


def counts(gateway):
    tables = (assessment, quarantine, *store.metadata.sorted_tables)
    with gateway.services.journal.reading() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def versions(hospital):
    return {each["id"]: each["meta"]["versionId"] for each in hospital.search("RiskAssessment")}


def test_log_of_the_backfill_verifies(filled):
    gateway, _, _ = filled
    assert verify(gateway.services).ok
