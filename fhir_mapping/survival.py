"""What of a resource that we wrote did not survive at the hospital.

A server may add elements, keys and narrative, give its own version and time of storage, make
references absolute and write an instant in another zone. It may not drop or change what we sent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from fhir_mapping.instants import moment
from fhir_mapping.references import parse

# Not ours to keep: the server's own marks, and text that servers generate anew.
_IGNORED = frozenset({"meta.versionId", "meta.lastUpdated", "text"})
# Lists that servers keep as sets and add to.
_SETS = frozenset({"meta.tag", "meta.security", "meta.profile"})


def lost(
    sent: dict[str, Any], read_back: dict[str, Any], ignored: frozenset[str] = _IGNORED
) -> tuple[str, ...]:
    """Return the places (``prediction[0].rationale``) that are missing or changed in ``read_back``."""
    return tuple(_lost(sent, read_back, "", ignored))


def _lost(sent: Any, found: Any, place: str, ignored: frozenset[str]) -> Iterator[str]:
    if isinstance(sent, dict) and isinstance(found, dict):
        for key, value in sent.items():
            inner = f"{place}.{key}" if place else key
            if inner not in ignored:
                yield from _lost(value, found.get(key), inner, ignored)
    elif isinstance(sent, list) and isinstance(found, list):
        yield from _lost_in_list(sent, found, place, ignored)
    elif not _same(sent, found, place):
        yield place


def _lost_in_list(sent: list[Any], found: list[Any], place: str, ignored: frozenset[str]) -> Iterator[str]:
    if place in _SETS:
        for index, value in enumerate(sent):
            if all(any(_lost(value, each, "", ignored)) for each in found):
                yield f"{place}[{index}]"
        return
    for index, value in enumerate(sent):
        each = found[index] if index < len(found) else None
        yield from _lost(value, each, f"{place}[{index}]", ignored)


def _same(sent: Any, found: Any, place: str) -> bool:
    if isinstance(sent, str) and isinstance(found, str):
        return sent == found or _same_text(sent, found, place)
    if isinstance(sent, bool) or isinstance(found, bool) or sent is None or found is None:
        return sent is found
    if isinstance(sent, int | float) and isinstance(found, int | float):
        return math.isclose(sent, found, rel_tol=1e-12)
    return False


def _same_text(sent: str, found: str, place: str) -> bool:
    if place == "meta.source":
        return found.startswith(f"{sent}#")
    if place.endswith(".reference"):
        target = parse(sent)
        return target is not None and parse(found) == target
    at = moment(sent)
    return at is not None and at.exact and at == moment(found)
