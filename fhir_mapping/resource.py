"""One resource of the hospital -> what it tells, through one table of mappings.

``MAPPINGS`` names one function for each resource type; another package adds to it through the
entry-point group ``didymos.mappings`` (the entry's name is the resource type). ``SUSPICIONS`` names, for the
types from whose absence a model draws conclusions, what an unreadable resource may be about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from fhir_mapping import condition, medication, observation, patient
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.identity import content_hash, evidence, is_own, labels_of, version_of
from fhir_mapping.instants import moment
from fhir_mapping.mapped import IRRELEVANT, Mapped, Mapping, Origin
from fhir_mapping.references import Reference, is_id, subject_id
from twin_engine.twin import Item, Subject

MAPPINGS: dict[str, Mapping] = {
    "Condition": condition.read,
    "MedicationRequest": medication.request,
    "MedicationStatement": medication.statement,
    "Observation": observation.read,
    "Patient": patient.read,
}
SUSPICIONS: dict[str, Callable[[dict[str, Any], Origin], tuple[Item, ...]]] = {
    "Condition": condition.suspected,
    "MedicationRequest": medication.suspected,
    "MedicationStatement": medication.suspected,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """All that the gateway needs of one version of one resource.

    ``reference`` is ``Type/id``, ``source`` the same with version, as the items name it.
    """

    reference: str
    source: str
    version: str | None
    last_updated: datetime | None
    subject_id: str | None
    content_hash: str
    own: bool
    labels: frozenset[str]
    items: tuple[Item, ...]
    subject: Subject | None
    reasons: tuple[Problem, ...]
    relevant: bool


@cache
def mappings() -> dict[str, Mapping]:
    """Return every mapping by resource type: the built-in table and the plugged-in ones."""
    return MAPPINGS | {entry.name: entry.load() for entry in entry_points(group="didymos.mappings")}


def read(resource: dict[str, Any], now: datetime) -> Reading:
    """Read one resource as of ``now`` (aware).

    Raises
    ------
    Unusable
        Where it is not a resource with an id, or its structure is wrong and it is not even known what it
        may be about.
    """
    kind, identifier = resource.get("resourceType"), resource.get("id")
    if not isinstance(kind, str) or not kind.isascii() or not kind.isalpha():
        raise Unusable("structure", "it does not name a resource type", 422, "resourceType")
    if not is_id(identifier):
        raise Unusable("value", "it has no valid id", 422, f"{kind}.id")
    digest, version = content_hash(resource), version_of(resource)
    source = evidence(Reference(kind, str(identifier), version), digest)
    own = is_own(resource)
    mapped = IRRELEVANT if own else _mapped(kind, resource, Origin(source, now))
    return Reading(
        f"{kind}/{identifier}",
        source,
        version,
        _last_updated(resource),
        subject_id(resource),
        digest,
        own,
        labels_of(resource),
        mapped.items,
        mapped.subject,
        mapped.reasons,
        mapped.relevant,
    )


def _mapped(kind: str, resource: dict[str, Any], origin: Origin) -> Mapped:
    mapping = mappings().get(kind)
    if mapping is None:
        return IRRELEVANT
    try:
        mapped = mapping(resource, origin)
    except Unusable as fault:
        suspected = _suspected(kind, resource, origin)
        if not suspected:
            raise
        return Mapped(suspected, reasons=(Problem(fault.code, fault.text, fault.expression or kind),))
    if mapped.relevant and (resource.get("modifierExtension") or resource.get("implicitRules")):
        text = "it carries a modifier that is not understood, which may reverse its meaning"
        suspected = _suspected(kind, resource, origin) if mapped.items else ()
        return Mapped(suspected, reasons=(Problem("modifier", text, kind),))
    return mapped


def _suspected(kind: str, resource: dict[str, Any], origin: Origin) -> tuple[Item, ...]:
    """Return what an unreadable resource may be about; nothing where it names no patient."""
    suspicion = SUSPICIONS.get(kind)
    return suspicion(resource, origin) if suspicion is not None and subject_id(resource) else ()


def _last_updated(resource: dict[str, Any]) -> datetime | None:
    meta = resource.get("meta")
    found = moment(meta.get("lastUpdated")) if isinstance(meta, dict) else None
    return found.at if found else None
