"""What one FHIR Consent says about one request.

FHIR R4 and IHE PCF contradict each other on nesting; so each provision is read by its own type and never by
its depth, and the root's type is the base, with policyRule (OPTIN, OPTOUT) where the root names none.

A request may touch several resources at once. A denial applies if it reaches any of them or if it is
unknown whether it does; a permission applies only if it covers all of them for certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from consent import labels
from consent.period import Period
from consent.policy import Directive, Provision, Type
from consent.purposes import subsumed
from consent.request import Request

Finding = Literal["permit", "deny", "silent", "indeterminate"]

_DEPTH = 8

# consentaction codes that speak of an act; a denial of access also stops what needs access first.
_PERMITTING = {"collect": {"collect"}, "use": {"use"}, "disclose": {"disclose"}}
_DENYING = {act: {*codes, "access"} for act, codes in _PERMITTING.items()}


def evaluate(directive: Directive, request: Request) -> Finding:
    """Answer for one active Consent.

    1. Outside its period it is silent.
    2. What is not understood wholly is indeterminate.
    3. A base permission for somebody else or another purpose is silent, exceptions included.
    4. Exceptions that match decide, even where the root's data selectors do not match.
    5. A base rule for somebody else is silent.
    6. A base permission that selects data permits that data and denies the rest.
    """
    root = directive.root
    if root.period.ordered and request.at not in root.period:
        return "silent"
    base = root.type or directive.base
    if base is None or directive.unknown or not _understood(root):
        return "indeterminate"
    concerned = _concerns(root, base, request)
    if base == "permit" and not concerned:
        return "silent"
    exceptions = {found for kid in root.provisions if (found := _exception(kid, request))}
    if "deny" in exceptions:
        return "deny"
    if not concerned:
        return "silent"  # an exception to a rule that does not apply permits nothing
    if exceptions:
        return "permit"
    if _reaches(root, base, request):
        return base
    return "deny" if base == "permit" else "silent"


def _understood(root: Provision) -> bool:
    level: list[Provision] = [root]
    for depth in range(_DEPTH + 1):
        if any(not _readable(each) or (depth and each.type is None) for each in level):
            return False
        level = [kid for each in level for kid in each.provisions]
    return not level


def _readable(provision: Provision) -> bool:
    data_period = provision.data_period
    return (
        not provision.unknown
        and provision.type in (None, "permit", "deny")
        and provision.period.ordered
        and (data_period is None or data_period.ordered)
    )


def _exception(provision: Provision, request: Request) -> Type | None:
    matches = list(_matches(provision, request, 0))
    if not matches:
        return None
    deepest = max(depth for depth, _ in matches)
    return "deny" if (deepest, "deny") in matches else "permit"


def _matches(provision: Provision, request: Request, depth: int) -> Iterator[tuple[int, Type]]:
    verdict = provision.type
    if verdict is None or request.at not in provision.period:
        return
    if _concerns(provision, verdict, request) and _reaches(provision, verdict, request):
        yield depth, verdict
        for kid in provision.provisions:
            yield from _matches(kid, request, depth + 1)


def _concerns(provision: Provision, verdict: Type, request: Request) -> bool:
    """Whether it is about this recipient, act and purpose."""
    deny = verdict == "deny"
    spoken = (_DENYING if deny else _PERMITTING)[request.act]
    return (
        (
            not provision.actors
            or not provision.actors.isdisjoint(request.actors)
            or (deny and not request.actors)
        )
        and (not provision.actions or not provision.actions.isdisjoint(spoken))
        and (not provision.purposes or subsumed(request.purpose, provision.purposes))
    )


def _reaches(provision: Provision, verdict: Type, request: Request) -> bool:
    """Whether a denial reaches some of the data, or a permission covers all of it."""
    return (
        _selects(provision.classes, request.classes, verdict)
        and _selects(provision.codes, request.codes, verdict)
        and _selects(provision.data, request.data, verdict)
        and _dated(provision.data_period, request.data_period, verdict)
        and _labelled(provision.labels, request.labels, verdict)
    )


def _selects(selected: frozenset[str], touched: frozenset[str], verdict: Type) -> bool:
    if not selected:
        return True
    if verdict == "deny":
        return not touched or not selected.isdisjoint(touched)
    return bool(touched) and touched <= selected


def _dated(selected: Period | None, touched: Period | None, verdict: Type) -> bool:
    if selected is None:
        return True
    if touched is None:
        return verdict == "deny"
    return selected.overlaps(touched) if verdict == "deny" else selected.encloses(touched)


def _labelled(selected: frozenset[str], touched: frozenset[str], verdict: Type) -> bool:
    if not selected:
        return True
    return (
        labels.denied_by(selected, touched) if verdict == "deny" else labels.permitted_by(selected, touched)
    )
