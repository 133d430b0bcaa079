"""FHIR R4 resources of the demo's hospital, as plain dictionaries; every id begins with ``demo-``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

Resource = dict[str, Any]
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
MDC = "urn:iso:std:iso:11073:10101"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


@dataclass(frozen=True, slots=True)
class Measure:
    """A code, of LOINC unless said, with its display and the UCUM unit that the hospital reports it in."""

    code: str
    display: str
    unit: str
    digits: int = 0
    category: str = "laboratory"
    system: str = LOINC


SYSTOLIC = Measure("8480-6", "Systolic blood pressure", "mm[Hg]")
DIASTOLIC = Measure("8462-4", "Diastolic blood pressure", "mm[Hg]")
HEIGHT = Measure("8302-2", "Body height", "cm", 0, "vital-signs")
WEIGHT = Measure("29463-7", "Body weight", "kg", 1, "vital-signs")
BMI = Measure("39156-5", "Body mass index (BMI) [Ratio]", "kg/m2", 1, "vital-signs")
RESPIRATORY_RATE = Measure("9279-1", "Respiratory rate", "/min", 0, "vital-signs")
HEART_RATE = Measure("8867-4", "Heart rate", "/min", 0, "vital-signs")
TEMPERATURE = Measure("8310-5", "Body temperature", "Cel", 1, "vital-signs")
SATURATION = Measure("59408-5", "Oxygen saturation by pulse oximetry", "%", 0, "vital-signs")
OXYGEN_FLOW = Measure("3151-8", "Inhaled oxygen flow rate", "L/min", 0, "vital-signs")
CHOLESTEROL = Measure("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL")
HDL = Measure("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "mg/dL")
CREATININE = Measure("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 2)
SENSOR_GLUCOSE = Measure("99504-3", "Glucose [Mass/volume] in Interstitial fluid", "mg/dL")
CARBOHYDRATES = Measure("8417764", "MDC_CTXT_GLU_CARB", "g", 0, "social-history", MDC)


def concept(system: str, code: str, display: str) -> Resource:
    """Return a CodeableConcept."""
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


LISPRO = concept(RXNORM, "86009", "insulin lispro")


def instant(at: datetime) -> str:
    """Return a FHIR instant in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def patient(identity: str, given: str, gender: str, born: date) -> Resource:
    """Return a Patient whose family name says that nobody is meant."""
    return {
        "resourceType": "Patient",
        "id": identity,
        "identifier": [{"system": "urn:didymos:demo:mrn", "value": identity}],
        "active": True,
        "name": [{"use": "official", "family": "Synthetic-Demo", "given": [given]}],
        "gender": gender,
        "birthDate": born.isoformat(),
    }


def measurement(identity: str, subject: str, what: Measure, value: float, at: datetime) -> Resource:
    """Return a final Observation of one quantity, rounded as the hospital's laboratory reports it."""
    return _observation(
        identity, subject, what.category, concept(what.system, what.code, what.display), at
    ) | {"valueQuantity": quantity(value, what)}


def trace(identity: str, subject: str, start: datetime, samples: Sequence[float | None]) -> Resource:
    """Return the readings of a glucose sensor, five minutes apart, as one Observation; None is a gap."""
    what, apart = SENSOR_GLUCOSE, timedelta(minutes=5)
    end = start + (len(samples) - 1) * apart
    resource = _observation(identity, subject, what.category, concept(LOINC, what.code, what.display), end)
    del resource["effectiveDateTime"]
    data = " ".join("E" if sample is None else f"{sample:.0f}" for sample in samples)
    return resource | {
        "effectivePeriod": {"start": instant(start), "end": instant(end)},
        "valueSampledData": {
            "origin": quantity(0, what),
            "period": apart / timedelta(milliseconds=1),
            "dimensions": 1,
            "data": data,
        },
    }


def blood_pressure(identity: str, subject: str, systolic: float, diastolic: float, at: datetime) -> Resource:
    """Return the blood pressure panel, mm[Hg]."""
    panel = concept(LOINC, "85354-9", "Blood pressure panel with all children optional")
    parts = ((SYSTOLIC, systolic), (DIASTOLIC, diastolic))
    return _observation(identity, subject, "vital-signs", panel, at) | {
        "component": [
            {"code": concept(LOINC, what.code, what.display), "valueQuantity": quantity(value, what)}
            for what, value in parts
        ]
    }


