"""One resource of the hospital -> what it tells, through one table of mappings.

``MAPPINGS`` names one function for each resource type, given a resource whose structure holds (R4); another
package adds to it through the entry-point group ``didymos.mappings`` (the entry's name is the resource
type). ``SUSPICIONS`` names, for the types from whose absence a model draws conclusions, what an unreadable
resource may be about. ``UNREAD`` names for a mapping the elements whose faults are listed and do not stop the
rest: a Patient whose telephone number is invalid is still known by sex and age.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import msgspec

from fhir_mapping import (
    condition,
    definitions,
    diagnostic_report,
    family_member_history,
    medication,
    medication_administration,
    medication_request,
    medication_statement,
    observation,
    patient,
    procedure,
    validation,
)
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.genomics import molecular_sequence
from fhir_mapping.identity import content_hash, evidence, is_own, labels_of, version_of
from fhir_mapping.instants import moment
from fhir_mapping.mapped import IRRELEVANT, MODIFIED, Mapped, Mapping, Origin, modified
from fhir_mapping.references import Reference, is_id, subject_id
from twin_engine.twin import Item, Subject

MAPPINGS: dict[str, Mapping] = {
    "Condition": condition.read,
    "DiagnosticReport": diagnostic_report.read,
    "FamilyMemberHistory": family_member_history.read,
    "MedicationAdministration": medication_administration.read,
    "MedicationRequest": medication_request.read,
    "MedicationStatement": medication_statement.read,
    "MolecularSequence": molecular_sequence.read,
    "Observation": observation.read,
    "Patient": patient.read,
    "Procedure": procedure.read,
}
SUSPICIONS: dict[str, Callable[[dict[str, Any], Origin], tuple[Item, ...]]] = {
    "Condition": condition.suspected,
    "MedicationAdministration": medication.suspected,
    "MedicationRequest": medication.suspected,
    "MedicationStatement": medication.suspected,
    "Procedure": procedure.suspected,
}
UNREAD: dict[Mapping, frozenset[str]] = {patient.read: patient.UNREAD}
_NO_OTHERS: Map[str, dict[str, Any]] = {}


class Reading(msgspec.Struct, frozen=True):
    """All that the gateway needs of one version of one resource.

    ``reference`` is ``Type/id``, ``source`` the same with version, as the items name it. ``wants`` are
    references, as they are written, to resources without which it could not be understood; given as
    ``others`` they make it readable.
    """

    reference: str
    source: str
    version: str | None
    updated: str | None
    subject_id: str | None
    own: bool
    labels: frozenset[str]
    items: tuple[Item, ...]
    subject: Subject | None
    reasons: tuple[Problem, ...]
    relevant: bool
    wants: tuple[str, ...] = ()

    @property
    def last_updated(self) -> datetime | None:
        """When the server stored this version; None where it does not say so in FHIR's form."""
        found = moment(self.updated)
        return found.at if found else None


@cache
def mappings() -> dict[str, Mapping]:
    """Return every mapping by resource type: the built-in table and the plugged-in ones."""
    return MAPPINGS | {entry.name: entry.load() for entry in entry_points(group="didymos.mappings")}


def read(
    resource: dict[str, Any],
    now: datetime,
    others: Map[str, dict[str, Any]] = _NO_OTHERS,
    fault: Unusable | None = None,
) -> Reading:
    """Read one resource (R4) as of ``now`` (aware); ``others`` are what an earlier reading wanted.

    ``fault`` says why it cannot be used although it has R4's shape: it came in another release.

    Raises
    ------
    Unusable
        Where it is not a resource with an id, or its structure is wrong and it is not even known what it
        may be about; ``problems`` are all its faults.
    """
    kind, identifier = resource.get("resourceType"), resource.get("id")
    if not isinstance(kind, str) or (kind not in definitions.resource_types() and kind not in mappings()):
        raise Unusable("not-supported", "it names no resource type of FHIR R4", 422)
    if not is_id(identifier):
        raise Unusable("value", "it has no valid id", 422, f"{kind}.id")
    version = version_of(resource)
    source = evidence(Reference(kind, str(identifier), version), "" if version else content_hash(resource))
    own = is_own(resource)
    mapped = IRRELEVANT if own else _mapped(kind, resource, Origin(source, now, others), fault)
    return Reading(
        f"{kind}/{identifier}",
        source,
        version,
        _updated(resource),
        subject_id(resource),
        own,
        labels_of(resource),
        mapped.items,
        mapped.subject,
        mapped.reasons,
        mapped.relevant,
        mapped.wants,
    )


def _mapped(kind: str, resource: dict[str, Any], origin: Origin, brought: Unusable | None) -> Mapped:
    mapping = mappings().get(kind)
    if mapping is None:
        return IRRELEVANT
    try:
        if brought is not None:
            raise brought
        unread = UNREAD.get(mapping, frozenset())
        beside = _faults_beside(resource, unread)
        mapped = mapping(resource, origin)
    except Unusable as fault:
        suspected = _suspected(kind, resource, origin)
        if not suspected:
            raise
        return Mapped(suspected, reasons=fault.problems)
    read = {name: each for name, each in resource.items() if name not in unread} if unread else resource
    if mapped.relevant and modified(read):
        suspected = _suspected(kind, resource, origin) if mapped.items else ()
        return Mapped(suspected, reasons=(Problem("modifier", MODIFIED, kind),))
    return replace(mapped, reasons=(*mapped.reasons, *beside)) if beside else mapped


def _faults_beside(resource: dict[str, Any], unread: frozenset[str]) -> tuple[Problem, ...]:
    """Return the faults of a resource that is valid but for what is ``unread``; nothing for most.

    Raises
    ------
    Unusable
        Where it is not.
    """
    found = validation.problems(resource)
    if not found:
        return found
    rest = {name: each for name, each in resource.items() if name.removeprefix("_") not in unread}
    fatal = validation.problems(rest) if unread else found
    if fatal:
        raise validation.refusal(tuple(dict.fromkeys((*fatal, *found))))
    return found


def _suspected(kind: str, resource: dict[str, Any], origin: Origin) -> tuple[Item, ...]:
    """Return what an unreadable resource may be about; nothing where it names no patient."""
    suspicion = SUSPICIONS.get(kind)
    return suspicion(resource, origin) if suspicion is not None and subject_id(resource) else ()


def _updated(resource: dict[str, Any]) -> str | None:
    meta = resource.get("meta")
    updated = meta.get("lastUpdated") if isinstance(meta, dict) else None
    return updated if isinstance(updated, str) else None
