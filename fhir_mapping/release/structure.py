"""Whether an R5 resource is what R5's definitions say, as far as fhir.resources knows them.

It is a structural check: types, cardinalities, unknown elements, choices. Its classes are imported at the
first R5 resource of their type, so an R4 hospital never pays for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, get_args

from fhir_mapping.definitions import RESOURCE, fhirpath
from fhir_mapping.errors import Problem

_SENTENCES = {
    "extra_forbidden": ("structure", "it holds what R5 has no element for"),
    "missing": ("required", "a required element is missing"),
}
_LIMIT = 50


def faults(resource: dict[str, Any]) -> tuple[Problem, ...]:
    """Return what is wrong with an R5 resource; no text holds a piece of it."""
    from fhir.resources import get_fhir_model_class
    from pydantic import ValidationError

    kind = str(resource.get("resourceType"))
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return tuple(_problem(resource, each["type"], each["loc"]) for each in found[:_LIMIT])
    except (LookupError, ValueError, TypeError, RecursionError):
        return (
            Problem("not-supported", "it is, or holds, a resource of a type that R5 does not have", kind),
        )
    return ()


def expression(resource: dict[str, Any], place: Iterable[int | str]) -> str:
    """Return a place that names of JSON and indices lead to as FHIRPath, as far as R5 knows the names."""
    told = kind = str(resource.get("resourceType"))
    value: Any = resource
    fields = _fields_of(kind)
    for part in place:
        if isinstance(part, int):
            told += f"[{part}]"
            value = value[part] if isinstance(value, list) and part < len(value) else None
        elif part in fields:
            element, kind = fields[part]
            told += f".{element}"
            value = value.get(part) if isinstance(value, dict) else None
        else:
            break
        held = kind == RESOURCE and isinstance(value, dict)
        fields = _fields_of(str(value["resourceType"]) if held and "resourceType" in value else kind)
    return told


@cache
def _fields_of(kind: str) -> dict[str, tuple[str, str]]:
    """Return the step of FHIRPath and the type, "" for a primitive, that each name leads to."""
    from fhir.resources import get_fhir_model_class

    try:
        found = get_fhir_model_class(kind).model_fields.values()
    except (LookupError, ValueError):
        return {}
    fields = {str(field.alias): field for field in found if field.alias}
    steps = {
        name: (_step(fields.get(name.removeprefix("_"), field)), _type(field.annotation))
        for name, field in fields.items()
    }
    return {step: (step, "") for step, _ in steps.values()} | steps


def _step(field: Any) -> str:
    choice = (field.json_schema_extra or {}).get("one_of_many")
    return str(choice) if choice else fhirpath(field.alias)


def _type(annotation: object) -> str:
    """Return the name of the one complex type in an annotation; nothing where there is none."""
    models = (each.get_model_klass() for each in _leaves(annotation) if hasattr(each, "get_model_klass"))
    return next((str(model.get_resource_type()) for model in models), "")


def _leaves(annotation: object) -> Iterator[Any]:
    parts = get_args(annotation)
    yield from (leaf for part in parts for leaf in _leaves(part)) if parts else (annotation,)


def _problem(resource: dict[str, Any], fault: str, place: Iterable[int | str]) -> Problem:
    code, text = _SENTENCES.get(fault, ("structure", "an element is not as R5 defines it"))
    return Problem(code, text, expression(resource, place))
