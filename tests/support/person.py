"""A patient with everything that PREVENT takes, as FHIR resources."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from gateway.demonstration import resources as fhir
from gateway.demonstration.patients import ANTIHYPERTENSIVE, DIABETES, SMOKING, STATIN

Resource = dict[str, Any]


def patient(identity: str, born: date = date(1970, 5, 17), gender: str = "female") -> Resource:
    return fhir.patient(identity, "Marked", gender, born)


def cholesterol(identity: str, subject: str, value: float, at: datetime) -> Resource:
    return fhir.measurement(identity, subject, fhir.CHOLESTEROL, value, at)


def adult(identity: str, at: datetime, smoking: str = "never") -> list[Resource]:
    """Return the resources of a person of 55 with all inputs, seen a month before ``at``; ids begin alike."""
    seen = at - timedelta(days=30)
    measured = (
        ("hdl", fhir.HDL, 52),
        ("creatinine", fhir.CREATININE, 0.9),
        ("bmi", fhir.BMI, 27.5),
    )
    tobacco = fhir.concept(fhir.LOINC, "72166-2", "Tobacco smoking status")
    return [
        patient(identity),
        fhir.blood_pressure(f"{identity}-pressure", identity, 138, 84, seen),
        cholesterol(f"{identity}-cholesterol", identity, 205, seen),
        *(fhir.measurement(f"{identity}-{name}", identity, what, v, seen) for name, what, v in measured),
        fhir.finding(f"{identity}-smoking", identity, "social-history", tobacco, SMOKING[smoking], seen),
    ]


def diabetes(identity: str, subject: str, since: datetime) -> Resource:
    return fhir.condition(identity, subject, DIABETES, since)


def statin(identity: str, subject: str, since: datetime) -> Resource:
    return fhir.prescription(identity, subject, STATIN, since)


def antihypertensive(identity: str, subject: str, since: datetime) -> Resource:
    return fhir.prescription(identity, subject, ANTIHYPERTENSIVE, since)


def denial(identity: str, subject: str, at: datetime) -> Resource:
    return fhir.consent(identity, subject, "deny", at)


def permission(identity: str, subject: str, at: datetime) -> Resource:
    return fhir.consent(identity, subject, "permit", at)


def retracted(resource: Resource) -> Resource:
    return {**resource, "status": "entered-in-error"}


def amended(resource: Resource, value: float) -> Resource:
    return {**resource, "status": "amended", "valueQuantity": {**resource["valueQuantity"], "value": value}}
