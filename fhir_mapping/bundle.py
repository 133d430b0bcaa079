"""Bundles: pages of a search, and transactions of a folder that are read like one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fhir_mapping.errors import Unusable
from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.references import is_id

_URN = ("urn:uuid:", "urn:oid:")


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


_DECODER = msgspec.json.Decoder(_Bundle)


def resources(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the resources, outcomes of the search left out.

    References by ``urn:uuid`` (a transaction's own names) are rewritten to ``Type/id``.
    """
    return (resource for _, resource in _numbered(bundle))


def pairs(bundle: dict[str, Any], body: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield what ``resources`` yields, each with the bytes of it in ``body``, of which ``bundle`` was read.

    Raises
    ------
    Unusable
        Where ``body`` is not a Bundle of entries, or names its entries twice.
    """
    raw = received(body)
    if len(raw) != len(as_list(bundle.get("entry"))):
        raise Unusable("structure", "the Bundle names its entries twice", 422, "Bundle.entry")
    return ((resource, raw[number]) for number, resource in _numbered(bundle))


def received(body: bytes) -> list[bytes]:
    """Return the resource of every entry of the Bundle in ``body``, byte for byte as received.

    An entry without one gives no bytes.

    Raises
    ------
    Unusable
        Where ``body`` is not a Bundle of entries.
    """
    try:
        return [bytes(entry.resource) for entry in _DECODER.decode(body).entry]
    except msgspec.MsgspecError:
        raise Unusable("structure", "the entries are not objects", 422, "Bundle.entry") from None


def _numbered(bundle: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    entries = [
        (number, entry)
        for number, entry in enumerate(as_list(bundle.get("entry")))
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    ]
    names = dict(_names(entry for _, entry in entries))
    for number, entry in entries:
        if as_object(entry.get("search")).get("mode") != "outcome":
            yield number, _renamed(entry["resource"], names) if names else entry["resource"]


def link(bundle: dict[str, Any], relation: str) -> str | None:
    """Return the URL of a link (``next``, ``self``). It is not checked: compare its origin before use."""
    for each in objects(bundle.get("link")):
        if each.get("relation") == relation and isinstance(each.get("url"), str):
            return str(each["url"])
    return None


def _names(entries: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        name, resource = entry.get("fullUrl"), entry["resource"]
        if isinstance(name, str) and name.startswith(_URN) and is_id(resource.get("id")):
            yield name, f"{resource.get('resourceType')}/{resource['id']}"


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _target(key, each, names) for key, each in value.items()}
    return [_renamed(each, names) for each in value] if isinstance(value, list) else value


def _target(key: str, value: Any, names: dict[str, str]) -> Any:
    if key == "reference" and isinstance(value, str):
        return names.get(value, value)
    return _renamed(value, names)
