"""A notification of the hospital -> which resources changed.

Read are the shapes of R4 rest-hooks (a resource in the body, with or without ``Type/id`` in the path; zero
bytes) and of the R5 Subscriptions Backport for R4 and R4B (a history Bundle whose first entry is a Parameters
or a SubscriptionStatus, with or without ``entry.request``). A notification is a hint: nothing of the
resource in it is used but its identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from fhir_mapping import guard
from fhir_mapping.errors import Unusable
from fhir_mapping.identity import content_hash, is_own, version_of
from fhir_mapping.lenient import as_object, objects
from fhir_mapping.references import Reference, is_id, parse, subject_id

Kind = Literal["handshake", "heartbeat", "empty", "event", "query-error"]
_JSON = frozenset({"application/fhir+json", "application/json", "application/json+fhir", "text/json"})
_TYPES = frozenset({"handshake", "heartbeat", "event-notification", "query-status", "query-event"})
_STATUS = ("Parameters", "SubscriptionStatus")


@dataclass(frozen=True, slots=True)
class Change:
    """A resource that changed.

    ``version`` is None and ``content_hash`` empty where the notification holds only a reference; then it
    cannot be told from a repetition. ``subject`` is the Patient's id. ``own`` marks what Didymos wrote.
    """

    type: str
    id: str
    version: str | None
    subject: str | None
    deleted: bool
    content_hash: str
    own: bool


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says.

    ``event_number`` is the highest that it tells, so that a gap can be seen; ``subscription`` a
    reference, None for classic rest-hooks, whose URL names it. ``empty`` says that something changed and
    not what; ``query-error`` that the hospital has given the Subscription up.
    """

    kind: Kind
    events: tuple[Change, ...] = ()
    event_number: int | None = None
    subscription: str | None = None


def read(
    type_in_path: str | None,
    id_in_path: str | None,
    content_type: str | None,
    body: bytes,
    *,
    deleted: bool = False,
) -> Notification:
    """Read one request; ``deleted`` says that its method was DELETE.

    Raises
    ------
    Unusable
        415 for another format than JSON, 413 and 400 as ``guard.parse``, 422 where path and body differ.
    """
    named = (type_in_path, id_in_path) != (None, None)
    if named and (None in (type_in_path, id_in_path) or parse(f"{type_in_path}/{id_in_path}") is None):
        raise Unusable("value", "the path is not a type and an id", 404)
    if not body:
        return _without_body(type_in_path, id_in_path, deleted)
    _check_format(content_type)
    resource = guard.resource(body)
    if resource["resourceType"] == "Bundle":
        return _backport(resource)
    if resource["resourceType"] in _STATUS:
        return _told(resource, (), resource["resourceType"])
    change = _change(resource, deleted=deleted)
    if named and (type_in_path, id_in_path) != (change.type, change.id):
        raise Unusable("invalid", "the path names another resource than the body", 422)
    return Notification("event", (change,))


def _without_body(kind: str | None, identifier: str | None, deleted: bool) -> Notification:
    if kind is None or identifier is None:
        return Notification("empty")
    return Notification("event", (Change(kind, identifier, None, None, deleted, "", own=False),))


def _check_format(content_type: str | None) -> None:
    if content_type is None:
        return
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = {part.partition("=")[2].strip('"') for part in parameters if part.startswith("charset=")}
    if media not in _JSON or not charsets <= {"utf-8", "utf8"}:
        raise Unusable("not-supported", "only JSON in UTF-8 is read", 415)


def _change(resource: dict[str, Any], place: str = "Resource.id", *, deleted: bool = False) -> Change:
    kind, identifier = resource.get("resourceType"), resource.get("id")
    if not is_id(identifier) or parse(f"{kind}/{identifier}") is None:
        raise Unusable("value", "the resource has no type or no valid id", 422, place)
    return Change(
        str(kind),
        str(identifier),
        version_of(resource),
        subject_id(resource),
        deleted,
        content_hash(resource),
        is_own(resource),
    )


