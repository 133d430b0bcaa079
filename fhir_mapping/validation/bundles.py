"""What breaks HL7's constraints on a Bundle; ``constraints`` gives the keys."""

from __future__ import annotations

from collections.abc import Callable

from fhir_mapping.validation.breaches import HERE, NOWHERE, Places, Value, has

_SETS = frozenset({"searchset", "history"})
_REQUESTS = frozenset({"batch", "transaction", "history"})
_RESPONSES = frozenset({"batch-response", "transaction-response", "history"})


def total(bundle: Value) -> Places:
    return (".total",) if has(bundle, "total") and bundle.get("type") not in _SETS else NOWHERE


def search(bundle: Value) -> Places:
    return NOWHERE if bundle.get("type") == "searchset" else _entries(bundle, lambda entry: "search" in entry)


def request(bundle: Value) -> Places:
    wanted = bundle.get("type") in _REQUESTS
    return _entries(bundle, lambda entry: ("request" in entry) != wanted)


def response(bundle: Value) -> Places:
    wanted = bundle.get("type") in _RESPONSES
    return _entries(bundle, lambda entry: ("response" in entry) != wanted)


def hollow(bundle: Value) -> Places:
    return _entries(bundle, {"resource", "request", "response"}.isdisjoint)


def repeated(bundle: Value) -> Places:
    """Name the later of two entries that are alike; a history names a resource once for each version."""
    if bundle.get("type") == "history":
        return NOWHERE
    names = _names(bundle)
    first = {name: index for index, name in reversed(names)}
    return [f".entry[{index}].fullUrl" for index, name in names if first[name] != index]


def _names(bundle: Value) -> list[tuple[int, tuple[str, str | None]]]:
    return [
        (index, (entry["fullUrl"], entry.get("resource", {}).get("meta", {}).get("versionId")))
        for index, entry in enumerate(bundle.get("entry", ()))
        if "fullUrl" in entry
    ]


def versioned(bundle: Value) -> Places:
    return [
        f"{place}.fullUrl"
        for place in _entries(bundle, lambda entry: "/_history/" in entry.get("fullUrl", ""))
    ]


def identifier(bundle: Value) -> Places:
    known = bundle.get("identifier", {})
    complete = has(known, "system") and has(known, "value")
    return HERE if bundle.get("type") == "document" and not complete else NOWHERE


def date(bundle: Value) -> Places:
    return HERE if bundle.get("type") == "document" and "timestamp" not in bundle else NOWHERE


def composition(bundle: Value) -> Places:
    return _first(bundle, "document", "Composition")


def message_header(bundle: Value) -> Places:
    return _first(bundle, "message", "MessageHeader")


def _first(bundle: Value, kind: str, first: str) -> Places:
    if bundle.get("type") != kind:
        return NOWHERE
    entry = next(iter(bundle.get("entry", ())), None)
    if entry is None:
        return HERE
    return NOWHERE if entry.get("resource", {}).get("resourceType") == first else (".entry[0]",)


def _entries(bundle: Value, is_wrong: Callable[[Value], bool]) -> Places:
    return [f".entry[{index}]" for index, entry in enumerate(bundle.get("entry", ())) if is_wrong(entry)]
