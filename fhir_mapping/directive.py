"""A directive of the consent core -> Consent (R4): ``consent.read`` gives the same directive back.

Written is what was understood of a Consent, in its simplest form. What was not understood stays so: it
becomes a modifier extension that nobody may ignore.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from consent.period import ALWAYS, Period
from consent.policy import Directive, Provision
from fhir_mapping import narrative, timestamps
from fhir_mapping.consent import ACTION, RESOURCE_TYPES, SCOPE
from fhir_mapping.heading import meta
from fhir_mapping.identity import ACT_CODE, ACT_REASON, CONFIDENTIALITY

NOT_UNDERSTOOD = "urn:didymos:not-understood"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_BASE = {"permit": "OPTIN", "deny": "OPTOUT"}
_LEVELS = frozenset("ULMNRV")
_UNSAID = {"text": "not stated"}


def render(directive: Directive, patient: str) -> dict[str, Any]:
    """Return the Consent; ``patient`` is the reference to whom it is about.

    A directive whose root selects something and names no type has no Consent of its own: read, it is in
    doubt as a whole, which denies.
    """
    policies, rules = _policies(directive)
    resource: dict[str, Any] = {
        "resourceType": "Consent",
        "id": directive.id,
        "meta": meta(frozenset()) | {"versionId": directive.version},
        "text": narrative.render(f"Consent, {directive.status}", _lines(directive)),
        "status": directive.status,
        "scope": {"coding": [{"system": SCOPE, "code": directive.scope}]} if directive.scope else _UNSAID,
        "category": [{"coding": [{"code": each}]} for each in sorted(directive.categories)] or [_UNSAID],
        "patient": {"reference": patient},
        **_doubt(doubtful=directive.unknown),
        **_contained(directive),
    }
    if directive.date_time is not None:
        resource["dateTime"] = timestamps.render(directive.date_time)
    if directive.controller is not None:
        resource["organization"] = [_organization(each) for each in directive.controller.split(",")]
    if policies:
        resource["policy"] = [{"uri": each} for each in policies]
    if rules or not policies:  # invariant ppc-1: one of the two
        resource["policyRule"] = {"coding": [{"code": each} for each in rules]} if rules else _UNSAID
    root = _provision(directive.root)
    return resource | ({"provision": root} if root else {})


def _policies(directive: Directive) -> tuple[list[str], list[str]]:
    """Return what is an address, and what is a code of the rule; only the base rule may look like one."""
    base = _BASE.get(directive.base or "")
    rules = {each for each in directive.policies if ":" not in each} - set(_BASE.values()) | ({base} - {None})
    return sorted(directive.policies - rules), sorted(rule for rule in rules if rule)


def _organization(reference: str) -> dict[str, Any]:
    return {"reference": reference} if reference else {"display": "not stated"}


def _doubt(*, doubtful: bool) -> dict[str, Any]:
    return {"modifierExtension": [{"url": NOT_UNDERSTOOD, "valueBoolean": True}]} if doubtful else {}


def _contained(directive: Directive) -> dict[str, Any]:
    """Return a stub for each contained party: of a Consent only its name inside the Consent is kept."""
    named = {*(directive.controller or "").split(","), *_actors(directive.root)}
    parties = sorted(each.removeprefix("#") for each in named if each.startswith("#"))
    stubs = [{"resourceType": "Organization", "id": each, "name": "not stated"} for each in parties]
    return {"contained": stubs} if stubs else {}


def _actors(rule: Provision) -> frozenset[str]:
    return rule.actors.union(*map(_actors, rule.provisions))


def _provision(rule: Provision) -> dict[str, Any]:
    codings = {
        "action": [{"coding": [{"system": ACTION, "code": each}]} for each in sorted(rule.actions)],
        "securityLabel": [_label(each) for each in sorted(rule.labels)],
        "purpose": [{"system": ACT_REASON, "code": each} for each in sorted(rule.purposes)],
        "class": [{"system": RESOURCE_TYPES, "code": each} for each in sorted(rule.classes)],
        "code": [{"coding": [_coding(each)]} for each in sorted(rule.codes)],
        "data": [{"meaning": "instance", "reference": {"reference": each}} for each in sorted(rule.data)],
        "actor": [_actor(each) for each in sorted(rule.actors)],
        "provision": [_provision(each) for each in rule.provisions],
    }
    said: dict[str, Any] = {name: values for name, values in codings.items() if values}
    if rule.type is not None:
        said["type"] = rule.type
    if rule.period != ALWAYS:
        said["period"] = _period(rule.period)
    if rule.data_period is not None:
        said["dataPeriod"] = _period(rule.data_period)
    return said | _doubt(doubtful=rule.unknown)


def _period(span: Period) -> dict[str, Any]:
    ends = {"start": span.start, "end": span.end}
    said = {name: timestamps.render(at) for name, at in ends.items() if at is not None}
    return said or {"extension": [{"url": NOT_UNDERSTOOD, "valueString": "without bounds"}]}


def _label(code: str) -> dict[str, str]:
    return {"system": CONFIDENTIALITY if code in _LEVELS else ACT_CODE, "code": code}


def _coding(named: str) -> dict[str, str]:
    system, _, code = named.rpartition("|")
    return {"system": system, "code": code} if system else {"code": code}


def _actor(name: str) -> dict[str, Any]:
    if "|" in name:
        system, _, value = name.partition("|")
        who: dict[str, Any] = {
            "identifier": {"system": system, "value": value} if system else {"value": value}
        }
    else:
        who = {"reference": name}
    recipient = {"system": PARTICIPATION, "code": "IRCP", "display": "information recipient"}
    return {"role": {"coding": [recipient]}, "reference": who}


def _lines(directive: Directive) -> Iterable[str]:
    base = directive.root.type or directive.base or "nothing"
    yield f"As a rule: {base}; exceptions: {len(directive.root.provisions)}."
    if directive.unknown:
        yield "Not everything in it was understood, which denies."
