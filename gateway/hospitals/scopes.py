"""SMART scopes of backend clients: ``system/<Type or *>.<permissions>``, in both forms.

Version 2 lists permissions as an ordered part of ``cruds``; version 1 says ``read``, ``write`` or ``*``.
Source: SMART App Launch 2.2, "Scopes for requesting FHIR Resources" and "Scopes for requesting clinical data"
(version 1 compatibility). A scope with a query (``?category=...``) grants less than its head says and is
not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,63})\.(\*|read|write|c?r?u?d?s?)")
_FIRST_FORM = {"read": "rs", "write": "cud", "*": "cruds"}


def missing(needed: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """Return what of ``needed`` (version 2 form) no scope of ``granted`` covers, letter by letter."""
    held = [parts for scope in granted if (parts := _parts(scope))]
    lacking = []
    for scope in needed:
        kind, wanted = _parts(scope) or (scope, "")
        covered = {letter for of, letters in held if of in ("*", kind) for letter in letters}
        left = "".join(letter for letter in wanted if letter not in covered)
        if left or not wanted:
            lacking.append(f"system/{kind}.{left}")
    return tuple(lacking)


def first_form(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return version 2 scopes in the coarser words of version 1."""
    said: dict[str, None] = {}
    for scope in scopes:
        kind, letters = _parts(scope) or ("", "")
        if set(letters) & set("rs"):
            said[f"system/{kind}.read"] = None
        if set(letters) & set("cud"):
            said[f"system/{kind}.write"] = None
    return tuple(said)


def _parts(scope: str) -> tuple[str, str] | None:
    matched = _SCOPE.fullmatch(scope)
    if matched is None or not matched[2]:
        return None
    return matched[1], _FIRST_FORM.get(matched[2], matched[2])
