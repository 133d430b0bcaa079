"""Whether a resource is valid FHIR R4: its structure, then what HL7 requires beyond it.

Nearly every resource that comes is valid, and a compiled schema says so at little cost. Only where it does
not is the resource read in full, and told what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from fhir_mapping import definitions
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.validation import invariants, schema, structure

_KNOWN = definitions.resource_types()


def problems(resource: dict[str, Any], limit: int = 50) -> tuple[Problem, ...]:
    """Return what is wrong with a resource, at most ``limit`` faults; nothing where it is valid.

    The resource is what ``guard`` makes of bytes: JSON of bounded depth, in UTF-8. The invariants are looked
    at only where the structure is right.
    """
    name = resource.get("resourceType")
    if isinstance(name, str) and name in _KNOWN and _is_plain(name)(resource):
        return ()
    if not _is_well_formed(resource):
        found = tuple(islice(structure.faults(resource), limit))
        if found:
            return found
    return tuple(islice(invariants.faults(resource), limit))


def check(resource: dict[str, Any]) -> None:
    """Refuse a resource that is not valid.

    Raises
    ------
    Unusable
        With the code, text and expression of the first fault, and all of them as ``problems``.
    """
    found = problems(resource)
    if found:
        raise refusal(found)


def refusal(found: tuple[Problem, ...]) -> Unusable:
    """Return the refusal of a resource with these faults, of which there is at least one."""
    return Unusable(found[0].code, found[0].text, 422, found[0].expression, found)


def prepare(resource_types: Iterable[str]) -> None:
    """Compile the schemas of these types now, and not when the first resource of each comes."""
    for name in resource_types:
        _is_plain(name)
        _is_structural(name)


@cache
def _is_plain(resource_type: str) -> Callable[[Any], bool]:
    return schema.plain(resource_type).is_valid


@cache
def _is_structural(resource_type: str) -> Callable[[Any], bool]:
    return schema.structural(resource_type).is_valid


def _is_well_formed(resource: Any) -> bool:
    """Tell whether the schemas accept a resource and all within it; a False may still prove valid."""
    waiting = [resource]
    while waiting:
        each = waiting.pop()
        name = each.get("resourceType") if isinstance(each, dict) else None
        if not isinstance(name, str) or name not in _KNOWN or not _is_structural(name)(each):
            return False
        waiting.extend(_within(name, each))
    return True


def _within(name: str, resource: dict[str, Any]) -> Iterator[Any]:
    """Yield the resources in a resource whose schema holds; there are no other places for them."""
    yield from resource.get("contained", ())
    if name == "Bundle":
        for entry in resource.get("entry", ()):
            yield from _named(entry, "resource")
            yield from _named(entry.get("response", {}), "outcome")
    elif name == "Parameters":
        parts = resource.get("parameter", [])
        while parts:
            for part in parts:
                yield from _named(part, "resource")
            parts = [inner for part in parts for inner in part.get("part", ())]


def _named(element: dict[str, Any], name: str) -> Iterator[Any]:
    if name in element:
        yield element[name]
