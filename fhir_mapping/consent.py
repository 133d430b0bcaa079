"""Consent (R4) -> the directive on which the consent core decides.

What is not understood is marked ``unknown`` where it stands, which makes the directive
indeterminate, and that denies. A Consent whose structure is wrong raises instead: its scope and category may
be unreadable, so a caller must treat it as a denial and never as silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from consent.period import ALWAYS
from consent.period import Period as Span
from consent.policy import Directive, Provision
from fhir_mapping.errors import Unusable
from fhir_mapping.identity import ACT_CODE, ACT_REASON, CONFIDENTIALITY, content_hash, version_of
from fhir_mapping.instants import last, moment
from fhir_mapping.references import is_id, parse
from fhir_mapping.shapes import CodeableConcept, Coding, Period, Shape, Text, view

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
# Roles of those to whom data goes; what a provision means for another role is not settled.
_RECIPIENTS = frozenset({"IRCP", "PRCP", "RCV", "TRC"})
_BASE: dict[str, Literal["permit", "deny"]] = {"OPTIN": "permit", "OPTOUT": "deny"}


class _Identifier(Shape, frozen=True):
    system: Text | None = None
    value: Text | None = None


class _Reference(Shape, frozen=True):
    reference: Text | None = None
    identifier: _Identifier | None = None


class _Actor(Shape, frozen=True):
    role: CodeableConcept
    reference: _Reference
    modifier_extension: tuple[dict[str, Any], ...] = ()


class _Data(Shape, frozen=True):
    meaning: Literal["instance", "related", "dependents", "authoredby"]
    reference: _Reference


class _Provision(Shape, frozen=True):
    type: Literal["permit", "deny"] | None = None
    period: Period | None = None
    actor: tuple[_Actor, ...] = ()
    action: tuple[CodeableConcept, ...] = ()
    security_label: tuple[Coding, ...] = ()
    purpose: tuple[Coding, ...] = ()
    class_: tuple[Coding, ...] = msgspec.field(default=(), name="class")
    code: tuple[CodeableConcept, ...] = ()
    data_period: Period | None = None
    data: tuple[_Data, ...] = ()
    provision: tuple[_Provision, ...] = ()
    modifier_extension: tuple[dict[str, Any], ...] = ()


_SELECTORS = (
    "actor",
    "action",
    "security_label",
    "purpose",
    "class_",
    "code",
    "data_period",
    "data",
)


class _Policy(Shape, frozen=True):
    authority: Text | None = None
    uri: Text | None = None


class _Verification(Shape, frozen=True):
    verified: bool


class _Consent(Shape, frozen=True):
    status: Literal["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"]
    scope: CodeableConcept
    category: tuple[CodeableConcept, ...]
    date_time: Text | None = None
    organization: tuple[_Reference, ...] = ()
    policy: tuple[_Policy, ...] = ()
    policy_rule: CodeableConcept | None = None
    verification: tuple[_Verification, ...] = ()
    provision: _Provision | None = None
    modifier_extension: tuple[dict[str, Any], ...] = ()
    implicit_rules: Text | None = None


def read(resource: dict[str, Any]) -> Directive:
    """Return the directive in a Consent.

    Raises
    ------
    Unusable
        Where it is not a Consent with an id, or its structure is wrong. Deny then.
    """
    identifier = resource.get("id")
    if resource.get("resourceType") != "Consent" or not is_id(identifier):
        raise Unusable("structure", "it is not a Consent with an id", 422, "Consent.id")
    seen = view(resource, _Consent)
    made = moment(seen.date_time)
    rules = _codes((seen.policy_rule,) if seen.policy_rule else ())
    return Directive(
        id=str(identifier),
        version=version_of(resource) or f"sha256-{content_hash(resource)[:16]}",
        status=seen.status,
        scope=_scope(seen.scope),
        categories=_codes(seen.category),
        root=_provision(seen.provision or _Provision()),
        policies=frozenset(each.uri for each in seen.policy if each.uri) | rules,
        controller=",".join(sorted(each.reference or "" for each in seen.organization)) or None,
        date_time=made.at if made else None,
        base=next((_BASE[rule] for rule in sorted(rules) if rule in _BASE), None),
        unknown=_not_understood(seen, rules) or (seen.date_time is not None and made is None),
    )


def _not_understood(seen: _Consent, rules: frozenset[str]) -> bool:
    contradicts = len(rules & _BASE.keys()) > 1
    unverified = any(not each.verified for each in seen.verification)
    return bool(
        seen.modifier_extension
        or seen.implicit_rules
        or contradicts
        or unverified
        or _ambiguous(seen.provision)
    )


def _ambiguous(root: _Provision | None) -> bool:
    """Tell whether the root selects something without saying whether it permits or denies it.

    R4 has no type at the root: some read the selection as what the base rule covers, others as an
    exception to it.
    """
    return root is not None and root.type is None and any(getattr(root, name) for name in _SELECTORS)


def _scope(concept: CodeableConcept) -> str:
    standard = (coding.code for coding in concept.coding if coding.system == SCOPE and coding.code)
    anyone = (coding.code for coding in concept.coding if coding.code)
    return next(standard, None) or next(anyone, "")


def _codes(concepts: Iterable[CodeableConcept]) -> frozenset[str]:
    return frozenset(coding.code for concept in concepts for coding in concept.coding if coding.code)


def _provision(seen: _Provision) -> Provision:
    period, bad_period = _span(seen.period)
    data_period, bad_data_period = _span(seen.data_period)
    actors, actions, codes = (
        _all(seen.actor, _actor),
        _all(seen.action, _action),
        _all(seen.code, _systems_and_codes),
    )
    purposes = _bare(seen.purpose, ACT_REASON)
    classes = _bare(seen.class_, RESOURCE_TYPES)
    labels = _bare(seen.security_label, CONFIDENTIALITY, ACT_CODE)
    data = _all(seen.data, _instance)
    read_all = (actors, actions, codes, purposes, classes, labels, data)
    return Provision(
        type=seen.type,
        period=period or ALWAYS,
        actors=actors or frozenset(),
        actions=actions or frozenset(),
        purposes=purposes or frozenset(),
        classes=classes or frozenset(),
        codes=codes or frozenset(),
        data_period=data_period,
        labels=labels or frozenset(),
        data=data or frozenset(),
        unknown=any(found is None for found in read_all)
        or bad_period
        or bad_data_period
        or bool(seen.modifier_extension),
        provisions=tuple(_provision(each) for each in seen.provision),
    )


def _span(period: Period | None) -> tuple[Span | None, bool]:
    """Return the period, partial dates widened to their ends, and whether a bound was unreadable."""
    if period is None:
        return None, False
    start, end = moment(period.start), last(period.end)
    bad = (period.start is not None and start is None) or (period.end is not None and end is None)
    return Span(start.at if start else None, end), bad


def _all(elements: tuple[Any, ...], one: Any) -> frozenset[str] | None:
    """Return what ``one`` reads in each element; None as soon as one element was not understood."""
    found: set[str] = set()
    for element in elements:
        names = one(element)
        if not names:
            return None
        found |= names
    return frozenset(found)


def _bare(codings: tuple[Coding, ...], *systems: str) -> frozenset[str] | None:
    return _all(codings, lambda coding: {coding.code} if coding.code and coding.system in systems else None)


def _actor(actor: _Actor) -> set[str] | None:
    if actor.modifier_extension or not _codes((actor.role,)) & _RECIPIENTS:
        return None
    return _names(actor.reference)


def _names(reference: _Reference) -> set[str]:
    """Return a reference as written and in its relative form, and its identifier as ``system|value``."""
    found = parse(reference.reference)
    names = {reference.reference} if reference.reference else set()
    if found:
        names.add(f"{found.type}/{found.id}")
    if reference.identifier and reference.identifier.value:
        names.add(f"{reference.identifier.system or ''}|{reference.identifier.value}")
    return names


def _action(concept: CodeableConcept) -> set[str]:
    return {coding.code for coding in concept.coding if coding.code and coding.system == ACTION}


def _systems_and_codes(concept: CodeableConcept) -> set[str]:
    return {f"{coding.system or ''}|{coding.code}" for coding in concept.coding if coding.code}


def _instance(data: _Data) -> set[str] | None:
    found = parse(data.reference.reference)
    return {f"{found.type}/{found.id}"} if found and data.meaning == "instance" else None
