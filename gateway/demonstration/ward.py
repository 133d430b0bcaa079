"""Vital signs at the bedside, from well to gravely ill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from gateway.demonstration import resources as fhir
from gateway.demonstration.resources import Resource

_CONFUSED_FROM = 0.7
_OXYGEN_FROM = 0.45


@dataclass(frozen=True, slots=True)
class Body:
    """A person's own levels: cm, kg/m2, mm[Hg], and mg/dL for the three of the blood."""

    height: float
    mass_index: float
    systolic: float
    cholesterol: float
    hdl: float
    creatinine: float


@dataclass(frozen=True, slots=True)
class Bedside:
    """How ill a patient in hospital is, 0 well to 1 gravely, and the oxygen given, L/min."""

    severity: float
    oxygen: float = 0.0
    worsens: bool = False


def vital_signs(
    stem: str, subject: str, bedside: Bedside, body: Body, at: datetime, rng: np.random.Generator
) -> Iterator[Resource]:
    """Yield one round of a nurse: the seven parameters of NEWS2."""
    ill = bedside.severity
    oxygen = bedside.oxygen if ill < _OXYGEN_FROM else max(bedside.oxygen, 4.0)
    rates = (
        ("respiration", fhir.RESPIRATORY_RATE, 15 + 13 * ill + rng.normal(0, 0.6)),
        ("saturation", fhir.SATURATION, min(97.5 - 9 * ill + rng.normal(0, 0.5), 100.0)),
        ("pulse", fhir.HEART_RATE, 74 + 55 * ill + rng.normal(0, 2)),
        ("temperature", fhir.TEMPERATURE, 36.8 + 2.3 * ill + rng.normal(0, 0.1)),
        ("oxygen", fhir.OXYGEN_FLOW, oxygen),
    )
    for name, what, value in rates:
        yield fhir.measurement(f"{stem}-{name}", subject, what, value, at)
    systolic = body.systolic - 35 * ill + rng.normal(0, 3)
    yield fhir.blood_pressure(f"{stem}-pressure", subject, systolic, 0.62 * systolic, at)
    yield _consciousness(f"{stem}-consciousness", subject, ill, at)


def oxygen_scale(identity: str, subject: str, at: datetime) -> Resource:
    """Return the ward's decision for scale 1: no target range for a hypercapnic patient."""
    code = fhir.concept("urn:didymos:finding", "spo2-scale", "SpO2 scale of NEWS2")
    first = fhir.concept(fhir.SNOMED, "1104311000000102", "NEWS2 oxygen saturation score, scale 1")
    return fhir.finding(identity, subject, "vital-signs", code, first, at)


def _consciousness(identity: str, subject: str, ill: float, at: datetime) -> Resource:
    code = fhir.concept(fhir.LOINC, "67775-7", "Level of responsiveness")
    confused = fhir.concept(fhir.SNOMED, "130987000", "Acute confusion")
    alert = fhir.concept(fhir.SNOMED, "248234008", "Mentally alert")
    answer = confused if ill >= _CONFUSED_FROM else alert
    return fhir.finding(identity, subject, "vital-signs", code, answer, at)
