"""FHIR's releases: R4 is what the mapping reads and writes, R5 is turned into it and out of it.

R4B takes the path of R4: of the types in use only Extension gained kinds of values. R5 has a table of
differences for each type; one that has none is the same in both releases as far as it is used.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, replace
from typing import Any

from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.lenient import as_list, as_object
from fhir_mapping.release import structure
from fhir_mapping.release.datatypes import extensions_to_r4, extensions_to_r5
from fhir_mapping.release.place import Element, Place, Release
from fhir_mapping.release.tables import TABLES

__all__ = ["Received", "Release", "from_r4", "of", "receive", "to_r4"]

_RELEASES: dict[str, Release] = {"4.0": "R4", "4.1": "R4B", "4.3": "R4B"}
_STEP = re.compile(r"\w+")
_PUBLISHED = re.compile(r"(\d+)\.(\d+)(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Received:
    """A resource in R4's shape, and why it cannot be used, if it cannot.

    Then the shape holds what could be turned, so that it can still be told what the resource may be about.
    """

    resource: dict[str, Any]
    fault: Unusable | None = None


def of(fhir_version: str) -> Release:
    """Return the release of a ``CapabilityStatement.fhirVersion``.

    Raises
    ------
    Unusable
        Where it is an older or a newer release, a ballot, or no version at all.
    """
    found = _PUBLISHED.fullmatch(fhir_version)
    known: Release | None = _RELEASES.get(f"{found[1]}.{found[2]}") if found else None
    if known is None and found and found[1] == "5":
        known = "R5"
    if known is None:
        text = "the server does not speak a published version of FHIR R4, R4B or R5"
        raise Unusable("not-supported", text, 422, "CapabilityStatement.fhirVersion")
    return known


def receive(resource: dict[str, Any], release: Release) -> Received:
    """Return what a server of ``release`` sent, in R4's shape; an R5 resource is checked first."""
    if release != "R5":
        return Received(resource)
    turned = copy.deepcopy(resource)
    place = _place(turned)
    _down(turned, place)
    refused = (_told(resource, fault) for fault in place.faults)
    return Received(turned, _fault([*structure.faults(resource), *refused]))


def to_r4(resource: dict[str, Any], release: Release) -> dict[str, Any]:
    """Return what a server of ``release`` sent, in R4's shape.

    Raises
    ------
    Unusable
        Where it is no resource of that release, or holds what R4 cannot say without changing its meaning.
    """
    received = receive(resource, release)
    if received.fault is not None:
        raise received.fault
    return received.resource


def from_r4(resource: dict[str, Any], release: Release) -> dict[str, Any]:
    """Return a resource of R4 as a server of ``release`` takes it.

    Raises
    ------
    Unusable
        Where that release cannot say it without changing its meaning.
    """
    if release != "R5":
        return resource
    turned = copy.deepcopy(resource)
    place = _place(turned)
    _up(turned, place)
    fault = _fault(place.faults)
    if fault is not None:
        raise fault
    return turned


def _place(resource: Element) -> Place:
    kind = str(resource.get("resourceType"))
    return Place(kind, kind, [])


def _told(resource: Element, fault: Problem) -> Problem:
    """Return a fault that a step found, under the place that FHIRPath has for it."""
    steps = [int(part) if part.isdecimal() else part for part in _STEP.findall(fault.expression)[1:]]
    return replace(fault, expression=structure.expression(resource, steps))


def _fault(faults: list[Problem]) -> Unusable | None:
    if not faults:
        return None
    first = faults[0]
    return Unusable(first.code, first.text, 422, first.expression, tuple(faults))


def _up(resource: Element, place: Place) -> None:
    for inner, where in _inside(resource, place):
        _up(inner, where)
    for step in TABLES.get(place.path, ()):
        step.to_r5(resource, place)
    extensions_to_r5(resource, place)


def _down(resource: Element, place: Place) -> None:
    for inner, where in _inside(resource, place):
        _down(inner, where)
    for step in reversed(TABLES.get(place.path, ())):
        step.to_r4(resource, place)
    extensions_to_r4(resource, place)


def _inside(resource: Element, place: Place) -> list[tuple[Element, Place]]:
    """Return the resources that one holds: contained ones, and the entries of a Bundle."""
    held = [(each, f"contained[{index}]") for index, each in enumerate(as_list(resource.get("contained")))]
    held += [
        (as_object(each).get("resource"), f"entry[{index}].resource")
        for index, each in enumerate(as_list(resource.get("entry")))
        if resource.get("resourceType") == "Bundle"
    ]
    return [
        (each, Place(str(each.get("resourceType")), f"{place.at}.{where}", place.faults))
        for each, where in held
        if isinstance(each, dict)
    ]
