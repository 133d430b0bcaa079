"""FamilyMemberHistory -> conditions of relatives.

Used are ``completed`` and ``partial`` ones: what is said is said. ``health-unknown`` and ``dataAbsentReason``
are listed, and so is what is told of somebody who is no relative by blood. The onset is an age in years; one
given as a range, a period or in words is listed and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_mapping import terms
from fhir_mapping.condition import named
from fhir_mapping.errors import Problem
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Quantity, Shape, Text, view
from twin_engine.twin import Relative

_KIND = "FamilyMemberHistory"
# Julian years, as UCUM's ``a``.
_YEARS = {"a": 1.0, "mo": 1 / 12, "wk": 7 / 365.25, "d": 1 / 365.25}
_OLDEST = 130
_RETRACTED = Problem("retracted", "the history was entered in error", f"{_KIND}.status")
_UNKNOWN = Problem("absent", "the health of the relative is not known", f"{_KIND}.status")
_UNNAMED = Problem("code", "how the relative is related is not known", f"{_KIND}.relationship")
_UNRELATED = Problem("value", "the person is no relative by blood", f"{_KIND}.relationship")
_WITHHELD = Problem("absent", "the history is said to be missing", f"{_KIND}.dataAbsentReason")
# Any other ``deceased[x]`` says at what age, when or how the relative died.
_DEATHS = frozenset({"deceasedAge", "deceasedRange", "deceasedDate"})


class _Condition(Shape, frozen=True):
    code: CodeableConcept
    onset_age: Quantity | None = None
    onset_range: dict[str, Any] | None = None
    onset_period: dict[str, Any] | None = None
    onset_string: Text | None = None
    modifier_extension: tuple[dict[str, Any], ...] = ()


class _History(Shape, frozen=True, kw_only=True):
    status: Text
    relationship: CodeableConcept
    data_absent_reason: CodeableConcept | None = None
    deceased_boolean: bool | None = None
    condition: tuple[_Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """What one entry tells: conditions with the age of onset, and what of it cannot be used."""

    names: tuple[str, ...]
    onset: float | None = None
    problem: Problem | None = None


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a FamilyMemberHistory; one that names no condition of the list is irrelevant."""
    seen = view(resource, _History)
    if seen.status == "entered-in-error":
        return Mapped(reasons=(_RETRACTED,))
    missing = _missing(seen)
    known = [(place, one) for place, one in enumerate(seen.condition) if named(one.code)]
    if not known:
        return Mapped(reasons=missing) if missing else IRRELEVANT
    relation = _relation(seen.relationship)
    if isinstance(relation, Problem):
        return Mapped(reasons=(*missing, relation))
    deceased = True if resource.keys() & _DEATHS else seen.deceased_boolean
    told = [_told(one, f"{_KIND}.condition[{place}]") for place, one in known]
    relatives = [
        Relative(relation, name, origin.source, each.onset, deceased) for each in told for name in each.names
    ]
    problems = tuple(each.problem for each in told if each.problem is not None)
    return Mapped(tuple(relatives), reasons=(*missing, *problems))


def _told(one: _Condition, place: str) -> _Told:
    if one.modifier_extension:
        text = "the condition carries a modifier that is not understood"
        return _Told((), problem=Problem("modifier", text, place))
    names = tuple(named(one.code))
    onset = _onset(one, f"{place}.onset")
    return _Told(names, problem=onset) if isinstance(onset, Problem) else _Told(names, onset)


def _missing(seen: _History) -> tuple[Problem, ...]:
    unknown = (_UNKNOWN,) if seen.status == "health-unknown" else ()
    return (*unknown, _WITHHELD) if seen.data_absent_reason is not None else unknown


def _relation(concept: CodeableConcept) -> str | Problem:
    """Return the relation, by HL7's own code where there is one."""
    first = [coding for coding in concept.coding if coding.system == terms.ROLES]
    found = [terms.relation(coding.system, coding.code) for coding in (*first, *concept.coding)]
    if not terms.UNRELATED.isdisjoint(found):  # beside a wider code: a stepfather is a father (FTH) too
        return _UNRELATED
    return next((role for role in found if role is not None), _UNNAMED)


def _onset(one: _Condition, place: str) -> float | Problem | None:
    if one.onset_age is None:
        vague = one.onset_range or one.onset_period or one.onset_string
        return Problem("value", "the onset is not a plain age", place) if vague else None
    age = one.onset_age
    factor = _YEARS.get(age.code or age.unit or "")
    if age.value is None or age.comparator is not None:
        return Problem("value", "the onset is not a plain age", place)
    if factor is None:
        return Problem("unit", "the unit of the onset is not one of age", place)
    years = age.value * factor
    return years if 0 <= years <= _OLDEST else Problem("range", "the onset is implausible", place)
