"""What the mapping of one resource type is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_mapping.errors import Problem
from twin_engine.twin import Item, Subject


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: the reference with version, and the instant at which it is read."""

    source: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Mapped:
    """Values of the engine, and what was quarantined.

    ``relevant`` is False where the resource is about nothing that any model knows.
    """

    items: tuple[Item, ...] = ()
    subject: Subject | None = None
    reasons: tuple[Problem, ...] = ()
    relevant: bool = True


IRRELEVANT = Mapped(relevant=False)

Mapping = Callable[[dict[str, Any], Origin], Mapped]
