"""Resources as our own FHIR address shows them: marked with version, addressed, bundled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fhir_mapping.instants import render as instant
from fhir_mapping.references import parse

OWN = frozenset({"RiskAssessment", "Provenance", "DetectedIssue", "Communication", "GuidanceResponse"})


def shown(
    resource: Mapping[str, Any], identifier: str, version: int, recorded: datetime, hospital_url: str
) -> dict[str, Any]:
    """Return ``resource`` with id, version and time of storage.

    It was written for the hospital's address, where its relative references lead somewhere. At ours they
    would not, so references to the hospital's resources become absolute.
    """
    absolute: dict[str, Any] = _absolute(resource, f"{hospital_url.rstrip('/')}/")
    meta = absolute.get("meta", {}) | {"versionId": str(version), "lastUpdated": instant(recorded)}
    return absolute | {"id": identifier, "meta": meta}


def addressed(resource: Mapping[str, Any], hospital_url: str) -> dict[str, Any]:
    """Return ``resource``, which is not stored, with references to the hospital's resources absolute."""
    found: dict[str, Any] = _absolute(resource, f"{hospital_url.rstrip('/')}/")
    return found


def _absolute(value: Any, hospital_url: str) -> Any:
    if isinstance(value, list):
        return [_absolute(each, hospital_url) for each in value]
    if not isinstance(value, Mapping):
        return value
    inner = {key: _absolute(each, hospital_url) for key, each in value.items()}
    target = inner.get("reference")
    found = parse(target)
    if found is not None and target == str(found) and found.type not in OWN:
        inner["reference"] = hospital_url + str(found)
    return inner


def searchset(resources: Iterable[Mapping[str, Any]], url: str, links: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of a search. There is no total: it would count what the reader may not see."""
    entries = [_entry(resource, url) for resource in resources]
    linked = [{"relation": relation, "url": address} for relation, address in links.items()]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": linked}
    return bundle | {"entry": entries} if entries else bundle  # FHIR knows no empty list


def _entry(resource: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Return what matches; an OperationOutcome tells of the search, and lies nowhere."""
    if resource["resourceType"] == "OperationOutcome":
        return {"resource": resource, "search": {"mode": "outcome"}}
    address = f"{url}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": address, "resource": resource, "search": {"mode": "match"}}
