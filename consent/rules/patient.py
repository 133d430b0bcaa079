"""The patient's own will, from FHIR Consents, and the tenant's policy where no Consent speaks."""

from __future__ import annotations

from consent import labels
from consent.evaluation import evaluate
from consent.policy import Directive, Policy
from consent.precedence import Standing, newest_versions, standing
from consent.request import Request, Ruling

_LOOKUP = frozenset({"Patient", "Consent"})


def rule(request: Request, directives: tuple[Directive, ...], policy: Policy) -> tuple[Ruling, ...]:
    """Ask every Consent that counts and stands; if none speaks, the tenant's policy does."""
    if request.act == "consent-lookup":
        return (_lookup(request, policy),)
    counted = [each for each in newest_versions(directives) if policy.counts(each)]
    # Sorted, so that the reason given does not depend on the order in which the EHR listed the Consents.
    rulings = tuple(sorted((_ruling(each, request) for each in standing(counted)), key=_words))
    if any(ruling.verdict != "silent" for ruling in rulings):
        return rulings
    return (*rulings, _silence(request, policy))


def _words(ruling: Ruling) -> tuple[str, str]:
    return ruling.reason, ruling.directive or ""


def _lookup(request: Request, policy: Policy) -> Ruling:
    # This is how consent becomes known: it cannot depend on what the Consents say.
    if not request.classes or not request.classes <= _LOOKUP:
        return Ruling("patient", "deny", "a consent lookup reads Patient and Consent only")
    if request.purpose not in policy.lookups:
        return Ruling("patient", "deny", "the policy permits no consent lookup for this purpose")
    return Ruling("patient", "permit", "consent lookup")


def _ruling(stands: Standing, request: Request) -> Ruling:
    directive = stands.directive
    reference = f"Consent/{directive.id}/_history/{directive.version}"
    match evaluate(directive, request):
        case "indeterminate":
            return Ruling("patient", "deny", "a Consent was not understood", reference)
        case "deny":
            return Ruling("patient", "deny", "a Consent denies it", reference)
        case "permit" if stands.withdrawn:
            return Ruling("patient", "silent", "its permission was withdrawn", reference)
        case "permit":
            return Ruling("patient", "permit", "a Consent permits it", reference)
        case "silent":
            return Ruling("patient", "silent", "the Consent does not speak of it", reference)


def _silence(request: Request, policy: Policy) -> Ruling:
    if (request.act, request.purpose) not in policy.silence:
        return Ruling("patient", "silent", "no Consent speaks, and the policy does not permit silence")
    if any(labels.within(label, policy.consent_only) for label in request.labels):
        return Ruling("patient", "silent", "no Consent speaks, and this label needs one")
    return Ruling("patient", "permit", f"no Consent speaks; policy {policy.name}")
