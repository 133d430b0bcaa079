"""What the medication resources share: which classes a medication is of, and whether it is taken.

A course counts as treatment while it is ``active``; ``completed``, ``stopped``, ``cancelled`` and ``on-hold``
ones are past. What is only a draft or intended is listed and not used. One that may be taken but cannot be
read, or whose status is unknown, is listed and stands as not confirmed: under the classes that it is coded
or named like, else as ``UNREAD_MEDICATION``.

A medication in a resource of its own is read from ``Origin.others``; where it is not there, it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fhir_mapping import references, terms
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.instants import last, moment
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin, modified
from fhir_mapping.shapes import CodeableConcept, Coding, Period, Ref, Shape, view
from twin_engine.twin import UNREAD_MEDICATION, Item, Treatment

PAST = frozenset({"on-hold", "cancelled", "completed", "stopped", "not-taken"})
_NEVER = frozenset({"draft", "intended", "not-done"})


class _Ingredient(Shape, frozen=True):
    item_codeable_concept: CodeableConcept | None = None
    is_active: bool | None = None


class _Medication(Shape, frozen=True):
    code: CodeableConcept | None = None
    ingredient: tuple[_Ingredient, ...] = ()


class Named(Shape, frozen=True, kw_only=True):
    """How a resource names its medication."""

    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Ref | None = None
    contained: tuple[dict[str, Any], ...] = ()


class _Repeat(Shape, frozen=True):
    bounds_period: Period | None = None


class _Timing(Shape, frozen=True):
    repeat: _Repeat | None = None


class Dosage(Shape, frozen=True):
    """FHIR Dosage, of which only the end is looked at."""

    timing: _Timing | None = None

    @property
    def end(self) -> str | None:
        """The day or instant from which on it is not taken so any more."""
        repeat = self.timing.repeat if self.timing else None
        bounds = repeat.bounds_period if repeat else None
        return bounds.end if bounds else None


@dataclass(frozen=True, slots=True)
class Course:
    """Whether and when it is taken, as the resource ``kind`` says; ``doubt`` is why it may be over."""

    kind: str
    status: str
    since: str | None
    until: str | None = None
    ordered: bool = True
    doubt: Problem | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a medication: its classes, else those that it may be of and why that is not sure."""

    classes: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    problem: Problem | None = None
    wants: tuple[str, ...] = ()


def known(seen: Named, kind: str, others: Mapping[str, dict[str, Any]]) -> Known | None:
    """Return what is known of a medication; None where it is surely of no class that is read."""
    codings = tuple(_codings(seen, others))
    classes = frozenset[str]().union(*(terms.treatments(one.system, one.code) for one in codings))
    if classes:
        return Known(tuple(sorted(classes)))
    suspects = tuple(sorted(_resembled(seen, codings)))
    first = suspects[0] if suspects else None
    place = f"{kind}.medication"
    if seen.medication_reference is not None and not codings:
        text = "the medication stands in another resource"
        problem = Problem("reference", text, place, first)
        return Known((), suspects or (UNREAD_MEDICATION,), problem, _wanted(seen, others))
    if suspects:
        text = "it is named like a known medication and has no code that is known"
        return Known((), suspects, Problem("code", text, place, first))
    if not any(terms.classifies(coding.system) for coding in codings):
        text = "no code of the medication is of a terminology that is read"
        return Known((), (UNREAD_MEDICATION,), Problem("code", text, place))
    return None


def end_of(dosages: Iterable[Dosage], *others: str | None) -> str | None:
    """Return when a course ends: with the last of its dosages, where all of them end, or with ``others``.

    The first readable end is the one that counts.
    """
    ends = [dosage.end for dosage in dosages]
    said = [end for end in ends if end is not None]
    last_dosage = max(said, key=_ended) if said and len(said) == len(ends) else None
    return min((end for end in (last_dosage, *others) if end is not None), key=_ended, default=None)


def _ended(text: str) -> datetime:
    return last(text) or datetime.max.replace(tzinfo=UTC)


def treated(seen: Named, course: Course, origin: Origin) -> Mapped:
    """Map a course of a medication to treatments."""
    what = known(seen, course.kind, origin.others)
    if what is None:
        return IRRELEVANT
    refused = _refused(course, origin.now)
    mapped = Mapped(reasons=(refused,)) if refused else _course(what, course, origin)
    return replace(mapped, wants=what.wants) if what.wants else mapped


