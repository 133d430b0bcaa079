"""MedicationRequest -> treatments by class.

A request counts where it is an order or a plan; what is only proposed, or forbidden, is listed and not used.
It is over when all of its dosages are, or its effective dose period (R5). Where only the time has passed in
which it could be dispensed, what was dispensed may still be taken: it stands as not confirmed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fhir_mapping.errors import Problem
from fhir_mapping.instants import last
from fhir_mapping.mapped import Mapped, Origin
from fhir_mapping.medication import Course, Dosage, Named, end_of, treated
from fhir_mapping.shapes import Period, Shape, Text, view

_ORDERS = frozenset({"plan", "order", "original-order", "reflex-order", "filler-order", "instance-order"})
# Where a conversion from R5 keeps it.
_EFFECTIVE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MedicationRequest.effectiveDosePeriod"
_LAPSED = Problem(
    "time",
    "it may not be dispensed any more, and whether it is still taken is not known",
    "MedicationRequest.dispenseRequest.validityPeriod",
)


class _Extension(Shape, frozen=True):
    url: Text
    value_period: Period | None = None


class _Dispense(Shape, frozen=True):
    validity_period: Period | None = None


class _Request(Named, frozen=True, kw_only=True):
    status: Text
    intent: Text
    authored_on: Text | None = None
    do_not_perform: bool | None = None
    dosage_instruction: tuple[Dosage, ...] = ()
    dispense_request: _Dispense | None = None
    extension: tuple[_Extension, ...] = ()


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a MedicationRequest."""
    seen = view(resource, _Request)
    ordered = seen.intent in _ORDERS and not seen.do_not_perform
    effective = (each.value_period for each in seen.extension if each.url == _EFFECTIVE)
    until = end_of(seen.dosage_instruction, *(period.end for period in effective if period is not None))
    doubt = _lapsed(seen, origin.now) if seen.status == "active" else None
    course = Course("MedicationRequest", seen.status, seen.authored_on, until, ordered, doubt)
    return treated(seen, course, origin)


def _lapsed(seen: _Request, now: datetime) -> Problem | None:
    validity = seen.dispense_request.validity_period if seen.dispense_request else None
    end = last(validity.end) if validity else None
    return _LAPSED if end is not None and end < now else None
