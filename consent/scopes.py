"""SMART 2.2 resource scopes: ``system/Observation.rs`` and the older ``system/Observation.read``."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SCOPE = re.compile(
    r"(?:patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<may>read|write|\*|(?=[cruds])c?r?u?d?s?)"
)
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}


def covers(granted: Iterable[str], resource_type: str, interactions: str) -> bool:
    """Whether the union of the granted scopes allows all interactions on the whole type.

    Parameters
    ----------
    granted
        scope strings; whatever is not a resource scope, or covers only part of a type
        (``?category=...``), counts for nothing.
    resource_type
        a FHIR type, or ``*`` for all types, which only a wildcard scope covers.
    interactions
        letters of ``cruds``.
    """
    return set(interactions) <= {letter for scope in granted for letter in _letters(scope, resource_type)}


def _letters(scope: str, resource_type: str) -> str:
    match = _SCOPE.fullmatch(scope)
    if match is None or match["type"] not in ("*", resource_type):
        return ""
    return _VERSION_1.get(match["may"], match["may"])