def _backport(bundle: dict[str, Any]) -> Notification:
    entries = objects(bundle.get("entry"))
    status = as_object(entries[0].get("resource")) if entries else {}
    place = "Bundle.entry[0].resource"
    if status.get("resourceType") not in _STATUS:
        raise Unusable("not-supported", "the Bundle is not a notification", 422, place)
    return _told(status, tuple(entries[1:]), place)


def _told(status: dict[str, Any], entries: tuple[dict[str, Any], ...], place: str) -> Notification:
    fields, events = _parameters(status) if status["resourceType"] == "Parameters" else _status(status)
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        told_by = "type" if status["resourceType"] == "SubscriptionStatus" else "parameter"
        text = "the type of notification is not known"
        raise Unusable("code-invalid", text, 422, f"{place}.{told_by}")
    changes = tuple(dict.fromkeys(_changes(events, entries)))
    numbers = [_number(event.get("event-number")) for event in events]
    told = [n for n in (*numbers, _number(fields.get("events-since-subscription-start"))) if n is not None]
    subscription = parse(as_object(fields.get("subscription")).get("reference"))
    return Notification(
        _kind(kind, fields.get("status"), changes),
        changes,
        max(told, default=None),
        str(subscription) if subscription else None,
    )


def _kind(kind: str, status: object, changes: tuple[Change, ...]) -> Kind:
    if changes:
        return "event"
    if status == "error":
        return "query-error"
    if kind in ("event-notification", "query-event"):
        return "empty"
    return "handshake" if kind == "handshake" else "heartbeat"


def _parameters(status: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the fields and events of a Parameters, whichever ``value[x]`` a server chose."""
    parameters = objects(status.get("parameter"))
    fields = {str(each.get("name")): _value(each) for each in parameters}
    events = [
        {str(part.get("name")): _value(part) for part in objects(each.get("part"))}
        for each in parameters
        if each.get("name") == "notification-event"
    ]
    return fields, events


def _status(status: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the fields and events of a SubscriptionStatus (R4B, R5) under the names of R4."""
    fields = {
        "type": status.get("type"),
        "status": status.get("status"),
        "subscription": status.get("subscription"),
        "events-since-subscription-start": status.get("eventsSinceSubscriptionStart"),
    }
    events = [
        {"event-number": each.get("eventNumber"), "focus": each.get("focus")}
        for each in objects(status.get("notificationEvent"))
    ]
    return fields, events


def _changes(events: list[dict[str, Any]], entries: tuple[dict[str, Any], ...]) -> Iterator[Change]:
    """Yield the focus of every event, completed by its entry; without focus, every entry."""
    known = {str(found): entry for entry in entries if (found := _entry_reference(entry))}
    foci = [found for event in events if (found := parse(as_object(event.get("focus")).get("reference")))]
    wanted = foci or [found for entry in entries if (found := _entry_reference(entry))]
    for reference in wanted:
        plain = str(Reference(reference.type, reference.id))
        yield _entry_change(reference, known.get(plain, {}))


def _entry_reference(entry: dict[str, Any]) -> Reference | None:
    resource = as_object(entry.get("resource"))
    named = parse(f"{resource.get('resourceType')}/{resource.get('id')}") if resource else None
    found = named or parse(entry.get("fullUrl")) or parse(as_object(entry.get("request")).get("url"))
    return Reference(found.type, found.id) if found else None


def _entry_change(reference: Reference, entry: dict[str, Any]) -> Change:
    deleted = as_object(entry.get("request")).get("method") == "DELETE"
    resource = as_object(entry.get("resource"))
    if resource:
        return _change(resource, "Bundle.entry.resource.id", deleted=deleted)
    version = reference.version or _etag(as_object(entry.get("response")).get("etag"))
    return Change(reference.type, reference.id, version, None, deleted, "", own=False)


def _etag(etag: object) -> str | None:
    version = etag.removeprefix("W/").strip('"') if isinstance(etag, str) else None
    return version if is_id(version) else None


def _value(parameter: dict[str, Any]) -> Any:
    return next((value for key, value in parameter.items() if key.startswith("value")), None)


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None
