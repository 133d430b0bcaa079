"""The rules of a Consent: R5 has a decision and exceptions to it; R4 a root rule with rules in it.

- R5's rules carry no type: each is an exception to what it stands in, so permit and deny alternate. R4's
  rules that do not alternate cannot be said in R5, nor can a denial that leaves everything else open.
- A permission of R4 that holds only for some is written as a decision to deny with that exception: a reader
  of R5 who does not see the mark beside it is stricter, never laxer.
- ``grantee`` names to whom the permission is given: without it R4 would permit everybody.
"""

from __future__ import annotations

from typing import Any

from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.release.place import Element, Place, Step, stow, unstow
from fhir_mapping.release.steps import Irregular, Refused

PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
FHIR_TYPES = "http://hl7.org/fhir/fhir-types"  # R5's name for the same codes
_OPPOSITE = {"permit": "deny", "deny": "permit"}
_BASE = {"OPTIN": "permit", "OPTOUT": "deny"}
_PLAIN = frozenset({"type", "period", "provision"})
_DEPTH = 8  # what the rules on consent read


def _rules_to_r5(element: Element, place: Place) -> None:
    root = as_object(element.pop("provision", None))
    base = _base([element.get("policyRule")])
    decision = root.get("type") or base
    if "period" in root:
        element["period"] = root["period"]
    if not (set(root) - _PLAIN):
        _say(element, decision, _exceptions(root, decision, place.inner("provision")))
    elif decision == "permit":
        only = {name: part for name, part in root.items() if name not in _PLAIN}
        nested = _exceptions(root, "permit", place.inner("provision"))
        _say(element, "deny", [only | ({"provision": nested} if nested else {})])
        stow(element, place.url("provision", "R4"), "boolean", True)
    elif decision == "deny":
        place.refuse("provision", "R5 cannot say a denial that leaves everything else open")
    else:
        place.refuse("provision", "whether it permits or denies is not said")
    if root.get("type") and root["type"] == base:
        stow(element, place.url("provision.type", "R4"), "code", base)


def _say(element: Element, decision: Any, exceptions: list[Element]) -> None:
    element |= {"decision": decision} if decision else {}
    element |= {"provision": exceptions} if exceptions else {}


def _exceptions(rule: Element, decision: Any, place: Place) -> list[Element]:
    """Return the rules inside one that decides ``decision``, which has to be the opposite of each."""
    told = []
    for index, each in enumerate(objects(rule.get("provision"))):
        where = place.inner("provision", index)
        if decision is None or each.get("type") != _OPPOSITE[decision]:
            where.refuse("type", "R5 knows only rules that are exceptions to the one they stand in")
            continue
        inner = _exceptions(each, each["type"], where)
        kept = {name: part for name, part in each.items() if name not in ("type", "provision")}
        told.append(kept | ({"provision": inner} if inner else {}))
    return told


def _rules_to_r4(element: Element, place: Place) -> None:
    told = objects(element.pop("provision", None))
    period, decision = element.pop("period", None), element.pop("decision", None)
    base = _base([element.get("policyRule"), *_stowed(element, place.url("regulatoryBasis", "R5"))])
    said = decision or base
    explicit, _ = unstow(element, place.url("provision.type", "R4"), "code")
    partial, _ = unstow(element, place.url("provision", "R4"), "boolean")
    if told and said is None:
        place.refuse("decision", "what its provisions are exceptions to is not said")
        return
    if partial and said == "deny" and len(told) == 1:
        said, root = "permit", {**told[0], "provision": []}
        told = objects(told[0].get("provision"))
    else:
        root = {}
    written = base if _base([element.get("policyRule")]) == base else None
    root |= {"type": said} if said and (explicit or said != written) else {}
    root |= {"period": period} if period is not None else {}
    root["provision"] = _typed(told, said, place, _DEPTH)
    _grant(element, root, said, place)
    element |= {"provision": _filled(root)} if _filled(root) else {}


def _typed(rules: list[Element], decision: str | None, place: Place, depth: int) -> list[Element]:
    """Give each rule the opposite of what it stands in as its type."""
    if not rules or decision is None:
        return []
    if depth == 0:
        place.refuse("provision", "its exceptions are nested deeper than can be read")
        return []
    kind = _OPPOSITE[decision]
    inner = [_typed(objects(each.get("provision")), kind, place, depth - 1) for each in rules]
    return [
        _filled({**each, "type": kind, "provision": nested})
        for each, nested in zip(rules, inner, strict=True)
    ]


def _grant(element: Element, root: Element, said: str | None, place: Place) -> None:
    """Hold a permission to those to whom it is given; a denial is left as wide as it is."""
    grantees = objects(element.pop("grantee", None))
    if not grantees:
        return
    if said == "permit":
        if "actor" in root:
            place.refuse("grantee", "it and the actors of the provision both say to whom it is permitted")
        role = {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]}
        root["actor"] = [{"role": role, "reference": each} for each in grantees]
    element["performer"] = [*as_list(element.get("performer")), *grantees]


def _filled(rule: Element) -> Element:
    return {name: part for name, part in rule.items() if part != []}


def _stowed(element: Element, url: str) -> list[Any]:
    return [
        each.get("valueCodeableConcept")
        for each in objects(element.get("extension"))
        if each.get("url") == url
    ]


def _base(rules: list[Any]) -> str | None:
    said = {_BASE[code] for rule in rules for _, code in codings(rule) if code in _BASE}
    return said.pop() if len(said) == 1 else None


def codings(concept: object) -> list[tuple[str, str]]:
    """Return system and code of each coding."""
    listed = objects(as_object(concept).get("coding"))
    return [(str(each.get("system")), str(each.get("code"))) for each in listed]


def _classes_to_r5(element: Element, place: Place) -> None:
    for each, where in _rules(element, place):
        classes = objects(each.pop("class", None))
        types = [one for one in classes if one.get("system") in (RESOURCE_TYPES, FHIR_TYPES)]
        documents = [one for one in classes if one not in types]
        if types and documents:
            where.refuse(
                "class", "R5 cannot say that either a type of resource or a kind of document will do"
            )
        each |= {"resourceType": types} if types else {}
        each |= {"documentType": documents} if documents else {}


def _classes_to_r4(element: Element, place: Place) -> None:
    for each, where in _rules(element, place):
        types, documents = objects(each.pop("resourceType", None)), objects(each.pop("documentType", None))
        if types and documents:
            where.refuse("documentType", "R4 cannot say a type of resource and a kind of document at once")
        for one in types:
            if one.get("system") == FHIR_TYPES:
                one["system"] = RESOURCE_TYPES
        each |= {"class": [*types, *documents]} if types or documents else {}
        Refused(("expression",)).to_r4(each, where)


def _rules(rule: Element, place: Place) -> list[tuple[Element, Place]]:
    """Return every rule inside a Consent or a rule, at any depth."""
    found = []
    for index, each in enumerate(objects(rule.get("provision"))):
        where = place.inner("provision", index)
        found += [(each, where), *_rules(each, where)]
    return found


RULES: tuple[Step, ...] = (
    Irregular(_rules_to_r5, _rules_to_r4),
    Irregular(_classes_to_r5, _classes_to_r4),
)
