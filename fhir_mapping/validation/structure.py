"""The structure of a resource, told in full: every element against HL7's definitions.

This plain reading decides. It says whether HL7 knows an element where it stands, whether it has the right
type and lexical form, whether a required element is missing, a list stands where one value belongs, an object
or a list is empty, more than one value of a choice is given, or a code is outside a required value set.

Nothing recurses, and nothing is looked at before the problems ahead of it have been taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_mapping.definitions import (
    ELEMENT,
    RESOURCE,
    Field,
    Type,
    codes,
    element_names,
    fhirpath,
    is_primitive,
    resource_types,
    type_of,
)
from fhir_mapping.errors import Problem
from fhir_mapping.validation.primitives import PRIMITIVES


@dataclass(frozen=True, slots=True)
class _Place:
    """A value still to be looked at; ``path`` is FHIRPath, ``codes`` names the value set that binds it."""

    path: str
    type: str
    codes: str | None
    value: Any


_Steps = Iterator[Problem | _Place]


def faults(resource: dict[str, Any]) -> Iterator[Problem]:
    """Yield every fault of structure in the order of the resource, what is missing first."""
    open_: list[_Steps] = [iter((_Place("", RESOURCE, None, resource),))]
    while open_:
        step = next(open_[-1], None)
        if step is None:
            open_.pop()
        elif isinstance(step, Problem):
            yield step
        else:
            open_.append(_look(step))


def _look(place: _Place) -> _Steps:
    if is_primitive(place.type):
        return _primitive(place)
    if not isinstance(place.value, dict):
        return _one("structure", f"a FHIR {place.type} is an object in JSON", place.path)
    if not place.value:
        return _one("structure", "an object must not be empty", place.path)
    if place.type == RESOURCE:
        return _resource(place)
    return _object(place.path, type_of(place.type), place)


def _one(code: str, text: str, path: str) -> _Steps:
    return iter((Problem(code, text, path),))


def _resource(place: _Place) -> _Steps:
    name = place.value.get("resourceType")
    if not isinstance(name, str):
        return _one("structure", "a resource must name its resourceType", place.path)
    if name not in resource_types():
        return _one("not-supported", "it is not a resource type of FHIR R4", place.path)
    return _object(place.path or name, type_of(name), place)


def _object(path: str, kind: Type, place: _Place) -> _Steps:
    value: dict[str, Any] = place.value
    yield from _missing(path, kind, value)
    yield from _crowded(path, kind, value)
    for name, item in value.items():
        field = kind.fields.get(name)
        if field is not None:
            yield from _field(path, name, field, value, item)
        elif not (name == "resourceType" and kind.is_resource):
            told = f"{name} is" if name.lower() in element_names() else "it holds what is"
            yield Problem("structure", f"{told} not an element of {kind.name}", path)
    if place.codes is not None:
        yield from _concept(path, place.codes, value)


def _missing(path: str, kind: Type, value: dict[str, Any]) -> Iterator[Problem]:
    for element, names in kind.required.items():
        if value.keys().isdisjoint(names):
            yield Problem("required", f"{kind.name} must have {element}", f"{path}.{fhirpath(element)}")


def _crowded(path: str, kind: Type, value: dict[str, Any]) -> Iterator[Problem]:
    for element, names in kind.choices.items():
        if len({name.lstrip("_") for name in names if name in value}) > 1:
            yield Problem("structure", f"only one {element} may be given", f"{path}.{fhirpath(element)}")


def _field(path: str, name: str, field: Field, value: dict[str, Any], item: Any) -> _Steps:
    told = f"{path}.{field.step}"
    if not field.repeats and isinstance(item, list):
        yield Problem("structure", "it must not be a list", told)
    elif not field.repeats:
        yield _Place(told, field.type, field.codes, item)
    elif not isinstance(item, list):
        yield Problem("structure", "it must be a list", told)
    elif not item:
        yield Problem("structure", "a list must not be empty", told)
    else:
        beside = value.get(name.removeprefix("_") if field.type == ELEMENT else f"_{name}")
        yield from _items(told, field, item, beside if isinstance(beside, list) else [])


def _items(path: str, field: Field, items: list[Any], beside: list[Any]) -> _Steps:
    """Yield the items; null stands only for the part of a primitive, value or extensions, that it lacks."""
    has_parts = is_primitive(field.type) or field.type == ELEMENT
    for index, item in enumerate(items):
        told = f"{path}[{index}]"
        if item is not None or not has_parts:
            yield _Place(told, field.type, field.codes, item)
        elif index >= len(beside) or beside[index] is None:
            yield Problem("structure", "null stands for nothing here", told)


def _primitive(place: _Place) -> _Steps:
    primitive, value = PRIMITIVES[place.type], place.value
    if not primitive.is_json(value):
        yield Problem("structure", f"a FHIR {place.type} is {primitive.json} in JSON", place.path)
    elif not primitive.accepts(value):
        yield Problem("value", f"it is not a FHIR {place.type}: {primitive.text}", place.path)
    elif place.codes is not None and not any(value in listed for listed in codes(place.codes).values()):
        yield Problem("code-invalid", f"the code is not in the required value set {place.codes}", place.path)


def _concept(path: str, value_set: str, concept: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem where a concept has codes, and none of its required value set; text alone is taken."""
    coding = concept.get("coding")
    if isinstance(coding, list) and not any(_is_listed(each, value_set) for each in coding):
        yield Problem("code-invalid", f"no code is in the required value set {value_set}", f"{path}.coding")


def _is_listed(coding: Any, value_set: str) -> bool:
    if not isinstance(coding, dict):
        return False
    system, code = coding.get("system"), coding.get("code")
    return isinstance(system, str) and isinstance(code, str) and code in codes(value_set).get(system, ())
