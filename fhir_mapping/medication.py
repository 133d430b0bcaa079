"""MedicationRequest and MedicationStatement -> treatments by class.

A request counts as treatment where it is an order or a plan; ``completed``, ``stopped``, ``cancelled`` and
``on-hold`` ones are past. What is only a proposal, a draft or of unknown status is listed and not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from fhir_mapping import codes
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.instants import moment
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Coding, Period, Ref, Shape, Text, view
from twin_engine.twin import Treatment

_ORDERS = frozenset({"plan", "order", "original-order", "reflex-order", "filler-order", "instance-order"})
_PAST = frozenset({"on-hold", "cancelled", "completed", "stopped", "not-taken"})


class _Ingredient(Shape, frozen=True):
    item_codeable_concept: CodeableConcept | None = None


class _Contained(Shape, frozen=True):
    resource_type: Text
    id: Text | None = None
    code: CodeableConcept | None = None
    ingredient: tuple[_Ingredient, ...] = ()


class _Medication(Shape, frozen=True, kw_only=True):
    subject: Ref
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Ref | None = None
    contained: tuple[dict[str, Any], ...] = ()


class _Request(_Medication, frozen=True, kw_only=True):
    status: Literal[
        "active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"
    ]
    intent: Literal[
        "proposal",
        "plan",
        "order",
        "original-order",
        "reflex-order",
        "filler-order",
        "instance-order",
        "option",
    ]
    authored_on: Text | None = None
    do_not_perform: bool | None = None


class _Statement(_Medication, frozen=True, kw_only=True):
    status: Literal[
        "active",
        "completed",
        "entered-in-error",
        "intended",
        "stopped",
        "on-hold",
        "unknown",
        "not-taken",
    ]
    effective_date_time: Text | None = None
    effective_period: Period | None = None


def request(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a MedicationRequest."""
    seen = view(resource, _Request)
    wanted = seen.intent in _ORDERS and not seen.do_not_perform
    unfit = None if wanted else Problem("intent", "it is not an order to take something", f"{_R}.intent")
    return _mapped(seen, seen.status, seen.authored_on, None, unfit, _R, origin)


def statement(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a MedicationStatement."""
    seen = view(resource, _Statement)
    period = seen.effective_period or Period()
    since = seen.effective_date_time or period.start
    return _mapped(seen, seen.status, since, period.end, None, _S, origin)


_R, _S = "MedicationRequest", "MedicationStatement"


def _mapped(
    seen: _Medication,
    status: str,
    since: str | None,
    until: str | None,
    unfit: Problem | None,
    kind: str,
    origin: Origin,
) -> Mapped:
    codings = tuple(_codings(seen, kind))
    names = sorted({name for coding in codings if (name := codes.treatment(coding.system, coding.code))})
    if not names:
        return _unnamed(seen, codings, kind)
    if status == "entered-in-error":
        return Mapped(
            reasons=(Problem("retracted", "the medication was entered in error", f"{kind}.status"),)
        )
    if unfit is not None:
        return Mapped(reasons=(unfit,))
    if status not in _PAST and status != "active":
        return Mapped(reasons=(Problem("status", "whether it is taken is not known", f"{kind}.status"),))
    start, end = moment(since), moment(until)
    if start is not None and start.after(origin.now):
        return Mapped(reasons=(Problem("time", "the treatment begins in the future", kind),))
    active = status == "active" and (end is None or end.at >= origin.now)
    at = start.at if start else None
    # A treatment stands without its times: dropping it for a bad date would change a risk.
    unread = (since is not None and start is None) or (until is not None and end is None)
    return Mapped(
        items=tuple(Treatment(name, origin.source, active, at) for name in names),
        reasons=(Problem("time", "a time is not a FHIR dateTime with its zone", kind),) if unread else (),
    )


def _unnamed(seen: _Medication, codings: tuple[Coding, ...], kind: str) -> Mapped:
    """Say why a medication gives no treatment, where there is something to say."""
    reference = seen.medication_reference
    if reference is not None and not codings:
        return Mapped(
            reasons=(Problem("reference", "the medication stands in another resource", f"{kind}.medication"),)
        )
    for coding in codings:
        suspected = codes.resembling(coding.display or "")
        if suspected is not None:
            text = "a product named like one that is known has a code that is not"
            return Mapped(reasons=(Problem("code", text, f"{kind}.medication", suspected),))
    return IRRELEVANT


def _codings(seen: _Medication, kind: str) -> Iterator[Coding]:
    concept, reference = seen.medication_codeable_concept, seen.medication_reference
    if (concept is None) == (reference is None):
        raise Unusable("required", "exactly one medication[x] is required", 422, f"{kind}.medication")
    if concept is not None:
        yield from concept.coding
    elif reference is not None and (reference.reference or "").startswith("#"):
        yield from _contained(seen, (reference.reference or "")[1:])


def _contained(seen: _Medication, name: str) -> Iterator[Coding]:
    for resource in seen.contained:
        if resource.get("id") == name and resource.get("resourceType") == "Medication":
            medication = view(resource, _Contained)
            yield from medication.code.coding if medication.code else ()
            for ingredient in medication.ingredient:
                yield from ingredient.item_codeable_concept.coding if ingredient.item_codeable_concept else ()
