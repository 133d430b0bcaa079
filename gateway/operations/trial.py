"""Read a body as if an EHR had sent it, and say what would become of each resource. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_mapping import bundle, genomics, guard, operation_outcome, resource
from fhir_mapping.errors import Unusable


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of one resource: its ``number`` in the Bundle, the values, and what was found."""

    number: int
    type: str
    refused: bool
    items: int
    outcome: dict[str, Any] | None = None


def tried(body: bytes, now: datetime) -> Iterator[Tried]:
    """Yield what would become of each resource in ``body``: a Bundle's entries, or the one it holds.

    Anything that cannot be read is yielded as refused; nothing is raised.
    """
    try:
        found = guard.resource(body, guard.BUNDLE)
    except Unusable as fault:
        yield Tried(0, "", True, 0, operation_outcome.of(fault))
        return
    parts = bundle.resources(found) if found["resourceType"] == "Bundle" else iter((found,))
    for number, part in enumerate(parts):
        yield _tried(number, part, now)


def _tried(number: int, part: dict[str, Any], now: datetime) -> Tried:
    kind = str(part.get("resourceType"))
    try:
        reading = resource.read(part, now)
    except Unusable as fault:
        return Tried(number, kind, True, 0, operation_outcome.of(fault))
    return Tried(
        number, kind, False, len(reading.items) + (reading.subject is not None), _left(part, reading)
    )


def _left(part: dict[str, Any], reading: resource.Reading) -> dict[str, Any] | None:
    """Return what was left of a readable resource, or why one of its type holds nothing; None for neither."""
    if reading.reasons:
        return operation_outcome.warnings(reading.reasons)
    explained = None if reading.relevant else genomics.explain(part)
    if explained is None:
        return None
    return operation_outcome.render("not-supported", explained, "information", (str(part["resourceType"]),))
