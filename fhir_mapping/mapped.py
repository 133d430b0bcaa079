"""What the mapping of one resource type is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fhir_mapping.errors import Problem
from twin_engine.twin import Item, Subject


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: the reference with version, and the instant at which it is read.

    ``others`` are resources beside it, by ``Type/id``, that its references may lead to.
    """

    source: str
    now: datetime
    others: Map[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapped:
    """Values of the engine, and what was quarantined.

    ``relevant`` is False where the resource is about nothing that any model knows. ``wants`` are references
    (``Type/id``) to resources without which it could not be understood.
    """

    items: tuple[Item, ...] = ()
    subject: Subject | None = None
    reasons: tuple[Problem, ...] = ()
    relevant: bool = True
    wants: tuple[str, ...] = ()


IRRELEVANT = Mapped(relevant=False)

Mapping = Callable[[dict[str, Any], Origin], Mapped]

MODIFIED = "it carries a modifier that is not understood, which may reverse its meaning"


# Parts that are judged one by one, each by its own modifiers.
_APART = frozenset({"component", "condition", "contained"})
# Elements that may reverse the meaning, where only an extension says what they would.
_UNSAID = frozenset({"_comparator", "_doNotPerform", "_implicitRules"})


def modified(resource: dict[str, Any]) -> bool:
    """Tell whether ``resource``, or a part that is not judged apart, carries what may reverse its meaning."""
    if resource.get("modifierExtension") or resource.get("implicitRules") or not _UNSAID.isdisjoint(resource):
        return True
    return any(_holds(value) for name, value in resource.items() if name not in _APART)


def _holds(value: object) -> bool:
    if isinstance(value, list):
        return any(_holds(each) for each in value)
    return isinstance(value, dict) and modified(value)
