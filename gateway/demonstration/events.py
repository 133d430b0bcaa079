"""What the demo's hospital does next, without end: results come, are corrected, and one patient withdraws."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain, repeat

import numpy as np

from gateway.demonstration import diabetes
from gateway.demonstration import resources as fhir
from gateway.demonstration.diabetes import Diary, Meal
from gateway.demonstration.patients import DemoPatient, lipids, pressure
from gateway.demonstration.resources import Resource
from gateway.demonstration.ward import Bedside, vital_signs

PAUSE = 2.0
_WORSE_BY = 0.2
_CORRECTABLE = 20  # latest laboratory results that may still be amended or retracted
_PUMP_TELLS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Step:
    """Wait ``delay`` seconds, then PUT ``resource``; ``says`` tells it in words."""

    delay: float
    says: str
    resource: Resource


@dataclass(slots=True)
class _Hospital:
    """What the hospital remembers between steps."""

    patients: Sequence[DemoPatient]
    rng: np.random.Generator
    clock: Callable[[], datetime]
    severity: dict[str, float] = field(default_factory=dict)
    results: deque[Resource] = field(default_factory=lambda: deque(maxlen=_CORRECTABLE))
    told: datetime | None = None  # until when the pump has told what it gave
    written: int = 0

    def stem(self, patient: DemoPatient) -> str:
        self.written += 1
        return f"{patient.role.id}-live-{self.written}"

    def one_of(self, wanted: Callable[[DemoPatient], bool]) -> DemoPatient:
        fitting = [patient for patient in self.patients if wanted(patient)]
        return fitting[self.rng.integers(len(fitting))]

    def taken(self) -> Resource:
        """Take one correctable result out of the list."""
        at = int(self.rng.integers(len(self.results)))
        result = self.results[at]
        del self.results[at]
        return result


_Act = Callable[[_Hospital], tuple[str, Sequence[Resource]]]


def events(
    patients: Sequence[DemoPatient], rng: np.random.Generator, clock: Callable[[], datetime]
) -> Iterator[Step]:
    """Yield steps for ever; what happens is given by ``rng``, when it is dated by ``clock`` as it is drawn.

    The first steps are the same for everybody, so that each kind of event is seen within half a minute.
    """
    hospital = _Hospital(patients, rng, clock)
    for act in chain(_OPENING, _later(rng)):
        says, resources = act(hospital)
        for delay, resource in zip(chain((PAUSE,), repeat(0.0)), resources, strict=False):
            yield Step(delay, says, resource)


def _later(rng: np.random.Generator) -> Iterator[_Act]:
    while True:
        yield _ACTS[rng.choice(len(_ACTS), p=_SHARES)]


def _steady_round(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    patient = hospital.one_of(lambda each: each.role.bedside is not None and not each.role.bedside.worsens)
    return "vital signs on the ward", _round(hospital, patient, _bedside(patient))


def _worse_round(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    patient = hospital.one_of(lambda each: each.role.bedside is not None and each.role.bedside.worsens)
    bedside = _bedside(patient)
    severity = min(hospital.severity.get(patient.role.id, bedside.severity) + _WORSE_BY, 1.0)
    hospital.severity[patient.role.id] = severity if severity < 1.0 else bedside.severity  # treated, recovers
    return "vital signs, getting worse", _round(hospital, patient, replace(bedside, severity=severity))


def _new_lipids(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    patient = hospital.one_of(lambda each: each.role.lipids)
    results = lipids(hospital.stem(patient), patient.role, patient.body, hospital.clock(), hospital.rng)
    hospital.results.extend(results)
    return "new lipid results", results


def _new_pressure(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    patient = hospital.one_of(lambda each: each.role.bedside is None)
    stem = hospital.stem(patient)
    return "blood pressure at a visit", (
        pressure(stem, patient.role, patient.body, hospital.clock(), hospital.rng),
    )


def _new_reading(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    patient, diary = _wearer(hospital)
    at, subject, stem = hospital.clock(), patient.role.id, hospital.stem(patient)
    since = hospital.told = hospital.told or at
    resources = [diabetes.reading(f"{stem}-reading", subject, diary, at)]
    if at - since >= _PUMP_TELLS:
        resources.append(diabetes.basal(f"{stem}-basal", subject, diary, since, at))
        hospital.told = at
    return "a reading of the glucose sensor", resources


def _meal(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    patient, diary = _wearer(hospital)
    grams = float(hospital.rng.integers(15, 60))
    meal = Meal(hospital.clock(), grams, round(grams / diary.ratio, 1))
    return "a meal with its bolus", tuple(diabetes.eating(hospital.stem(patient), patient.role.id, meal))


def _wearer(hospital: _Hospital) -> tuple[DemoPatient, Diary]:
    wearing = [(each, each.diary) for each in hospital.patients if each.diary is not None]
    return wearing[hospital.rng.integers(len(wearing))]


def _amendment(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    if not hospital.results:
        return _new_lipids(hospital)
    result = hospital.taken()
    corrected = round(result["valueQuantity"]["value"] * hospital.rng.uniform(0.9, 1.1))
    return "a result is amended", (
        result
        | {
            "status": "amended",
            "issued": fhir.instant(hospital.clock()),
            "valueQuantity": result["valueQuantity"] | {"value": corrected},
        },
    )


def _retraction(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    if not hospital.results:
        return _new_lipids(hospital)
    issued = fhir.instant(hospital.clock())
    return "a result was entered in error", (
        hospital.taken() | {"status": "entered-in-error", "issued": issued},
    )


def _withdrawal(hospital: _Hospital) -> tuple[str, Sequence[Resource]]:
    patient = hospital.one_of(lambda each: each.role.consent == "permit")
    revised = fhir.consent(f"{patient.role.id}-consent", patient.role.id, "deny", hospital.clock())
    return "the patient withdraws consent", (revised,)


def _bedside(patient: DemoPatient) -> Bedside:
    return patient.role.bedside or Bedside(0.0)


def _round(hospital: _Hospital, patient: DemoPatient, bedside: Bedside) -> tuple[Resource, ...]:
    signs = vital_signs(
        hospital.stem(patient), patient.role.id, bedside, patient.body, hospital.clock(), hospital.rng
    )
    return tuple(signs)


_OPENING: tuple[_Act, ...] = (
    _worse_round,
    _new_lipids,
    _new_reading,
    _new_pressure,
    _amendment,
    _worse_round,
    _new_lipids,
    _meal,
    _withdrawal,
    _steady_round,
    _retraction,
    _worse_round,
)
_ACTS: tuple[_Act, ...] = (
    _steady_round,
    _worse_round,
    _new_lipids,
    _new_pressure,
    _new_reading,
    _meal,
    _amendment,
    _retraction,
)
_SHARES = (0.18, 0.18, 0.2, 0.2, 0.1, 0.04, 0.06, 0.04)
