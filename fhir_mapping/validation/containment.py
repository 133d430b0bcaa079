"""HL7's dom-3: what a resource contains must be referred to from it, or refer to it.

Any string ``#id`` counts as a reference, since an extension may hold it as uri, url or canonical. A resource
within a resource may contain others again: all of it is walked once, however deep they lie.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fragments:
    """The local references in a resource, numbered as they are met.

    ``met`` gives the numbers of each text, ascending; ``spans`` says which of them lie within a resource (by
    its ``id`` in Python): those from the first number on and below the second.
    """

    met: dict[str, list[int]]
    spans: dict[int, _Span]

    def unreferenced(self, resource: dict[str, Any]) -> Iterator[int]:
        """Yield the index of each resource in ``contained`` that nothing leads to."""
        whole = self.spans[id(resource)]
        for index, inner in enumerate(resource["contained"]):
            if not (self._stands(f"#{inner.get('id')}", whole) or self._stands("#", self.spans[id(inner)])):
                yield index

    def _stands(self, text: str, span: _Span) -> bool:
        first, end = span
        numbers = self.met.get(text, ())
        at = bisect_left(numbers, first)
        return at < len(numbers) and numbers[at] < end


def fragments(resource: dict[str, Any]) -> Fragments:
    """Return the local references in ``resource`` and in all resources within it."""
    met: dict[str, list[int]] = defaultdict(list)
    spans: dict[int, _Span] = {}
    count = 0
    waiting: list[Any] = [resource]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if part.startswith("#"):
                met[part].append(count)
                count += 1
        elif isinstance(part, dict):
            if "resourceType" in part:
                waiting.append((id(part), count))
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, tuple):  # all of a resource has been walked
            spans[part[0]] = part[1], count
    return Fragments(met, spans)
