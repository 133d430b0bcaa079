"""MedicationRequest and MedicationStatement -> treatments by class.

A request counts as treatment where it is an order or a plan; ``completed``, ``stopped``, ``cancelled`` and
``on-hold`` ones are past. What is only a proposal, a draft or intended is listed and not used. One that may
be taken but cannot be read, or whose status is unknown, is listed and stands as not confirmed: under the
class that it is coded or named like, else as ``UNREAD_MEDICATION``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fhir_mapping import codes
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.instants import last, moment
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Coding, Period, Ref, Shape, Text, view
from twin_engine.twin import UNREAD_MEDICATION, Item, Treatment

_ORDERS = frozenset({"plan", "order", "original-order", "reflex-order", "filler-order", "instance-order"})
_PAST = frozenset({"on-hold", "cancelled", "completed", "stopped", "not-taken"})
_NOT_YET = frozenset({"draft", "intended"})


class _Ingredient(Shape, frozen=True):
    item_codeable_concept: CodeableConcept | None = None


class _Contained(Shape, frozen=True):
    resource_type: Text
    id: Text | None = None
    code: CodeableConcept | None = None
    ingredient: tuple[_Ingredient, ...] = ()


class _Named(Shape, frozen=True, kw_only=True):
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Ref | None = None
    contained: tuple[dict[str, Any], ...] = ()


class _Medication(_Named, frozen=True, kw_only=True):
    subject: Ref


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


@dataclass(frozen=True, slots=True)
class _Course:
    """Whether and when it is taken, as the resource ``kind`` says."""

    kind: str
    status: str
    since: str | None
    until: str | None = None
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Why the class of a medication is not known, and which one it may be."""

    name: str
    problem: Problem


def request(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a MedicationRequest."""
    seen = view(resource, _Request)
    ordered = seen.intent in _ORDERS and not seen.do_not_perform
    course = _Course("MedicationRequest", seen.status, seen.authored_on, ordered=ordered)
    return _mapped(seen, course, origin)


def statement(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a MedicationStatement."""
    seen = view(resource, _Statement)
    period = seen.effective_period or Period()
    since = seen.effective_date_time or period.start
    return _mapped(seen, _Course("MedicationStatement", seen.status, since, period.end), origin)


def suspected(resource: dict[str, Any], origin: Origin) -> tuple[Item, ...]:
    """Return what a medication that is otherwise not readable may be."""
    status = str(resource.get("status"))
    if status == "entered-in-error" or status in _PAST or status in _NOT_YET:
        return ()
    kind = str(resource.get("resourceType"))
    names: list[str] = [UNREAD_MEDICATION]
    try:
        seen = view(resource, _Named)
        codings = tuple(_codings(seen, kind))
    except Unusable:
        return _doubtful(names, origin)
    doubt = None if _classes(codings) else _doubt(seen, codings, kind)
    names = _classes(codings) or ([doubt.name] if doubt else [])
    return _doubtful(names, origin)


def _mapped(seen: _Medication, course: _Course, origin: Origin) -> Mapped:
    codings = tuple(_codings(seen, course.kind))
    names = _classes(codings)
    doubt = None if names else _doubt(seen, codings, course.kind)
    if not names and doubt is None:
        return IRRELEVANT
    refused = _refused(course, origin.now)
    if refused is not None:
        return Mapped(reasons=(refused,))
    end = last(course.until)
    over = course.status in _PAST or (end is not None and end < origin.now)
    if doubt is not None:
        return Mapped(() if over else _doubtful([doubt.name], origin, end), reasons=(doubt.problem,))
    if course.status not in _PAST and course.status != "active":
        problem = Problem("status", "whether it is taken is not known", f"{course.kind}.status")
        return Mapped(() if over else _doubtful(names, origin, end), reasons=(problem,))
    start = moment(course.since)
    at = start.at if start else None
    # A treatment stands without its times: dropping it for a bad date would change a risk.
    unread = (course.since is not None and start is None) or (course.until is not None and end is None)
    problem = Problem("time", "a time is not a FHIR dateTime with its zone", course.kind)
    return Mapped(
        tuple(Treatment(name, origin.source, not over, at, end) for name in names),
        reasons=(problem,) if unread else (),
    )


def _refused(course: _Course, now: datetime) -> Problem | None:
    """Say why the medication is certainly not being taken on the word of this resource."""
    kind, start = course.kind, moment(course.since)
    if course.status == "entered-in-error":
        return Problem("retracted", "the medication was entered in error", f"{kind}.status")
    if not course.ordered:
        return Problem("intent", "it is not an order to take something", f"{kind}.intent")
    if course.status in _NOT_YET:
        return Problem("status", "it is not taken yet", f"{kind}.status")
    if start is not None and start.after(now):
        return Problem("time", "the treatment begins in the future", kind)
    return None


def _classes(codings: Iterable[Coding]) -> list[str]:
    return sorted({name for coding in codings if (name := codes.treatment(coding.system, coding.code))})


def _doubtful(names: Iterable[str], origin: Origin, until: datetime | None = None) -> tuple[Item, ...]:
    return tuple(Treatment(name, origin.source, False, until=until, confirmed=False) for name in names)


def _doubt(seen: _Named, codings: tuple[Coding, ...], kind: str) -> _Doubt | None:
    """Say what is not known of a medication without a class; nothing where it is surely of another class."""
    names = (codes.resembling(text) for text in _texts(seen, codings))
    suspect = next((name for name in names if name is not None), None)
    place = f"{kind}.medication"
    if seen.medication_reference is not None and not codings:
        text = "the medication stands in another resource"
        return _Doubt(suspect or UNREAD_MEDICATION, Problem("reference", text, place, suspect))
    if suspect is not None:
        text = "it is named like a known medication and has no code that is known"
        return _Doubt(suspect, Problem("code", text, place, suspect))
    if not any(codes.classifies(coding.system) for coding in codings):
        text = "no code of the medication is of a terminology that is read"
        return _Doubt(UNREAD_MEDICATION, Problem("code", text, place))
    return None


def _texts(seen: _Named, codings: Iterable[Coding]) -> Iterator[str]:
    """Yield what people call the medication."""
    for coding in codings:
        yield coding.display or ""
    if seen.medication_codeable_concept is not None:
        yield seen.medication_codeable_concept.text or ""
    if seen.medication_reference is not None:
        yield seen.medication_reference.display or ""


def _codings(seen: _Named, kind: str) -> Iterator[Coding]:
    concept, reference = seen.medication_codeable_concept, seen.medication_reference
    if (concept is None) == (reference is None):
        raise Unusable("required", "exactly one medication[x] is required", 422, f"{kind}.medication")
    if concept is not None:
        yield from concept.coding
    elif reference is not None and (reference.reference or "").startswith("#"):
        yield from _contained(seen, (reference.reference or "")[1:])


def _contained(seen: _Named, name: str) -> Iterator[Coding]:
    for resource in seen.contained:
        if resource.get("id") == name and resource.get("resourceType") == "Medication":
            medication = view(resource, _Contained)
            yield from medication.code.coding if medication.code else ()
            for ingredient in medication.ingredient:
                yield from ingredient.item_codeable_concept.coding if ingredient.item_codeable_concept else ()
