"""Consent: whose it is, what it is about and since when; its rules are in ``consent_rules``.

R5 dropped the scope. It is taken from what carries it, or from categories and actions that can only be about
information; otherwise the Consent is refused, because a wrong scope could permit.
"""

from __future__ import annotations

from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.release.consent_rules import RULES, codings
from fhir_mapping.release.datatypes import ATTACHMENT
from fhir_mapping.release.place import Element, Place, Step, stow, unstow
from fhir_mapping.release.steps import Codes, Irregular, Listed, Only, Renamed, Within

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CATEGORY = "http://terminology.hl7.org/CodeSystem/consentcategorycodes"
LOINC = "http://loinc.org"
# Kinds of consent that are about information only.
_PRIVACY = {
    *((ACT_CODE, code) for code in ("ICOL", "IDSCL", "INFA", "INFAO", "INFASO", "IRDSCL")),
    (CATEGORY, "npp"),
    (LOINC, "57016-8"),
    (LOINC, "64292-6"),
}


def _scope_to_r5(element: Element, place: Place) -> None:
    if "scope" in element:
        stow(element, place.url("scope", "R4"), "CodeableConcept", element.pop("scope"))


def _scope_to_r4(element: Element, place: Place) -> None:
    kept, _ = unstow(element, place.url("scope", "R4"), "CodeableConcept")
    categories = as_list(element.get("category"))
    told = {coding for each in categories for coding in codings(each)}
    scopes = {coding for coding in told if coding[0] == SCOPE}
    if kept:
        element["scope"] = kept[0]
    elif len(scopes) == 1:
        element["scope"] = {"coding": [dict(zip(("system", "code"), scopes.pop(), strict=True))]}
    elif not scopes and (told & _PRIVACY or _about_information(objects(element.get("provision")))):
        element["scope"] = {"coding": [{"system": SCOPE, "code": "patient-privacy"}]}
    else:
        place.refuse("category", "whether it is a consent on information, treatment or research is not told")
    if not categories:
        place.refuse("category", "a required element is missing")


def _about_information(rules: list[Element]) -> bool:
    actions = {code for each in rules for action in as_list(each.get("action")) for code in codings(action)}
    return any(system == ACTION for system, _ in actions)


def _date_to_r5(element: Element, place: Place) -> None:
    at = element.pop("dateTime", None)
    if not isinstance(at, str):
        return
    element["date"] = at[:10]
    if at[:10] != at:
        stow(element, place.url("dateTime", "R4"), "dateTime", at)


def _date_to_r4(element: Element, place: Place) -> None:
    kept, _ = unstow(element, place.url("dateTime", "R4"), "dateTime")
    date = element.pop("date", None)
    if date is not None:
        element["dateTime"] = kept[0] if kept and str(kept[0])[:10] == date else date


def _enforcers_to_r4(element: Element, _: Place) -> None:
    enforcers = as_list(element.pop("controller", None))
    if enforcers:
        element["organization"] = [*as_list(element.get("organization")), *enforcers]


def _policy_to_r5(element: Element, place: Place) -> None:
    policies = objects(element.get("policy"))
    if len(policies) == 1 and set(policies[0]) == {"uri"}:
        del element["policy"]
        element["policyBasis"] = {"url": policies[0]["uri"]}
    Only("R4", "policy", {"authority": "uri", "uri": "uri"}, many=True).to_r5(element, place)


def _policy_to_r4(element: Element, place: Place) -> None:
    Only("R4", "policy", {"authority": "uri", "uri": "uri"}, many=True).to_r4(element, place)
    basis = as_object(element.pop("policyBasis", None))
    named = basis.get("url") or as_object(basis.get("reference")).get("reference")
    if named:
        element["policy"] = [*as_list(element.get("policy")), {"uri": named}]


def _source_to_r4(element: Element, place: Place) -> None:
    if "sourceAttachment" in element and "sourceReference" in element:  # R4 has room for one of the two
        references = element.pop("sourceReference")
        stow(element, place.url("sourceReference", "R5"), "Reference", references)


CONSENT: tuple[Step, ...] = (
    Codes("status", {"proposed": "draft", "rejected": "inactive"}, {"not-done": "inactive", "unknown": ""}),
    *RULES,
    Irregular(_scope_to_r5, _scope_to_r4),
    Irregular(_date_to_r5, _date_to_r4),
    Irregular(None, _enforcers_to_r4),
    Renamed("organization", "manager"),
    Renamed("performer", "grantor"),
    Irregular(_policy_to_r5, _policy_to_r4),
    Renamed("patient", "subject"),
    Listed("policyRule", "CodeableConcept", "regulatoryBasis"),
    Listed("sourceAttachment", "Attachment"),
    Listed("sourceReference", "Reference"),
    Within("sourceAttachment", ATTACHMENT, "Attachment"),
    Irregular(None, _source_to_r4),
    Within(
        "verification",
        (
            Listed("verificationDate", "dateTime"),
            Only("R5", "verificationType", "CodeableConcept"),
            Only("R5", "verifiedBy", "Reference"),
        ),
    ),
    Only("R5", "policyText", "Reference", many=True),
)
