"""SubscriptionTopic (R5): what a server offers to be subscribed to.

Only a topic that tells of every creation and change of a type is of use. One that has criteria of its own
would keep silent about some of them, a withdrawal for instance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_mapping.lenient import as_list, objects

_NEEDED = frozenset({"create", "update"})
_CRITERIA = ("queryCriteria", "fhirPathCriteria")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic by its canonical ``url``; ``filters`` are the search parameters that narrow it."""

    url: str
    filters: tuple[str, ...] = ()

    def filter_for(self, criteria: str) -> str | None:
        """Return ``criteria`` (``Type?name=value``) where the topic may be narrowed so, else None."""
        _, _, query = criteria.partition("?")
        names = [part.partition("=")[0].partition(":")[0] for part in query.split("&") if part]
        return criteria if names and {*names} <= {*self.filters} else None


def topics(resources: Iterable[dict[str, Any]]) -> dict[str, Topic]:
    """Return a topic for each resource type of which one tells everything; of several the first by URL."""
    found: dict[str, Topic] = {}
    usable = [
        each for each in resources if each.get("status") == "active" and isinstance(each.get("url"), str)
    ]
    for each in sorted(usable, key=lambda one: str(one["url"])):
        for kind in _told(each):
            found.setdefault(kind, Topic(each["url"], _filters(each, kind)))
    return found


def _told(topic: dict[str, Any]) -> set[str]:
    return {
        _kind(trigger)
        for trigger in objects(topic.get("resourceTrigger"))
        if {str(each) for each in as_list(trigger.get("supportedInteraction"))} >= _NEEDED
        and not any(one in trigger for one in _CRITERIA)
    }


def _filters(topic: dict[str, Any], kind: str) -> tuple[str, ...]:
    allowed = [each for each in objects(topic.get("canFilterBy")) if _kind(each) in (kind, "")]
    return tuple(sorted({str(each["filterParameter"]) for each in allowed if "filterParameter" in each}))


def _kind(part: dict[str, Any]) -> str:
    """Return the type that a topic names by its name or by the canonical of its definition."""
    return str(part.get("resource", "")).rsplit("/", 1)[-1]
