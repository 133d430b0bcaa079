from collections import Counter
from datetime import UTC, datetime
from itertools import count, islice

import numpy as np
from fhir.resources.R4B import get_fhir_model_class

from gateway.demonstration.events import Step, events
from gateway.demonstration.patients import cohort

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PATIENTS = cohort(NOW, np.random.default_rng(7))


def _steps(number: int, seed: int = 3) -> list[Step]:
    return list(islice(events(PATIENTS, np.random.default_rng(seed), lambda: NOW), number))


def test_every_step_writes_a_valid_resource_of_a_known_patient() -> None:
    known = {f"Patient/{patient.role.id}" for patient in PATIENTS}
    for step in _steps(200):
        resource = step.resource
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert (resource.get("subject") or resource["patient"])["reference"] in known


def test_the_same_seed_gives_the_same_steps() -> None:
    assert _steps(150) == _steps(150)


def test_the_first_steps_show_each_kind_of_event() -> None:
    statuses = Counter(step.resource["status"] for step in _steps(45))
    withdrawn = [step.resource["id"] for step in _steps(45) if step.resource["resourceType"] == "Consent"]
    assert {"final", "amended", "entered-in-error"} <= set(statuses)
    assert withdrawn == ["demo-klara-consent"]


def test_corrections_touch_results_that_were_written_before() -> None:
    steps = _steps(400)
    written: set[str] = set()
    for step in steps:
        if step.resource["status"] in ("amended", "entered-in-error"):
            assert step.resource["id"] in written
        written.add(step.resource["id"])


def test_the_patient_who_worsens_breathes_faster_each_round() -> None:
    rates = [
        step.resource["valueQuantity"]["value"]
        for step in _steps(60)
        if step.says.endswith("worse") and step.resource["id"].endswith("respiration")
    ]
    assert rates[2] > rates[1] > rates[0]


def test_one_act_waits_once_and_its_resources_come_together() -> None:
    signs = [step for step in _steps(30) if step.says.startswith("vital signs")][:7]
    assert [step.delay > 0 for step in signs] == [True, *[False] * 6]


def test_results_are_dated_by_the_clock_when_they_are_drawn() -> None:
    ticks = count()
    steps = events(PATIENTS, np.random.default_rng(3), lambda: NOW.replace(second=next(ticks) % 60))
    stamps = [step.resource.get("issued") for step in islice(steps, 8)]
    assert stamps[0] != stamps[7]
