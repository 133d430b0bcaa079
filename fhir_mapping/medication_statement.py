"""MedicationStatement -> treatments by class."""

from __future__ import annotations

from typing import Any

from fhir_mapping.mapped import Mapped, Origin
from fhir_mapping.medication import Course, Dosage, Named, end_of, treated
from fhir_mapping.shapes import Period, Text, view


class _Statement(Named, frozen=True, kw_only=True):
    status: Text
    effective_date_time: Text | None = None
    effective_period: Period | None = None
    dosage: tuple[Dosage, ...] = ()


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a MedicationStatement."""
    seen = view(resource, _Statement)
    period = seen.effective_period or Period()
    since = seen.effective_date_time or period.start
    until = end_of(seen.dosage, period.end)
    return treated(seen, Course("MedicationStatement", seen.status, since, until), origin)
