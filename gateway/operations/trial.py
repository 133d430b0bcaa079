"""Read a body as if an EHR had sent it, and say what would become of each resource. Nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from fhir_mapping import (
    bundle,
    consent,
    coverage,
    genomics,
    guard,
    operation_outcome,
    release,
    resource,
    validation,
)
from fhir_mapping.errors import Unusable
from fhir_mapping.release import Release

_UNREAD = "nothing is read from resources of this type"
_ALL = 100_000  # faults
_INSIDE = re.compile(r"Bundle\.entry\[\d+\]\.resource\b")


class Tried(msgspec.Struct, frozen=True):
    """What would become of one resource: its ``number`` in the Bundle, the values, and what was found."""

    number: int
    type: str
    refused: bool
    items: int
    outcome: dict[str, Any] | None = None


def tried(body: bytes, now: datetime, sent: Release = "R4") -> Iterator[Tried]:
    """Yield what would become of each resource in ``body``: a Bundle's entries, or the one it holds.

    ``sent`` is the release that the EHR speaks. Anything that cannot be read is yielded as refused; nothing
    is raised.
    """
    try:
        found = guard.resource(body, guard.BUNDLE)
    except Unusable as fault:
        yield Tried(0, "", True, 0, operation_outcome.of(fault))
        return
    if found["resourceType"] != "Bundle":
        yield _tried(0, found, now, sent)
        return
    yield from _envelope(found, sent)
    for number, part in enumerate(bundle.resources(found)):
        yield _tried(number, part, now, sent)


def _envelope(found: dict[str, Any], sent: Release) -> Iterator[Tried]:
    """Yield what is wrong with a Bundle beside what it holds; only of R4 the definitions are here."""
    if sent == "R5":
        return
    faults = [one for one in validation.problems(found, _ALL) if not _INSIDE.match(one.expression)]
    if faults:
        yield Tried(0, "Bundle", True, 0, operation_outcome.of(validation.refusal(tuple(faults))))


def _tried(number: int, part: dict[str, Any], now: datetime, sent: Release) -> Tried:
    kind = str(part.get("resourceType"))
    try:
        received = release.receive(part, sent)
        if kind == "Consent":
            _check_consent(received, sent)
        reading = resource.read(received.resource, now, fault=received.fault)
    except Unusable as fault:
        return Tried(number, kind, True, 0, operation_outcome.of(fault))
    items = len(reading.items) + (reading.subject is not None)
    return Tried(number, kind, False, items, _left(received.resource, reading))


def _check_consent(received: release.Received, sent: Release) -> None:
    """Refuse a Consent that would count as a denial because it cannot be understood."""
    if received.fault is not None:
        raise received.fault
    if sent != "R5":  # what came as R5 was checked by its own definitions
        validation.check(received.resource)
    consent.read(received.resource)


def _left(part: dict[str, Any], reading: resource.Reading) -> dict[str, Any] | None:
    """Return what was left of a readable resource, or why one of its type holds nothing; None for neither."""
    if reading.reasons:
        return operation_outcome.warnings(reading.reasons)
    kind = str(part["resourceType"])
    read = reading.relevant or kind in resource.mappings() or kind in coverage.BESIDE
    explained = None if reading.relevant else genomics.explain(part)
    if explained is None and read:
        return None
    return operation_outcome.render("not-supported", explained or _UNREAD, "information", (kind,))