def finding(
    identity: str, subject: str, category: str, code: Resource, value: Resource, at: datetime
) -> Resource:
    """Return a final Observation with a coded answer."""
    return _observation(identity, subject, category, code, at) | {"valueCodeableConcept": value}


def variant(
    identity: str, subject: str, present: bool, components: Sequence[tuple[Resource, Resource]], at: datetime
) -> Resource:
    """Return one variant of a gene panel (HL7 Genomics Reporting, LOINC 69548-6)."""
    code = concept(LOINC, "69548-6", "Genetic variant assessment")
    answer = ("LA9633-4", "Present") if present else ("LA9634-2", "Absent")
    resource = finding(identity, subject, "laboratory", code, concept(LOINC, *answer), at)
    genetics = {"coding": [{"system": f"{_TERMINOLOGY}/v2-0074", "code": "GE"}]}
    return resource | {
        "category": [*resource["category"], genetics],
        "component": [{"code": what, "valueCodeableConcept": value} for what, value in components],
    }


def condition(identity: str, subject: str, code: Resource, since: datetime) -> Resource:
    """Return an active, confirmed Condition."""
    return {
        "resourceType": "Condition",
        "id": identity,
        "clinicalStatus": {"coding": [{"system": f"{_TERMINOLOGY}/condition-clinical", "code": "active"}]},
        "verificationStatus": {
            "coding": [{"system": f"{_TERMINOLOGY}/condition-ver-status", "code": "confirmed"}]
        },
        "category": [
            {"coding": [{"system": f"{_TERMINOLOGY}/condition-category", "code": "problem-list-item"}]}
        ],
        "code": code,
        "subject": _reference(subject),
        "onsetDateTime": instant(since),
        "recordedDate": instant(since),
    }


def prescription(identity: str, subject: str, drug: Resource, since: datetime) -> Resource:
    """Return an active MedicationRequest, one a day."""
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": drug,
        "subject": _reference(subject),
        "authoredOn": instant(since),
        "dosageInstruction": [
            {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}, "text": "once a day"}
        ],
    }


def injection(identity: str, subject: str, drug: Resource, units: float, at: datetime) -> Resource:
    """Return a dose of insulin given at once."""
    dose = {"value": units, "unit": "U", "system": UCUM, "code": "[iU]"}
    return _administration(identity, subject, drug) | {
        "effectiveDateTime": instant(at),
        "dosage": {"dose": dose},
    }


def infusion(
    identity: str, subject: str, drug: Resource, rate: float, start: datetime, end: datetime
) -> Resource:
    """Return insulin given evenly, ``rate`` in U/h."""
    hourly = {"value": rate, "unit": "U/h", "system": UCUM, "code": "[iU]/h"}
    return _administration(identity, subject, drug) | {
        "effectivePeriod": {"start": instant(start), "end": instant(end)},
        "dosage": {"rateQuantity": hourly},
    }


def _administration(identity: str, subject: str, drug: Resource) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": identity,
        "status": "completed",
        "medicationCodeableConcept": drug,
        "subject": _reference(subject),
    }


def consent(identity: str, subject: str, answer: str, at: datetime) -> Resource:
    """Return the patient's privacy consent; ``answer`` is ``permit`` or ``deny``."""
    rule = {"permit": "OPTIN", "deny": "OPTOUT"}[answer]
    return {
        "resourceType": "Consent",
        "id": identity,
        "status": "active",
        "scope": {"coding": [{"system": f"{_TERMINOLOGY}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": LOINC, "code": "59284-0", "display": "Consent Document"}]}],
        "patient": _reference(subject),
        "dateTime": instant(at),
        "policyRule": {"coding": [{"system": f"{_TERMINOLOGY}/v3-ActCode", "code": rule}]},
        "provision": {"type": answer},
    }


def quantity(value: float, what: Measure) -> Mapping[str, Any]:
    """Return a Quantity in the measure's UCUM unit."""
    rounded = round(value, what.digits) if what.digits else round(value)
    return {"value": rounded, "unit": what.unit, "system": UCUM, "code": what.unit}


def _observation(identity: str, subject: str, category: str, code: Resource, at: datetime) -> Resource:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "category": [{"coding": [{"system": f"{_TERMINOLOGY}/observation-category", "code": category}]}],
        "code": code,
        "subject": _reference(subject),
        "effectiveDateTime": instant(at),
        "issued": instant(at),
    }


def _reference(subject: str) -> Resource:
    return {"reference": f"Patient/{subject}"}
