"""Where a step of a conversion works, and how an element travels that the other release does not have.

HL7 has named an extension for every element of every release (FHIR, version management, "Extensions for
converting between versions"): what R4 alone has goes through R5 as
``http://hl7.org/fhir/4.0/StructureDefinition/extension-AuditEvent.agent.name``, and the other way round with
``5.0``. So nothing is lost on the way there and back, and a reader who does not know the extension may ignore
it. An element that must not be ignored is never carried so: it is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal, Protocol

from fhir_mapping.errors import Problem
from fhir_mapping.lenient import as_list, as_object, objects

Release = Literal["R4", "R4B", "R5"]
Element = dict[str, Any]
Kind = str | dict[str, Any]
"""A datatype by name, or the kinds of the children of a backbone element; ``*`` marks a list."""

_VERSION = {"R4": "4.0", "R5": "5.0"}
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
UNKNOWN: Element = {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}


@dataclass(frozen=True, slots=True)
class Place:
    """An element: ``path`` as its definition names it, ``at`` with indices; ``faults`` collects refusals."""

    path: str
    at: str
    faults: list[Problem]

    def inner(self, name: str, index: int | None = None, path: str | None = None) -> Place:
        at = f"{self.at}.{name}" if index is None else f"{self.at}.{name}[{index}]"
        return Place(path or f"{self.path}.{name}", at, self.faults)

    def refuse(self, name: str, text: str) -> None:
        """Note that the element ``name`` cannot be carried over, and why."""
        self.faults.append(Problem("not-supported", text, f"{self.at}.{name}"))

    def url(self, name: str, release: Release) -> str:
        """Return the extension for the element ``name`` of ``release``."""
        return f"http://hl7.org/fhir/{_VERSION[release]}/StructureDefinition/extension-{self.path}.{name}"


class Step(Protocol):
    """One difference between the releases. It changes the element it is given, which is a copy."""

    def to_r5(self, element: Element, place: Place, /) -> None: ...

    def to_r4(self, element: Element, place: Place, /) -> None: ...


def stow(element: Element, url: str, kind: Kind, value: Any, shadow: Any = None) -> None:
    """Put a value, or each value of a list, with the ``_`` part of a primitive, into extensions."""
    values = value if isinstance(value, list) else [value]
    shadows = shadow if isinstance(shadow, list) else [shadow]
    made = [_extension(url, kind, *pair) for pair in zip_longest(values, shadows) if pair != (None, None)]
    if made:
        element["extension"] = [*as_list(element.get("extension")), *made]


def unstow(element: Element, url: str, kind: Kind) -> tuple[list[Any], list[Any]]:
    """Take the values, and the ``_`` parts, out of the extensions again."""
    listed = as_list(element.get("extension"))
    mine = [each for each in objects(listed) if each.get("url") == url]
    others = [each for each in listed if each not in mine]
    if others:
        element["extension"] = others
    elif mine:
        del element["extension"]
    found = [_value(each, kind) for each in mine]
    return [value for value, _ in found], [shadow for _, shadow in found]


def put_back(element: Element, name: str, found: tuple[list[Any], list[Any]], *, many: bool) -> None:
    """Let an element that was stowed stand again under its name."""
    values, shadows = found
    for key, each in ((name, values), (f"_{name}", shadows)):
        if any(part is not None for part in each):
            element[key] = each if many else each[0]


def _extension(url: str, kind: Kind, value: Any, shadow: Any) -> Element:
    if isinstance(kind, str):
        key = f"value{kind[0].upper()}{kind[1:]}"
        parts = {key: value, f"_{key}": shadow}
        return {"url": url, **{name: part for name, part in parts.items() if part is not None}}
    backbone = as_object(value)
    holder: Element = {"extension": as_list(backbone.get("extension"))}
    for name, inner in kind.items():
        if name in backbone or f"_{name}" in backbone:
            stow(holder, name, _one(inner), backbone.get(name), backbone.get(f"_{name}"))
    return {"url": url, **({"id": backbone["id"]} if "id" in backbone else {}), **holder}


def _value(extension: Element, kind: Kind) -> tuple[Any, Any]:
    if isinstance(kind, str):
        key = f"value{kind[0].upper()}{kind[1:]}"
        return extension.get(key), extension.get(f"_{key}")
    holder = {"extension": as_list(extension.get("extension"))}
    backbone: Element = {"id": extension["id"]} if "id" in extension else {}
    for name, inner in kind.items():
        found = unstow(holder, name, _one(inner))
        put_back(backbone, name, found, many=inner != _one(inner))
    if holder.get("extension"):
        backbone["extension"] = holder["extension"]
    return backbone, None


def _one(kind: Kind) -> Kind:
    return kind.rstrip("*") if isinstance(kind, str) else kind
