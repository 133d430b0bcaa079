"""Procedure -> conditions that it tells of, through a table: whoever had a bypass has coronary disease.

Used are ``completed`` ones; what they tell of lasts. ``preparation`` and ``not-done`` tell of nothing, and
``entered-in-error`` retracts. One that was begun, whose status is unknown, or that is said to be done but
dated in the future, is listed and its condition stands as not confirmed.
"""

from __future__ import annotations

from typing import Any

from fhir_mapping import terms
from fhir_mapping.condition import begun, doubtful, started
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Shape, Text, view
from twin_engine.twin import Condition, Item

_NOTHING = {
    "preparation": Problem("status", "the procedure was not done yet", "Procedure.status"),
    "not-done": Problem("status", "the procedure was not done", "Procedure.status"),
    "entered-in-error": Problem("retracted", "the procedure was entered in error", "Procedure.status"),
}


class _Coded(Shape, frozen=True):
    code: CodeableConcept | None = None


class _Procedure(_Coded, frozen=True, kw_only=True):
    status: Text


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a Procedure; one that tells of no condition that a model knows is irrelevant."""
    seen = view(resource, _Procedure)
    names = _named(seen.code)
    if not names:
        return IRRELEVANT
    if seen.status in _NOTHING:
        return Mapped(reasons=(_NOTHING[seen.status],))
    if seen.status != "completed":
        problem = Problem("status", "whether the procedure was done is not known", "Procedure.status")
        return Mapped(doubtful(names, origin), reasons=(problem,))
    begin = started(resource, "performed")
    if begin is not None and begin.after(origin.now):
        problem = Problem("time", "it is said to be done and lies in the future", "Procedure.performed")
        return Mapped(doubtful(names, origin), reasons=(problem,))
    # What the procedure tells of stands without its time: dropping it would understate a risk.
    onset, reasons = begun(resource, "performed", origin.now)
    return Mapped(tuple(Condition(name, origin.source, True, onset) for name in names), reasons=reasons)


def suspected(resource: dict[str, Any], origin: Origin) -> tuple[Item, ...]:
    """Return what a Procedure that is otherwise not readable tells of, as far as its code tells."""
    if str(resource.get("status")) in _NOTHING:
        return ()
    try:
        return doubtful(_named(view(resource, _Coded).code), origin)
    except Unusable:
        return ()


def _named(concept: CodeableConcept | None) -> list[str]:
    if concept is None:
        return []
    return sorted(set().union(*(terms.procedures(coding.system, coding.code) for coding in concept.coding)))
