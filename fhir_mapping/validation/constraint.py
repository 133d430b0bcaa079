"""What a constraint is: HL7's key, the words for a breach, and where a value breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fhir_mapping.validation.breaches import HERE, NOWHERE, Places, Value, has

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint under HL7's key; ``breaches`` names the places that break it.

    It can be broken only where all names of ``among`` are there. Where it is ``formal``, only the names of
    a value matter to it, and not what stands under them. A value that the JSON schema ``proof`` accepts keeps
    it, if no primitive of it has extensions; the schema uses no words newer than draft 4, save
    ``dependentRequired`` and ``dependentSchemas``.
    """

    key: str
    text: str
    breaches: Callable[[Value], Places]
    among: frozenset[str] = frozenset()
    formal: bool = False
    proof: Schema | None = None

    @property
    def sentence(self) -> str:
        return f"{self.text} ({self.key})" if self.key else self.text

    def may_break(self, names: tuple[str, ...]) -> bool:
        """Tell whether a value with these names has to be looked at."""
        if not self.among.issubset(names):
            return False
        return not self.formal or bool(self.breaches(dict.fromkeys(names)))


def these(*names: str) -> frozenset[str]:
    return frozenset(names)


def without(*names: str) -> Schema:
    return {"properties": dict.fromkeys(names, False)}


def among(key: str, names: frozenset[str], text: str, breaches: Callable[[Value], Places]) -> Constraint:
    """What can be broken only where all ``names`` are there."""
    return Constraint(key, text, breaches, names, proof={"not": {"required": sorted(names)}})


def needs(key: str, name: str, other: str, text: str) -> Constraint:
    """Where there is ``name`` there is ``other``."""

    def broken(value: Value) -> Places:
        return HERE if has(value, name) and not has(value, other) else NOWHERE

    return Constraint(key, text, broken, formal=True, proof={"dependentRequired": {name: [other]}})


def some(key: str, names: tuple[str, ...], text: str) -> Constraint:
    """At least one of ``names`` is there."""

    def broken(value: Value) -> Places:
        return NOWHERE if any(has(value, name) for name in names) else HERE

    proof = {"anyOf": [{"required": [name]} for name in names]}
    return Constraint(key, text, broken, formal=True, proof=proof)


def not_both(key: str, name: str, other: str, text: str) -> Constraint:
    """At most one of two elements is there."""

    def broken(value: Value) -> Places:
        return HERE if has(value, name) and has(value, other) else NOWHERE

    return Constraint(key, text, broken, formal=True, proof={"not": {"required": [name, other]}})


def alike(key: str, name: str, other: str, text: str, *, wanted: bool) -> Constraint:
    """Two elements are both there or neither (``wanted``), or else exactly one of them is."""

    def broken(value: Value) -> Places:
        return NOWHERE if (has(value, name) == has(value, other)) is wanted else HERE

    return Constraint(key, text, broken, formal=True)
