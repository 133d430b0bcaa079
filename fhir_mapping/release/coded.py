"""Steps for what is coded or referred to: R5 joins codes and references in CodeableReference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.release.place import Element, Place, stow, unstow


@dataclass(frozen=True, slots=True)
class Merged:
    """Codes and references in two lists of R4, in one list of CodeableReference in R5."""

    r5: str
    concept: str
    reference: str

    def to_r5(self, element: Element, _: Place) -> None:
        codes, references = (
            as_list(element.pop(self.concept, None)),
            as_list(element.pop(self.reference, None)),
        )
        merged = [{"concept": each} for each in codes] + [{"reference": each} for each in references]
        if merged:
            element[self.r5] = merged

    def to_r4(self, element: Element, _: Place) -> None:
        parts = objects(element.pop(self.r5, None))
        for name, key in ((self.concept, "concept"), (self.reference, "reference")):
            found = [each[key] for each in parts if key in each]
            if found:
                element[name] = found


@dataclass(frozen=True, slots=True)
class Either:
    """A code or a reference under two names in R4, one CodeableReference in R5."""

    r5: str
    concept: str
    reference: str

    def to_r5(self, element: Element, place: Place) -> None:
        found: Element = {}
        for name, key in ((self.concept, "concept"), (self.reference, "reference")):
            if name in element:
                found[key] = element.pop(name)
        kept, _ = unstow(element, place.url(self.r5, "R5"), "Reference")
        if kept:
            found["reference"] = kept[0]
        if found:
            element[self.r5] = found

    def to_r4(self, element: Element, place: Place) -> None:
        found = as_object(element.get(self.r5))
        if not found:
            return
        del element[self.r5]
        if "concept" in found:
            element[self.concept] = found["concept"]
            if "reference" in found:  # R4 has room for one of the two; the code says what it is
                stow(element, place.url(self.r5, "R5"), "Reference", found["reference"])
        elif "reference" in found:
            element[self.reference] = found["reference"]


@dataclass(frozen=True, slots=True)
class Pointed:
    """References in R4, CodeableReferences in R5; a code without reference becomes its display."""

    name: str

    def to_r5(self, element: Element, place: Place) -> None:
        _each(element, self.name, lambda each: self._coded(each, place))

    def to_r4(self, element: Element, place: Place) -> None:
        _each(element, self.name, lambda each: self._referred(each, place))

    def _coded(self, reference: Element, place: Place) -> Element:
        concepts, _ = unstow(reference, place.url(self.name, "R5"), "CodeableConcept")
        if concepts:
            reference.pop("display", None)
        found = {"concept": concepts[0]} if concepts else {}
        return found | ({"reference": reference} if reference else {})

    def _referred(self, found: Element, place: Place) -> Element:
        reference, concept = as_object(found.get("reference")), as_object(found.get("concept"))
        if concept:
            reference = reference | ({} if reference else {"display": _spoken(concept)})
            stow(reference, place.url(self.name, "R5"), "CodeableConcept", concept)
        return reference


@dataclass(frozen=True, slots=True)
class Concepts:
    """Coding in R4, CodeableConcept in R5."""

    name: str

    def to_r5(self, element: Element, _: Place) -> None:
        _each(element, self.name, lambda coding: {"coding": [coding]})

    def to_r4(self, element: Element, _: Place) -> None:
        _each(element, self.name, _coding)


def _each(element: Element, name: str, turned: Callable[[Element], Any]) -> None:
    found = element.get(name)
    if isinstance(found, dict):
        element[name] = turned(found)
    elif isinstance(found, list):
        element[name] = [turned(each) for each in found if isinstance(each, dict)]


def _coding(concept: Element) -> Element:
    codings = objects(concept.get("coding"))
    return codings[0] if codings else {"display": _spoken(concept)}


def _spoken(concept: Element) -> str:
    """Return what people call a concept."""
    displays = [each.get("display") or each.get("code") for each in objects(concept.get("coding"))]
    return str(concept.get("text") or next((each for each in displays if each), "not named"))
