"""Rest-hook Subscriptions of ours in an EHR.

Registering is idempotent: what already stands for the same endpoint is found and kept, mended where it
differs, and woken where the EHR has put it to sleep. A Subscription is always written whole from what we
want, because an EHR may hide the secret header when the resource is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fhir_mapping import subscription
from fhir_mapping.lenient import as_object
from fhir_mapping.subscription_topic import Topic
from gateway.hospitals.connection import Connection, Fetched
from gateway.hospitals.errors import AmbiguousWrite, NotAuthorised, WriteRefused
from gateway.hospitals.profile import Profile

Status = Literal["requested", "active", "error", "off", "gone"]
_STATUSES: dict[str, Status] = {"requested": "requested", "active": "active", "error": "error", "off": "off"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A Subscription as it should stand.

    ``header`` is the secret line that comes with each notification (``Authorization: Bearer ...``);
    ``payload`` None asks for notifications without content. ``topic`` is the EHR's own where it tells only
    of topics.
    """

    criteria: str
    endpoint: str
    header: str
    payload: str | None = None
    topic: Topic | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A Subscription in the EHR; ``status`` ``gone`` where it no longer stands."""

    id: str
    status: Status


def register(
    connection: Connection, wanted: Wanted, profile: Profile, stored: str | None = None
) -> Registered:
    """Have ``wanted`` stand in the EHR once.

    Parameters
    ----------
    stored
        The id under which it was registered before, if any.

    Raises
    ------
    AmbiguousWrite
        It may have been created and cannot be searched for: an administrator has to look.
    """
    standing = _find(connection, wanted, profile, stored)
    if standing is None:
        return _create(connection, wanted, profile)
    if _status(standing) in {"off", "error"} or not _same(standing.resource, wanted):
        return reactivate(connection, wanted, standing.id)
    return Registered(standing.id, _status(standing))


def look(connection: Connection, id_: str) -> Registered:
    """Return how a Subscription stands now."""
    standing = connection.get("Subscription", id_)
    return Registered(id_, "gone") if standing is None else Registered(id_, _status(standing))


def reactivate(connection: Connection, wanted: Wanted, id_: str) -> Registered:
    """Ask for a Subscription anew under its id; what it missed meanwhile is for the catch-up."""
    put = connection.put(_resource(wanted, id_))
    return look(connection, put.id)


def remove(connection: Connection, id_: str) -> None:
    """Take a Subscription away; where we may not delete (we do not ask for that scope) it is switched off."""
    try:
        connection.delete("Subscription", id_)
    except (NotAuthorised, WriteRefused):
        standing = connection.get("Subscription", id_)
        if standing is not None:
            connection.put({**standing.resource, "status": "off"})


def _create(connection: Connection, wanted: Wanted, profile: Profile) -> Registered:
    try:
        made = connection.create(_resource(wanted)).id
    except AmbiguousWrite:
        standing = _find(connection, wanted, profile, None)
        if standing is None:
            raise
        made = standing.id
    return look(connection, made)


def _find(connection: Connection, wanted: Wanted, profile: Profile, stored: str | None) -> Fetched | None:
    known = connection.get("Subscription", stored) if stored is not None else None
    if known is not None:
        return known
    if not profile.searchable("Subscription", "url"):
        return None
    found = connection.search("Subscription", [("url", wanted.endpoint)])
    return next((each for each in found if _channel(each.resource).get("endpoint") == wanted.endpoint), None)


def _resource(wanted: Wanted, id_: str | None = None) -> dict[str, Any]:
    return subscription.render(
        wanted.criteria,
        wanted.endpoint,
        wanted.header,
        payload=wanted.payload,
        identifier=id_,
        topic=wanted.topic,
    )


def _same(standing: dict[str, Any], wanted: Wanted) -> bool:
    channel, rendered = _channel(standing), _resource(wanted)
    return (
        all(standing.get(name) == rendered.get(name) for name in ("criteria", "_criteria"))
        and channel.get("endpoint") == wanted.endpoint
        and channel.get("payload") == wanted.payload
        and channel.get("header") in ([wanted.header], None)
    )


def _channel(resource: dict[str, Any]) -> dict[str, Any]:
    return as_object(resource.get("channel"))


def _status(standing: Fetched) -> Status:
    return _STATUSES.get(str(standing.resource.get("status")), "error")
