"""MedicationRequest -> treatments by class.

A request counts where it is an order or a plan; what is only proposed, or forbidden, is listed and not used.
"""

from __future__ import annotations

from typing import Any

from fhir_mapping.mapped import Mapped, Origin
from fhir_mapping.medication import Course, Named, treated
from fhir_mapping.shapes import Text, view

_ORDERS = frozenset({"plan", "order", "original-order", "reflex-order", "filler-order", "instance-order"})


class _Request(Named, frozen=True, kw_only=True):
    status: Text
    intent: Text
    authored_on: Text | None = None
    do_not_perform: bool | None = None


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a MedicationRequest."""
    seen = view(resource, _Request)
    ordered = seen.intent in _ORDERS and not seen.do_not_perform
    course = Course("MedicationRequest", seen.status, seen.authored_on, ordered=ordered)
    return treated(seen, course, origin)
