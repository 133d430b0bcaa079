"""HL7's dom-3: what a resource contains must be referred to from it, or refer to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def unreferenced(resource: dict[str, Any]) -> Iterator[int]:
    """Yield the index of each contained resource that nothing leads to.

    Any string ``#id`` counts as a reference, since an extension may hold it as uri, url or canonical.
    """
    named = {text for text in _strings(resource) if text.startswith("#")}
    for index, inner in enumerate(resource["contained"]):
        if f"#{inner.get('id')}" not in named and not _refers_out(inner):
            yield index


def _refers_out(inner: dict[str, Any]) -> bool:
    return "#" in _strings(inner)


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
