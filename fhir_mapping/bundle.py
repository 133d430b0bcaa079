"""Bundles: pages of a search, and transactions of a folder that are read like one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_mapping.lenient import as_object, objects
from fhir_mapping.references import is_id

_URN = ("urn:uuid:", "urn:oid:")


def resources(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the resources, outcomes of the search left out.

    References by ``urn:uuid`` (a transaction's own names) are rewritten to ``Type/id``.
    """
    entries = [entry for entry in objects(bundle.get("entry")) if isinstance(entry.get("resource"), dict)]
    names = dict(_names(entries))
    for entry in entries:
        if as_object(entry.get("search")).get("mode") == "outcome":
            continue
        yield _renamed(entry["resource"], names) if names else entry["resource"]


def link(bundle: dict[str, Any], relation: str) -> str | None:
    """Return the URL of a link (``next``, ``self``). It is not checked: compare its origin before use."""
    for each in objects(bundle.get("link")):
        if each.get("relation") == relation and isinstance(each.get("url"), str):
            return str(each["url"])
    return None


def _names(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
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
