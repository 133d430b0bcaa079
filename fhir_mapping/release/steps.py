"""The kinds of difference between R4 and R5: each is one step, and knows both directions.

A step passes over what is of the wrong type: that it is wrong is for the structural check to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.release.place import UNKNOWN, Element, Kind, Place, Release, Step, put_back, stow, unstow

_RESTRICTED = "R4 has no element that says it, and without it the rest would mean something else"


@dataclass(frozen=True, slots=True)
class Renamed:
    """One element under two names."""

    r4: str
    r5: str

    def to_r5(self, element: Element, _: Place) -> None:
        _move(element, self.r4, self.r5)

    def to_r4(self, element: Element, _: Place) -> None:
        _move(element, self.r5, self.r4)


@dataclass(frozen=True, slots=True)
class Only:
    """An element of one release, which the other carries as an extension."""

    release: Release
    name: str
    kind: Kind
    many: bool = False

    def to_r5(self, element: Element, place: Place) -> None:
        self._turn(element, place, leaving=self.release == "R4")

    def to_r4(self, element: Element, place: Place) -> None:
        self._turn(element, place, leaving=self.release == "R5")

    def _turn(self, element: Element, place: Place, *, leaving: bool) -> None:
        url = place.url(self.name, self.release)
        if not leaving:
            put_back(element, self.name, unstow(element, url, self.kind), many=self.many)
        elif self.name in element or f"_{self.name}" in element:
            self._refuse_modifiers(element, place)
            stow(element, url, self.kind, element.pop(self.name, None), element.pop(f"_{self.name}", None))

    def _refuse_modifiers(self, element: Element, place: Place) -> None:
        value = element.get(self.name)
        for each in objects(value) or [as_object(value)]:
            if "modifierExtension" in each:
                place.refuse(self.name, "it carries a modifier that the other release cannot show")


@dataclass(frozen=True, slots=True)
class Refused:
    """Elements of R5 without which the rest would be misunderstood, and which R4 cannot say."""

    names: tuple[str, ...]
    text: str = _RESTRICTED

    def to_r5(self, _element: Element, _: Place) -> None:
        return

    def to_r4(self, element: Element, place: Place) -> None:
        for name in self.names:
            present = element.pop(name, None), element.pop(f"_{name}", None)
            if present != (None, None):
                place.refuse(name, self.text)


@dataclass(frozen=True, slots=True)
class Listed:
    """One value in one release, a list in the other; what there is no room for goes as an extension."""

    r4: str
    kind: str
    r5: str = ""
    plural: Release = "R5"

    def to_r5(self, element: Element, place: Place) -> None:
        self._turn(element, place, self.r4, self.r5 or self.r4, many=self.plural == "R5")

    def to_r4(self, element: Element, place: Place) -> None:
        self._turn(element, place, self.r5 or self.r4, self.r4, many=self.plural == "R4")

    def _turn(self, element: Element, place: Place, there: str, here: str, *, many: bool) -> None:
        listed = here if many else there
        found, shadow = element.pop(there, None), element.pop(f"_{there}", None)
        url = place.url(listed, self.plural)
        if many:
            rest, _ = unstow(element, url, self.kind)
            values = ([] if found is None else [found]) + rest
            put_back(element, here, (values, [] if shadow is None else [shadow]), many=True)
        elif isinstance(found, list):
            put_back(element, here, (found[:1], as_list(shadow)[:1]), many=False)
            stow(element, url, self.kind, found[1:])


@dataclass(frozen=True, slots=True)
class Codes:
    """A code whose value set differs.

    Where the nearest code says less, the first one is carried along; an empty one says that none is near.
    """

    name: str
    r5: Mapping[str, str] = field(default_factory=dict)
    r4: Mapping[str, str] = field(default_factory=dict)

    def to_r5(self, element: Element, place: Place) -> None:
        self._turn(element, place, "R4", self.r5, self.r4)

    def to_r4(self, element: Element, place: Place) -> None:
        self._turn(element, place, "R5", self.r4, self.r5)

    def _turn(
        self, element: Element, place: Place, of: Release, there: Mapping[str, str], back: Mapping[str, str]
    ) -> None:
        code = element.get(self.name)
        if not isinstance(code, str):
            return
        earlier, _ = unstow(element, place.url(self.name, "R5" if of == "R4" else "R4"), "code")
        nearest = there.get(code, code)
        if earlier and back.get(earlier[0]) == code:  # else it was changed since
            element[self.name] = earlier[0]
        elif not nearest:
            place.refuse(self.name, "the other release has no code that says it")
        else:
            element[self.name] = nearest
            if back.get(nearest, nearest) != code:
                stow(element, place.url(self.name, of), "code", code)


@dataclass(frozen=True, slots=True)
class Demanded:
    """What one release requires and the other does not: an absence is said, as FHIR has it said."""

    release: Release
    name: str
    primitive: bool = True

    def to_r5(self, element: Element, _: Place) -> None:
        self._turn(element, demanded=self.release == "R5")

    def to_r4(self, element: Element, _: Place) -> None:
        self._turn(element, demanded=self.release == "R4")

    def _turn(self, element: Element, *, demanded: bool) -> None:
        key = f"_{self.name}" if self.primitive else self.name
        if demanded and self.name not in element and key not in element:
            element[key] = UNKNOWN
        elif not demanded and element.get(key) == UNKNOWN and (key == self.name or self.name not in element):
            del element[key]


@dataclass(frozen=True, slots=True)
class Within:
    """Steps inside an element, or inside each of a list; ``path`` names the datatype, if it is one."""

    name: str
    steps: tuple[Step, ...]
    path: str | None = None

    def to_r5(self, element: Element, place: Place) -> None:
        for each, inner in self._parts(element, place):
            for step in self.steps:
                step.to_r5(each, inner)

    def to_r4(self, element: Element, place: Place) -> None:
        for each, inner in self._parts(element, place):
            for step in reversed(self.steps):
                step.to_r4(each, inner)

    def _parts(self, element: Element, place: Place) -> list[tuple[Element, Place]]:
        found = element.get(self.name)
        if isinstance(found, dict):
            return [(found, place.inner(self.name, path=self.path))]
        return [
            (each, place.inner(self.name, index, self.path))
            for index, each in enumerate(as_list(found))
            if isinstance(each, dict)
        ]


@dataclass(frozen=True, slots=True)
class Irregular:
    """A difference that is like no other: a function each way, None where there is nothing to do."""

    r5: Callable[[Element, Place], None] | None
    r4: Callable[[Element, Place], None] | None

    def to_r5(self, element: Element, place: Place) -> None:
        if self.r5 is not None:
            self.r5(element, place)

    def to_r4(self, element: Element, place: Place) -> None:
        if self.r4 is not None:
            self.r4(element, place)


def _move(element: Element, there: str, here: str) -> None:
    for sign in ("", "_"):
        if f"{sign}{there}" in element:
            element[f"{sign}{here}"] = element.pop(f"{sign}{there}")
