from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping.codes import TARGETS
from gateway.demonstration.patients import ROLES, DemoPatient, cohort
from gateway.demonstration.resources import Resource

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PATIENTS = {patient.role.name: patient for patient in cohort(NOW, np.random.default_rng(7))}
# Input ranges of the PREVENT base equations (Khan et al. 2024, doi:10.1161/CIRCULATIONAHA.123.067626).
PREVENT_RANGES = {"2093-3": (130, 320), "2085-9": (20, 100), "8480-6": (90, 200), "39156-5": (18.5, 40)}


def _codes(patient: DemoPatient) -> set[str]:
    return {_code(each) for each in patient.resources if each["resourceType"] == "Observation"}


def _code(resource: Resource) -> str:
    return str(resource["code"]["coding"][0]["code"])


def _kinds(patient: DemoPatient) -> list[str]:
    return [each["resourceType"] for each in patient.resources]


def _measured(patient: DemoPatient) -> list[tuple[str, float]]:
    parts = [part for each in patient.resources for part in (each, *each.get("component", ()))]
    return [(_code(part), part["valueQuantity"]["value"]) for part in parts if "valueQuantity" in part]


@pytest.mark.parametrize("name", PATIENTS)
def test_every_resource_is_valid_r4(name: str) -> None:
    for resource in PATIENTS[name].resources:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_people(seed: int) -> None:
    once, again = (cohort(NOW, np.random.default_rng(seed)) for _ in range(2))
    assert once == again


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_the_seed_clean_values_lie_in_the_range_of_the_risk_equations(seed: int) -> None:
    for patient in cohort(NOW, np.random.default_rng(seed)):
        for code, value in () if patient.role.dirty else _measured(patient):
            low, high = PREVENT_RANGES.get(code, (-np.inf, np.inf))
            assert low <= value <= high


def test_ids_are_the_demos_own_and_used_once() -> None:
    ids = [f"{each['resourceType']}/{each['id']}" for p in PATIENTS.values() for each in p.resources]
    assert len(ids) == len(set(ids))
    assert all("/demo-" in each for each in ids)


def test_every_resource_is_about_its_own_patient_and_nothing_is_in_the_future() -> None:
    for patient in PATIENTS.values():
        for resource in patient.resources[1:]:
            subject = resource.get("subject") or resource["patient"]
            assert subject["reference"] == f"Patient/{patient.role.id}"
            assert datetime.fromisoformat(resource.get("issued", NOW.isoformat())) <= NOW


def test_ages_are_as_the_roles_say() -> None:
    for patient in PATIENTS.values():
        born = datetime.fromisoformat(patient.resources[0]["birthDate"]).replace(tzinfo=UTC)
        assert (NOW - born) // timedelta(days=365.25) == patient.role.age


def test_histories_hold_the_inputs_of_the_cardiovascular_model() -> None:
    assert {"2093-3", "2085-9", "2160-0", "85354-9", "39156-5", "72166-2"} <= _codes(PATIENTS["ada"])
    assert {"Condition", "MedicationRequest"} <= set(_kinds(PATIENTS["boris"]))


@pytest.mark.parametrize("name", ["frieda", "gustav", "hanna"])
def test_inpatients_have_the_vital_signs_of_news2(name: str) -> None:
    signs = {"9279-1", "59408-5", "3151-8", "85354-9", "8867-4", "8310-5", "67775-7"}
    assert signs <= _codes(PATIENTS[name])


def test_a_statin_lowers_cholesterol() -> None:
    totals = [value for code, value in _measured(PATIENTS["doris"]) if code == "2093-3"]
    assert totals[-1] < 0.9 * totals[0]


def test_the_special_roles_are_what_they_say() -> None:
    consents = {
        name: each["provision"]["type"]
        for name, patient in PATIENTS.items()
        for each in patient.resources
        if each["resourceType"] == "Consent"
    }
    units = {
        _code(each): each["valueQuantity"]["code"]
        for each in PATIENTS["marta"].resources
        if "dirty" in each["id"] and "valueQuantity" in each
    }
    assert consents == {"jakob": "deny", "klara": "permit"}
    assert _codes(PATIENTS["ludwig"]).isdisjoint({"2093-3", "2085-9"})
    assert "69548-6" in _codes(PATIENTS["ilse"])
    assert units == {"2093-3": "mm"}
    assert max(value for code, value in _measured(PATIENTS["marta"]) if code == "8480-6") > 1000
    assert min(role.age for role in ROLES) < 30


def test_every_code_written_is_one_the_mapping_knows() -> None:
    written = {
        (each["code"]["coding"][0]["system"], _code(each))
        for patient in PATIENTS.values()
        for each in patient.resources
        if each["resourceType"] == "Observation"
    }
    assert written <= set(TARGETS)
