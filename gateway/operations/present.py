"""Assessments on their way out to a system that may read from us, and what is made of them on the way.

 1. find what was asked for; what is not there and what may not be seen get the same answer;
 2. decide on *disclose* for each twin, on its Consents as last read, with the caller as actor and its
    scopes as a ceiling; where no Consents were ever read, or the twin's state is denied, the answer is no;
 3. where warnings are asked for, look which of the permitted assessments warn;
 4. write to the audit log, in one append, the decisions and all that will be shown;
 5. show it.

Provenance tells which assessment rests on what, so it is shown only to who may see the assessment. A
DetectedIssue or Communication is the warning in an assessment, under the assessment's id and version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fhir_mapping import alert, communication, detected_issue, risk_assessment
from fhir_mapping import exit as outward
from fhir_mapping.alert import Alert
from gateway.errors import NotFound
from gateway.operations.assess import opened, opened_provenance
from gateway.operations.consented import Caller
from gateway.operations.reading import Kind, Reading, Sought, begin
from gateway.operations.services import Services
from gateway.storage import records
from gateway.storage.engine import from_us
from gateway.storage.outbox import Version
from gateway.storage.records import Place, Standing, Wanted

WARNINGS: dict[Kind, Callable[[Alert], dict[str, Any]]] = {
    "DetectedIssue": detected_issue.render,
    "Communication": communication.render,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One resource that may leave; None in its place where the reader has this version already."""

    version: int
    recorded: int
    resource: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a search's result; ``next`` is where it goes on, if it does."""

    resources: tuple[dict[str, Any], ...]
    next: Place | None


def read(
    services: Services,
    caller: Caller,
    kind: Kind,
    key: records.Key,
    held: Callable[[int], bool] = lambda _version: False,
) -> Shown:
    """Return one version, the newest unless told; ``held`` tells which the reader has already.

    Raises
    ------
    NotPermitted
        The caller's scopes do not reach this type.
    NotFound
        It is not there, or not for this caller.
    audit.log.AuditUnavailable
        The reading could not be recorded, so nothing is shown.
    """
    reading = begin(services, caller, kind, "r")
    with services.journal.reading() as connection:
        found = records.one(connection, services.settings.tenant, *key)
    if found is None or not _may_be_seen(reading, found):
        reading.commit()
        raise NotFound
    version = found.version
    number = 1 if kind == "Provenance" else version.version
    if held(number):
        reading.commit()
        return Shown(number, version.recorded, None)
    reading.commit([_shown(kind, version)])
    return Shown(number, version.recorded, _outward(services, kind, found))


def search(services: Services, caller: Caller, kind: Kind, wanted: Wanted) -> Page:
    """Return the next ``wanted.count`` of what matches and may be seen.

    Raises
    ------
    NotPermitted, audit.log.AuditUnavailable
        As for ``read``.
    """
    reading = begin(services, caller, kind, "s")
    found = _visible(reading, wanted)
    shown = found[: wanted.count]
    reading.commit(_shown(kind, each.version) for each in shown)
    resources = tuple(_outward(services, kind, each) for each in shown)
    return Page(resources, shown[-1].place if len(found) > len(shown) else None)


def _visible(reading: Reading, wanted: Wanted) -> list[Standing]:
    """Return one more than is wanted if there are as many, so that a next page is known of."""
    tenant, batch = reading.services.settings.tenant, wanted.count + 1
    visible: list[Standing] = []
    while len(visible) < batch:
        with reading.services.journal.reading() as connection:
            found = records.find(connection, tenant, wanted, batch)
        visible += [each for each in found if _may_be_seen(reading, each)]
        if len(found) < batch:
            break
        wanted = replace(wanted, after=found[-1].place)
    return visible[:batch]


def _may_be_seen(reading: Reading, standing: Standing) -> bool:
    """Tell whether it may be shown; of a warning also whether there is one, once it may be."""
    version = standing.version
    sought = Sought(version.twin, standing.hospital, standing.state, version.labels)
    if not reading.permits(sought) or (version.live and not reading.shows(standing.hospital, version.model)):
        return False
    return reading.kind not in WARNINGS or _alert(reading.services, version) is not None


def _alert(services: Services, version: Version) -> Alert | None:
    if not version.live:
        return None
    return alert.raised(risk_assessment.read(opened(services, version)), version.version)


def _shown(kind: Kind, version: Version) -> tuple[str, str]:
    if kind == "Provenance":
        return version.twin, f"Provenance/{provenance_id(version)}/_history/1"
    return version.twin, f"{kind}/{version.id}/_history/{version.version}"


def provenance_id(version: Version) -> str:
    """Return the id of the Provenance of a version; an assessment's id has no hyphen."""
    return f"{version.id}-{version.version}"


def _outward(services: Services, kind: Kind, standing: Standing) -> dict[str, Any]:
    version, url = standing.version, services.hospital(standing.hospital).base_url
    at = from_us(version.recorded)
    if kind == "Provenance":
        return outward.shown(opened_provenance(services, version), provenance_id(version), 1, at, url)
    resource = opened(services, version)
    if kind in WARNINGS and (raised := _alert(services, version)) is not None:
        resource = WARNINGS[kind](raised)
    return outward.shown(resource, version.id, version.version, at, url)