def suspected(resource: dict[str, Any], origin: Origin) -> tuple[Item, ...]:
    """Return what a medication that is otherwise not readable may be."""
    status = str(resource.get("status"))
    if status == "entered-in-error" or status in PAST or status in _NEVER:
        return ()
    try:
        what = known(view(resource, Named), str(resource.get("resourceType")), origin.others)
    except Unusable:
        return _doubtful([UNREAD_MEDICATION], origin)
    return _doubtful(what.classes or what.suspects, origin) if what else ()


def _course(what: Known, course: Course, origin: Origin) -> Mapped:
    end = last(course.until)
    over = course.status in PAST or (end is not None and end < origin.now)
    if what.problem is not None:
        return Mapped(() if over else _doubtful(what.suspects, origin, end), reasons=(what.problem,))
    if course.status not in PAST and course.status != "active":
        problem = Problem("status", "whether it is taken is not known", f"{course.kind}.status")
        return Mapped(() if over else _doubtful(what.classes, origin, end), reasons=(problem,))
    if course.doubt is not None and not over:
        return Mapped(_doubtful(what.classes, origin, end), reasons=(course.doubt,))
    start = moment(course.since)
    at = start.at if start else None
    # A treatment stands without its times: dropping it for a bad date would change a risk.
    unread = (course.since is not None and start is None) or (course.until is not None and end is None)
    problem = Problem("time", "a time is not a FHIR dateTime with its zone", course.kind)
    return Mapped(
        tuple(Treatment(name, origin.source, not over, at, end) for name in what.classes),
        reasons=(problem,) if unread else (),
    )


def _refused(course: Course, now: datetime) -> Problem | None:
    """Say why the medication is certainly not being taken on the word of this resource."""
    kind, start = course.kind, moment(course.since)
    if course.status == "entered-in-error":
        return Problem("retracted", "the medication was entered in error", f"{kind}.status")
    if not course.ordered:
        return Problem("intent", "it is not an order to take something", f"{kind}.intent")
    if course.status == "not-done":
        return Problem("status", "it was not given", f"{kind}.status")
    if course.status in _NEVER:
        return Problem("status", "it is not taken yet", f"{kind}.status")
    if start is not None and start.after(now):
        return Problem("time", "the treatment begins in the future", kind)
    return None


def _doubtful(names: Iterable[str], origin: Origin, until: datetime | None = None) -> tuple[Item, ...]:
    return tuple(Treatment(name, origin.source, False, until=until, confirmed=False) for name in names)


def _resembled(seen: Named, codings: Iterable[Coding]) -> set[str]:
    """Return the classes that the medication is called like."""
    texts = [coding.display or "" for coding in codings]
    if seen.medication_codeable_concept is not None:
        texts.append(seen.medication_codeable_concept.text or "")
    if seen.medication_reference is not None:
        texts.append(seen.medication_reference.display or "")
    return set().union(*(terms.resembling(text) for text in texts))


def _wanted(seen: Named, others: Mapping[str, dict[str, Any]]) -> tuple[str, ...]:
    """Return the reference to a Medication that was not given beside."""
    text = (seen.medication_reference.reference if seen.medication_reference else None) or ""
    target = references.parse(text)
    return (text,) if target is not None and target.type == "Medication" and text not in others else ()


def _codings(seen: Named, others: Mapping[str, dict[str, Any]]) -> Iterator[Coding]:
    if seen.medication_codeable_concept is not None:
        yield from seen.medication_codeable_concept.coding
    reference = (seen.medication_reference.reference if seen.medication_reference else None) or ""
    if reference.startswith("#"):
        for resource in seen.contained:
            if resource.get("id") == reference[1:]:
                yield from _codings_of(resource)
    elif reference in others:
        yield from _codings_of(others[reference])


def _codings_of(resource: dict[str, Any]) -> Iterator[Coding]:
    """Yield the codes of a Medication and of its active ingredients; none where it is not to be relied on."""
    if resource.get("resourceType") != "Medication" or resource.get("status") == "entered-in-error":
        return
    if modified(resource):
        return
    medication = view(resource, _Medication)
    yield from medication.code.coding if medication.code else ()
    for ingredient in medication.ingredient:
        if ingredient.item_codeable_concept is not None and ingredient.is_active is not False:
            yield from ingredient.item_codeable_concept.coding
