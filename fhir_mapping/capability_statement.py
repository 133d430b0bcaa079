"""CapabilityStatement (R4) of our own FHIR address: what is here, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

CHANGED = "2026-11-22"  # when what this address offers last changed
OAUTH = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_INTERACTIONS = {
    "RiskAssessment": ("read", "vread", "search-type"),
    "Provenance": ("read", "search-type"),
    "DetectedIssue": ("read", "search-type"),
    "Communication": ("read", "search-type"),
    "GuidanceResponse": ("search-type",),
    "Observation": ("search-type",),
    "MedicationRequest": ("search-type",),
}
_KINDS = {
    "patient": "reference",
    "subject": "reference",
    "target": "reference",
    "identifier": "token",
    "_id": "token",
    "_lastUpdated": "date",
}


def render(base_url: str, token_url: str, offered: Iterable[tuple[str, Iterable[str]]]) -> dict[str, Any]:
    """Return the statement; ``offered`` are the search parameters by resource type."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": CHANGED,
        "kind": "instance",
        "software": {"name": "Didymos", "version": version("didymos")},
        "implementation": {
            "description": "Assessments by health digital twins. Decision support, not for sole use.",
            "url": base_url,
        },
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(token_url),
                "resource": [_resource(kind, names) for kind, names in offered],
            }
        ],
    }


def _security(token_url: str) -> dict[str, Any]:
    smart = {"system": SECURITY_SERVICE, "code": "SMART-on-FHIR"}
    return {
        "extension": [{"url": OAUTH, "extension": [{"url": "token", "valueUri": token_url}]}],
        "service": [{"coding": [smart]}],
        "description": "SMART Backend Services; consent is decided for each person at each read.",
    }


def _resource(kind: str, names: Iterable[str]) -> dict[str, Any]:
    # _count is a parameter of the answer, not of the search: R4 declares no search parameter for it.
    return {
        "type": kind,
        "interaction": [{"code": code} for code in _INTERACTIONS[kind]],
        "versioning": "versioned",
        "readHistory": "vread" in _INTERACTIONS[kind],
        "conditionalRead": "not-match" if "read" in _INTERACTIONS[kind] else "not-supported",
        "searchParam": [{"name": name, "type": _KINDS[name]} for name in names if name in _KINDS],
    }
