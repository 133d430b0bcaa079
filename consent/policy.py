"""What patients and the tenant say about data: a Consent's rules, and the tenant's own policy."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any, Literal, cast

from consent.period import ALWAYS, Period
from consent.request import Act

Type = Literal["permit", "deny"]


@dataclass(frozen=True, slots=True)
class Provision:
    """One rule of a Consent. Elements are joined by AND, alternatives inside an element by OR.

    An empty element does not constrain. ``actors`` are references and identifiers as written,
    ``actions`` consentaction codes, ``purposes`` ActReason codes, ``classes`` resource types,
    ``codes`` are ``system|code``, ``labels`` bare security label codes, ``data`` references of single
    resources (meaning ``instance``). ``unknown`` marks anything that was not understood (another
    code system, another data meaning, an actor without reference, a modifier extension): the
    whole Consent is then indeterminate, which denies.
    """

    type: Type | None
    period: Period = ALWAYS
    actors: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    data_period: Period | None = None
    labels: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()
    unknown: bool = False
    provisions: tuple[Provision, ...] = ()


@dataclass(frozen=True, slots=True)
class Directive:
    """One version of one FHIR Consent of the patient the request is about.

    ``scope`` and ``categories`` are bare codes (``patient-privacy``, ``59284-0``). ``policies`` are
    policy.uri values and, where given, the policyRule code. ``base`` is what policyRule says
    (OPTIN: permit, OPTOUT: deny) and counts where the root provision names no type. ``unknown``
    marks a Consent that was not understood as a whole.
    """

    id: str
    version: str
    status: str
    scope: str
    categories: frozenset[str]
    root: Provision
    policies: frozenset[str] = frozenset()
    controller: str | None = None
    date_time: datetime | None = None
    base: Type | None = None
    unknown: bool = False

    def turns(self, after: datetime) -> datetime | None:
        """Return the next instant at which time alone changes what it says."""
        return min((moment for moment in _bounds(self.root) if moment > after), default=None)


def _bounds(provision: Provision) -> Iterator[datetime]:
    """Yield the instants just past which a period of the rule or of one inside it begins or has ended."""
    for moment in (provision.period.start, provision.period.end):
        if moment is not None:
            yield moment + _PAST
    for inner in provision.provisions:
        yield from _bounds(inner)


_PAST = timedelta(milliseconds=1)  # a period's ends belong to it


@dataclass(frozen=True, slots=True)
class Policy:
    """The tenant's own rules.

    A Consent counts if its scope is one of ``scopes``, one of its categories is in ``categories`` and, where
    ``policies`` is not empty, one of its policies is in it; any other Consent says nothing, neither
    permission nor denial. ``purposes`` are the purposes the tenant allows at all, ``lookups``
    those for which Patient and Consent may be read to learn what the patient wants. ``silence`` holds the
    (act, purpose) pairs permitted where no Consent speaks, never for data under a label in
    ``consent_only``.
    """

    name: str
    scopes: frozenset[str]
    categories: frozenset[str]
    purposes: frozenset[str]
    lookups: frozenset[str]
    policies: frozenset[str] = frozenset()
    silence: frozenset[tuple[Act, str]] = frozenset()
    consent_only: frozenset[str] = frozenset({"42CFRPart2", "PSYTHPN"})

    def counts(self, directive: Directive) -> bool:
        """Whether the tenant honours this kind of Consent."""
        return (
            directive.scope in self.scopes
            and not self.categories.isdisjoint(directive.categories)
            and (not self.policies or not self.policies.isdisjoint(directive.policies))
        )


class UnknownPolicy(LookupError):
    """No policy has this name."""


def policy_names() -> tuple[str, ...]:
    """Names of the policies described in ``policies.toml``."""
    return tuple(_described())


def load_policy(name: str) -> Policy:
    """Read a named policy from ``policies.toml``.

    Raises
    ------
    UnknownPolicy
        if there is none of this name.
    """
    described = _described()
    if name not in described:
        known = ", ".join(described)
        raise UnknownPolicy(f"no policy is called {name!r}; there are: {known}")
    return _policy(name, described[name])


def _described() -> dict[str, dict[str, Any]]:
    text = resources.files("consent").joinpath("policies.toml").read_text("utf-8")
    return tomllib.loads(text)


def _policy(name: str, entry: dict[str, Any]) -> Policy:
    lists = {key: frozenset(value) for key, value in entry.items() if key not in {"about", "silence"}}
    acts = cast("dict[Act, list[str]]", entry.get("silence", {}))
    silence = frozenset((act, purpose) for act, purposes in acts.items() for purpose in purposes)
    return Policy(name=name, silence=silence, **lists)
