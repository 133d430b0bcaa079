"""What HL7 requires of a resource that a schema cannot say.

The elements are walked along HL7's definitions (``definitions/r4.json``), and so are the resources within
the resource. At each element stand the constraints of its type (``constraints.py``, under HL7's
keys); dates must be in the calendar; references must name a type that belongs there, and ``#local`` must
be found. The walk is linear in the size of the resource. An entry of a Bundle is spared it where a compiled
schema proves that there is nothing to see (``schema.plain``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fhir_mapping import definitions
from fhir_mapping.errors import Problem
from fhir_mapping.validation import schema, targets
from fhir_mapping.validation.constraint import Constraint
from fhir_mapping.validation.constraints import CONSTRAINTS, RESOURCE
from fhir_mapping.validation.containment import Fragments, fragments
from fhir_mapping.validation.dates import is_in_calendar

_DATES = frozenset({"date", "dateTime", "instant"})
_UNUSED = "a contained resource must be referred to, or refer to what contains it (dom-3)"
# An adversary may send any order of names; what is not remembered is worked out again.
_REMEMBERED = 256

# The place of the element around it, and the name and index of an element as FHIRPath has them.
_Place = tuple[Any, str, int | None]


@dataclass(slots=True)
class _Scope:
    """One resource with what it contains, and the faults found so far.

    ``local`` are the local references in it and around it, from the outermost resource on that contains any.
    """

    resource: dict[str, Any]
    found: list[Problem]
    local: Fragments | None = None
    around: targets.Surroundings | None = None

    def surroundings(self) -> targets.Surroundings:
        if self.around is None:
            kind = self.resource["resourceType"]
            self.around = targets.Surroundings(kind, targets.contained(self.resource))
        return self.around

    def report(self, code: str, text: str, place: _Place, within: str = "") -> None:
        self.found.append(Problem(code, text, _expression(place) + within))


_Step = Callable[[Any, _Place, _Scope], None]
_Visit = tuple[str, str, _Step]
_Plan = tuple[tuple[Constraint, ...], tuple[_Visit, ...]]


def faults(resource: dict[str, Any]) -> Iterator[Problem]:
    """Return every fault of a resource that is structurally valid, and of every resource within it.

    The code is ``invariant`` (the text names HL7's key), ``value`` for a day that the calendar lacks,
    ``structure`` for a reference to a wrong type and ``not-found`` for a local one that leads nowhere.
    """
    found: list[Problem] = []
    _resource(resource, (None, resource["resourceType"], None), found)
    return iter(found)


@dataclass(slots=True)
class _Shape:
    """What to look at in a value of the type ``name``.

    It depends on the names that a value has, and few sets of names ever occur: ``plans`` remembers them, so
    that a value with nothing to see costs one look-up.
    """

    name: str
    constraints: tuple[Constraint, ...]
    plans: dict[tuple[str, ...], _Plan] = field(default_factory=dict)

    def check(self, value: dict[str, Any], place: _Place, scope: _Scope) -> None:
        names = tuple(value)
        constraints, visits = self.plans.get(names) or self._plan(names)
        for constraint in constraints:
            for where in constraint.breaches(value):
                scope.report("invariant", constraint.sentence, place, where)
        for name, told, step in visits:
            part = value[name]
            if part.__class__ is not list:
                step(part, (place, told, None), scope)
                continue
            for index, item in enumerate(part):
                if item is not None:
                    step(item, (place, told, index), scope)

    def _plan(self, names: tuple[str, ...]) -> _Plan:
        constraints = tuple(each for each in self.constraints if each.may_break(names))
        visits = (_visit(self.name, name) for name in names)
        plan = constraints, tuple(visit for visit in visits if visit is not None)
        if len(self.plans) < _REMEMBERED:
            self.plans[names] = plan
        return plan


@cache
def _shape(name: str) -> _Shape:
    of_resources = RESOURCE if "contained" in definitions.elements()[name] else ()
    return _Shape(name, CONSTRAINTS.get(name, ()) + of_resources)


def _visit(owner: str, name: str) -> _Visit | None:
    """Return what looks at the element; None where there is nothing to look at."""
    field = definitions.type_of(owner).fields.get(name)
    if field is None:
        return None
    step = _step(owner, name, field)
    return None if step is None else (name, field.step, step)


def _step(owner: str, name: str, found: definitions.Field) -> _Step | None:
    if found.type == definitions.RESOURCE:
        return _contained if name == "contained" else _entire
    if found.type == "Reference":
        return _reference(frozenset(definitions.elements()[owner][found.element].get("target", ())))
    if found.type in _DATES:
        return _date
    return None if definitions.is_primitive(found.type) else _shape(found.type).check


def _date(text: str, place: _Place, scope: _Scope) -> None:
    if not is_in_calendar(text):
        scope.report("value", "the calendar has no such day", place)


@cache
def _reference(allowed: frozenset[str]) -> _Step:
    obvious = ("urn:", *(f"{kind}/" for kind in allowed))
    check_elements = _shape("Reference").check
    known = definitions.resource_types()

    def check(value: dict[str, Any], place: _Place, scope: _Scope) -> None:
        text = value.get("reference")
        if "type" in value or (text is not None and not text.startswith(obvious)):
            for code, name, sentence in targets.faults(value, allowed, known, scope.surroundings()):
                scope.report(code, sentence, place, f".{name}")
        if len(value) > 1 or text is None:
            check_elements(value, place, scope)

    return check


def _contained(value: dict[str, Any], place: _Place, scope: _Scope) -> None:
    _shape(value["resourceType"]).check(value, place, scope)


def _entire(value: dict[str, Any], place: _Place, scope: _Scope) -> None:
    if not schema.plain(value["resourceType"]).is_valid(value):
        _resource(value, place, scope.found, scope.local)


def _resource(
    resource: dict[str, Any], place: _Place, found: list[Problem], local: Fragments | None = None
) -> None:
    if local is None and "contained" in resource:
        local = fragments(resource)
    scope = _Scope(resource, found, local)
    _shape(resource["resourceType"]).check(resource, place, scope)
    if local is not None and "contained" in resource:
        for index in local.unreferenced(resource):
            scope.report("invariant", _UNUSED, place, f".contained[{index}]")


def _expression(place: _Place) -> str:
    """Return the place as FHIRPath, which has one name for a primitive and for what stands beside it."""
    parts: list[str] = []
    around: _Place | None = place
    while around is not None:
        around, name, index = around
        parts.append(name if index is None else f"{name}[{index}]")
    return ".".join(reversed(parts))
