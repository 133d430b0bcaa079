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


def modified(resource: dict[str, Any]) -> bool:
    """Tell whether ``resource`` carries what may reverse its meaning."""
    return bool(resource.get("modifierExtension") or resource.get("implicitRules"))
