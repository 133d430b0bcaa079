"""SMART App Launch 2.2: the granted scopes are a ceiling; they never permit by themselves."""

from __future__ import annotations

from consent.policy import Directive, Policy
from consent.request import Request, Ruling
from consent.scopes import covers

_NEEDED = {"consent-lookup": "rs", "collect": "rs", "use": "", "disclose": "r"}


def rule(request: Request, _directives: tuple[Directive, ...], _policy: Policy) -> tuple[Ruling, ...]:
    """Deny where a token is involved whose scopes do not cover the classes and interactions.

    A request for all classes needs a wildcard scope. ``use`` reaches no other system and needs none.
    """
    if request.scopes is None:
        return (Ruling("smart", "silent", "no token is involved"),)
    needed = _NEEDED[request.act] if request.interactions is None else request.interactions
    classes = request.classes or frozenset({"*"})
    if all(covers(request.scopes, each, needed) for each in classes):
        return (Ruling("smart", "silent", "the granted scopes cover the act"),)
    return (Ruling("smart", "deny", "the granted scopes do not cover the act"),)
