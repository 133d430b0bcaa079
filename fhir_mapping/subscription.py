"""Subscriptions that we register at a hospital, and what becomes of them.

They are classic ones of R4, whose criteria are a search, or subscribe to a topic in the form that HL7's
Subscriptions Backport has for R4: the form that is turned into R5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_mapping.errors import Unusable
from fhir_mapping.identity import SOURCE
from fhir_mapping.lenient import as_object
from fhir_mapping.references import is_id
from fhir_mapping.release.subscriptions import CONTENT, FILTER
from fhir_mapping.subscription_topic import Topic

_STATUSES = frozenset({"requested", "active", "error", "off"})


@dataclass(frozen=True, slots=True)
class State:
    """A Subscription as it stands at the hospital; ``error`` may quote the hospital's own words."""

    id: str
    status: str
    criteria: str
    endpoint: str | None
    error: str | None


def render(
    criteria: str,
    endpoint: str,
    header: str,
    *,
    payload: str | None = "application/fhir+json",
    reason: str = "Keep the digital twin current",
    identifier: str | None = None,
    topic: Topic | None = None,
) -> dict[str, Any]:
    """Return a rest-hook Subscription in status ``requested``.

    ``header`` is one line, ``Name: value``, that carries the channel's secret. ``payload`` None asks for
    empty notifications. ``identifier`` is the server's id where an existing one is activated again. With a
    ``topic`` the ``criteria`` narrow it as far as it allows; without, they are what is subscribed to.
    """
    channel = {"type": "rest-hook", "endpoint": endpoint, "header": [header]}
    channel |= {"payload": payload} if payload else {}
    return {
        "resourceType": "Subscription",
        **({"id": identifier} if identifier else {}),
        "meta": {"source": SOURCE},
        "status": "requested",
        "reason": reason,
        **({"criteria": criteria, "channel": channel} if topic is None else _on(topic, criteria, channel)),
    }


def _on(topic: Topic, criteria: str, channel: dict[str, Any]) -> dict[str, Any]:
    content = {"url": CONTENT, "valueCode": "full-resource" if "payload" in channel else "empty"}
    narrowed = topic.filter_for(criteria)
    shown = {"criteria": topic.url, "channel": channel | {"_payload": {"extension": [content]}}}
    if narrowed is None:
        return shown
    return shown | {"_criteria": {"extension": [{"url": FILTER, "valueString": narrowed}]}}


def read(resource: dict[str, Any]) -> State:
    """Return the state of a Subscription.

    Raises
    ------
    Unusable
        Where it is not a Subscription with an id and a status of R4.
    """
    status, identifier = resource.get("status"), resource.get("id")
    if resource.get("resourceType") != "Subscription" or not is_id(identifier):
        raise Unusable("structure", "it is not a Subscription with an id", 422, "Subscription.id")
    if not isinstance(status, str) or status not in _STATUSES:
        raise Unusable("code-invalid", "a code is outside its required value set", 422, "Subscription.status")
    endpoint = as_object(resource.get("channel")).get("endpoint")
    return State(
        str(identifier),
        str(status),
        _text(resource.get("criteria")) or "",
        _text(endpoint),
        _text(resource.get("error")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
