"""Made-up patients of one kind: adults with all that PREVENT asks for, every second one with a Consent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from gateway.demonstration import resources as fhir
from gateway.demonstration.patients import SMOKING
from gateway.demonstration.resources import Resource


def patient_id(number: int) -> str:
    return f"bench-{number}"


def resources(number: int, now: datetime) -> Iterator[Resource]:
    """Yield one patient and the history that makes a twin warm."""
    me, at = patient_id(number), now - timedelta(days=20)
    gender = "female" if number % 2 else "male"
    yield fhir.patient(me, "Bench", gender, date(1960 + number % 20, 3, 1 + number % 28))
    if number % 2:
        yield fhir.consent(f"{me}-consent", me, "permit", at)
    yield from observations(number, now)


def observations(number: int, now: datetime) -> Iterator[Resource]:
    """Yield the Observations of the history."""
    me, at = patient_id(number), now - timedelta(days=20)
    code = fhir.concept(fhir.LOINC, "72166-2", "Tobacco smoking status")
    yield fhir.finding(f"{me}-smoking", me, "social-history", code, SMOKING["never"], at)
    yield fhir.blood_pressure(f"{me}-pressure", me, 120 + number % 30, 80, at)
    for name, what, value in (
        ("bmi", fhir.BMI, 24.0 + number % 8),
        ("creatinine", fhir.CREATININE, 0.9),
        ("cholesterol", fhir.CHOLESTEROL, 180 + number % 40),
        ("hdl", fhir.HDL, 50),
    ):
        yield fhir.measurement(f"{me}-{name}", me, what, value, at)


class Results:
    """New laboratory results, each of another value and later than the one before."""

    def __init__(self) -> None:
        self._made = 0

    def next(self, number: int) -> Resource:
        """Return a total cholesterol of one patient: it moves that patient's PREVENT assessment."""
        self._made += 1
        me = patient_id(number)
        value = 170 + (self._made * 7) % 90
        return fhir.measurement(f"{me}-event-{self._made}", me, fhir.CHOLESTEROL, value, datetime.now(UTC))
