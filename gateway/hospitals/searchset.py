"""What of a page of search results may be believed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fhir_mapping.bundle import link, received
from fhir_mapping.errors import Unusable
from fhir_mapping.lenient import as_object
from gateway.hospitals.errors import BadAnswer, UnreliableSearch

_SHAPES_ONLY = {"_count", "_elements", "_summary", "_sort", "_total", "_format", "_include", "_revinclude"}
_SAME = {"subject": "patient"}  # an EHR may name either in its self link


def check_self(bundle: dict[str, Any], kind: str, asked: Iterable[tuple[str, str]]) -> None:
    """Raise ``UnreliableSearch`` where the self link of a first page lacks a parameter that was asked for.

    By FHIR the self link names what the server really searched for. A page without one shows nothing.
    """
    stated = link(bundle, "self")
    if stated is None:
        return
    used = {_plain(name) for name, _ in parse_qsl(urlsplit(stated).query, keep_blank_values=True)}
    dropped = {_plain(name) for name, _ in asked if name not in _SHAPES_ONLY} - used
    if dropped:
        raise UnreliableSearch(f"the EHR ignored {', '.join(sorted(dropped))} in a search for {kind}")


def matches(bundle: dict[str, Any], body: bytes, kind: str) -> list[tuple[dict[str, Any], bytes]]:
    """Return the matches of the Bundle in ``body``, each with the bytes received of it.

    Included resources and outcomes are none.

    Raises
    ------
    BadAnswer
        An entry without a resource, or entries that two readers would read differently.
    UnreliableSearch
        A match that is not of ``kind`` or has no id.
    """
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise BadAnswer("Bundle.entry is no list")
    chosen = [_is_match(entry) for entry in entries]
    raw = _received(body)
    if len(entries) != len(raw):
        raise BadAnswer("the Bundle names its entries twice")
    found = [(entry["resource"], raw[at]) for at, entry in enumerate(entries) if chosen[at]]
    if any(resource.get("resourceType") != kind or not resource.get("id") for resource, _ in found):
        raise UnreliableSearch(f"a search for {kind} returned something else")
    return found


def _received(body: bytes) -> list[bytes]:
    try:
        return received(body)
    except Unusable as error:
        raise BadAnswer("Bundle.entry is no list of objects") from error


def _is_match(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
        raise BadAnswer("a Bundle entry without a resource")
    mode = as_object(entry.get("search")).get("mode")
    outcome = entry["resource"].get("resourceType") == "OperationOutcome"
    return mode == "match" or (mode is None and not outcome)


def _plain(name: str) -> str:
    head = name.partition(":")[0]
    return _SAME.get(head, head)
