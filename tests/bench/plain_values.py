"""fhir.resources objects -> values of the engine: the codes and units of the cohort, looked up in a table."""

from __future__ import annotations

from collections.abc import Iterator

from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient

from twin_engine.twin import Finding, Item, Measurement, Subject

_SIGNALS = {
    "8480-6": ("systolic-blood-pressure", "mm[Hg]"),
    "8462-4": ("diastolic-blood-pressure", "mm[Hg]"),
    "39156-5": ("body-mass-index", "kg/m2"),
    "2160-0": ("creatinine", "mg/dL"),
    "2093-3": ("total-cholesterol", "mg/dL"),
    "2085-9": ("hdl-cholesterol", "mg/dL"),
}
_SMOKING = {"266919005": "never", "8517006": "former", "77176002": "current"}


def subject(patient: Patient) -> Subject:
    """Return the person."""
    source = f"Patient/{patient.id}/_history/{patient.meta.versionId}"
    return Subject(patient.gender, patient.birthDate, bool(patient.deceasedBoolean), source)


def items(observation: Observation) -> Iterator[Item]:
    """Yield what one Observation tells."""
    if observation.status not in ("final", "amended", "corrected"):
        return
    source = f"Observation/{observation.id}/_history/{observation.meta.versionId}"
    at = observation.effectiveDateTime
    for part in (observation, *(observation.component or ())):
        code = part.code.coding[0].code
        if part.valueQuantity is not None and code in _SIGNALS:
            signal, unit = _SIGNALS[code]
            if part.valueQuantity.code == unit:
                yield Measurement(signal, at, source, float(part.valueQuantity.value))
        elif part.valueCodeableConcept is not None and code == "72166-2":
            answer = _SMOKING.get(part.valueCodeableConcept.coding[0].code, "unknown")
            yield Finding("smoking-status", at, source, answer)
