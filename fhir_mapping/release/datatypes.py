"""Datatypes that differ between R4 and R5, and what stands in extensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_mapping.lenient import as_list
from fhir_mapping.release.place import Element, Place, Step
from fhir_mapping.release.steps import Demanded, Irregular, Listed, Only, Refused, Within

_MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}  # UCUM
_NEW_VALUES = (
    "valueAvailability",
    "valueCodeableReference",
    "valueExtendedContactDetail",
    "valueInteger64",
    "valueMeta",
    "valueMonetaryComponent",
    "valueRatioRange",
    "valueVirtualServiceDetail",
)


def _interval(element: Element, _: Place) -> None:
    if "period" in element:
        element |= {"interval": element.pop("period"), "intervalUnit": "ms"}


def _period(element: Element, place: Place) -> None:
    interval, unit = element.pop("interval", None), element.pop("intervalUnit", None)
    if not isinstance(interval, int | float) or unit not in _MILLISECONDS:
        place.refuse("interval", "the samples do not follow each other at a regular time")
        return
    element["period"] = interval if unit == "ms" else interval * _MILLISECONDS[unit]


def _length(element: Element, _: Place) -> None:
    if isinstance(element.get("size"), int):
        element["size"] = str(element["size"])  # integer64 is a string in JSON


def _size(element: Element, _: Place) -> None:
    size = element.get("size")
    if isinstance(size, str) and size.isascii() and size.isdecimal() and len(size) < 19:
        element["size"] = int(size)


def _as_needed_for(element: Element, place: Place) -> None:
    if "asNeededBoolean" in element:
        element["asNeeded"] = element.pop("asNeededBoolean")
    Listed("asNeededCodeableConcept", "CodeableConcept", "asNeededFor").to_r5(element, place)
    if "asNeededFor" in element:
        element["asNeeded"] = True


def _as_needed(element: Element, place: Place) -> None:
    needed = element.pop("asNeeded", None)
    if not element.get("asNeededFor"):
        element |= {} if needed is None else {"asNeededBoolean": needed}
    elif needed is False:
        place.refuse("asNeeded", "it contradicts asNeededFor")
    Listed("asNeededCodeableConcept", "CodeableConcept", "asNeededFor").to_r4(element, place)


SAMPLED_DATA: tuple[Step, ...] = (Refused(("offsets", "codeMap")), Irregular(_interval, _period))
ATTACHMENT: tuple[Step, ...] = (
    Irregular(_length, _size),
    *(Only("R5", name, "positiveInt") for name in ("width", "height", "frames", "pages")),
    Only("R5", "duration", "decimal"),
)
DOSAGE: tuple[Step, ...] = (Irregular(_as_needed_for, _as_needed), Listed("maxDosePerPeriod", "Ratio"))
SIGNATURE: tuple[Step, ...] = (Demanded("R4", "when"), Demanded("R4", "who", primitive=False))
_IN_EXTENSIONS = (
    Within("valueSampledData", SAMPLED_DATA, "SampledData"),
    Within("valueAttachment", ATTACHMENT, "Attachment"),
    Within("valueDosage", DOSAGE, "Dosage"),
)


def extensions_to_r5(resource: Element, place: Place) -> None:
    """Turn what stands in the extensions of a resource, wherever they are."""
    for _, _, extension, where in _extensions(resource, place):
        for step in _IN_EXTENSIONS:
            step.to_r5(extension, where)


def extensions_to_r4(resource: Element, place: Place) -> None:
    """Turn what stands in extensions.

    One with a value that R4 does not know is left out, as any reader may; a modifier is refused.
    """
    dropped: list[tuple[Element, str, Element]] = []
    for holder, name, extension, where in _extensions(resource, place):
        for step in _IN_EXTENSIONS:
            step.to_r4(extension, where)
        if any(value in extension for value in _NEW_VALUES):
            dropped.append((holder, name, extension))
            if name == "modifierExtension":
                where.refuse("value", "it is a modifier with a kind of value that R4 does not know")
    for holder, name, extension in dropped:
        holder[name] = [each for each in holder[name] if each is not extension]
        if not holder[name]:
            del holder[name]


def _extensions(value: Any, place: Place) -> Iterator[tuple[Element, str, Element, Place]]:
    """Yield each extension with its holder, the name under which it is held, and its place."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            at = Place(place.path, f"{place.at}[{index}]", place.faults)
            yield from _extensions(each, at)
    if not isinstance(value, dict):
        return
    for name in ("extension", "modifierExtension"):
        for index, each in enumerate(as_list(value.get(name))):
            if isinstance(each, dict):
                yield value, name, each, place.inner(name, index, "Extension")
    for name, each in value.items():
        if name not in ("contained", "resource") and isinstance(each, dict | list):
            yield from _extensions(each, place.inner(name))
