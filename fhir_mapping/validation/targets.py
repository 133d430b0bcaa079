"""Which type of resource a reference names, and whether it may.

A type is known from a relative, absolute or conditional reference, from ``Reference.type``, and for
``#local`` from the contained resource. What names no type of FHIR R4 is not judged, save a relative
reference: it has no other meaning. Nor is a ``urn:``, which only a Bundle resolves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
_SERVERS = ("http://", "https://")
_WRONG = "it refers to a type of resource that does not belong here"
_UNLIKE = "the type that it names is not the type that it refers to"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a local reference can resolve to: the resource around it, and what that contains."""

    kind: str
    contained: Mapping[str, str]


def contained(resource: dict[str, Any]) -> dict[str, str]:
    """Return id -> type of what ``resource`` contains."""
    return {inner["id"]: inner["resourceType"] for inner in resource.get("contained", ()) if "id" in inner}


def faults(
    reference: dict[str, Any], allowed: Collection[str], known: Collection[str], around: Surroundings
) -> Iterator[tuple[str, str, str]]:
    """Yield code, element and sentence of each fault; an empty ``allowed`` allows every type."""
    text = reference.get("reference", "")
    named = _named(text, around)
    if named is None:
        yield "not-found", "reference", "it refers to a contained resource that is not there (ref-1)"
    elif allowed and named not in allowed and (named in known or (named and not text.startswith(_SERVERS))):
        yield "structure", "reference", _WRONG
    expected = reference.get("type", "").removeprefix(_DEFINITION)
    if expected not in known:
        return
    if allowed and expected not in allowed:
        yield "structure", "type", _WRONG
    elif named in known and named != expected:
        yield "structure", "type", _UNLIKE


def _named(text: str, around: Surroundings) -> str | None:
    """Return the type that ``text`` names, "" where it names none; None where it leads nowhere."""
    if text.startswith("#"):
        return around.contained.get(text[1:]) if len(text) > 1 else around.kind
    path, condition, _ = text.partition("?")
    parts = path.split("/")
    if parts[-2:-1] == ["_history"]:
        parts = parts[:-2]
    if len(parts) == 1:
        return parts[0] if condition else ""
    return parts[-2] if len(parts) == len(("type", "id")) or text.startswith(_SERVERS) else ""
