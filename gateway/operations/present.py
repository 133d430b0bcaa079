"""Assessments on their way out to a system that may read from us.

 1. find what was asked for; what is not there and what may not be seen get the same answer;
 2. decide on *disclose* for each twin, on its Consents as last read, with the caller as actor and its
    scopes as a ceiling; where no Consents were ever read, or the twin's state is denied, the answer is no;
 3. write to the audit log, in one append, the decisions and all that will be shown;
 4. open what is shown.

Provenance tells which assessment rests on what, so it is shown only to who may see the assessment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from audit.record import Event
from consent.scopes import covers
from fhir_mapping import exit as outward
from gateway.errors import NotFound, NotPermitted
from gateway.operations import directives
from gateway.operations.assess import opened, opened_provenance
from gateway.operations.consented import PURPOSE, Caller, Question, recorded, weigh
from gateway.operations.services import Services
from gateway.storage import records
from gateway.storage.engine import from_us
from gateway.storage.outbox import Version
from gateway.storage.records import DENIED, Place, Standing, Wanted
from gateway.telemetry import hop

Kind = Literal["RiskAssessment", "Provenance"]
CLASSES = frozenset({"RiskAssessment"})


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


@dataclass(slots=True)
class Reading:
    """One request: what was decided on the way, once for each twin and set of labels."""

    services: Services
    caller: Caller
    kind: Kind
    interactions: str
    _permitted: dict[tuple[str, str], bool] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def permits(self, standing: Standing) -> bool:
        """Decide on *disclose*; the record of it waits to be committed."""
        key = standing.version.twin, standing.version.labels
        if key not in self._permitted:
            permitted, event = _decided(self, standing)
            self._permitted[key] = permitted
            self.events.append(event)
        return self._permitted[key]

    def commit(self, *shown: Version) -> None:
        """Put on record what was decided and what will be shown; nothing is opened before."""
        with hop("audit"):
            self.services.audit.append(*self.events, *_disclosures(self, shown))


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
    reading = _begin(services, caller, kind, "r")
    with services.journal.reading() as connection:
        found = records.one(connection, services.settings.tenant, *key)
    if found is None or not reading.permits(found):
        reading.commit()
        raise NotFound
    version = found.version
    number = version.version if kind == "RiskAssessment" else 1
    if held(number):
        reading.commit()
        return Shown(number, version.recorded, None)
    reading.commit(version)
    return Shown(number, version.recorded, _outward(services, kind, found))


def search(services: Services, caller: Caller, kind: Kind, wanted: Wanted) -> Page:
    """Return the next ``wanted.count`` of what matches and may be seen.

    Raises
    ------
    NotPermitted, audit.log.AuditUnavailable
        As for ``read``.
    """
    reading = _begin(services, caller, kind, "s")
    found = _visible(reading, wanted)
    shown = found[: wanted.count]
    reading.commit(*(each.version for each in shown))
    resources = tuple(_outward(services, kind, each) for each in shown)
    return Page(resources, shown[-1].place if len(found) > len(shown) else None)


def _begin(services: Services, caller: Caller, kind: Kind, letter: str) -> Reading:
    reading = Reading(services, caller, kind, letter if kind == "RiskAssessment" else "r")
    if covers(caller.scopes, kind, letter) and covers(caller.scopes, "RiskAssessment", reading.interactions):
        return reading
    services.audit.append(_event(reading, "minor-failure", "the granted scopes do not cover it"))
    raise NotPermitted("the granted scopes do not cover this")


def _visible(reading: Reading, wanted: Wanted) -> list[Standing]:
    """Return one more than is wanted if there are as many, so that a next page is known of."""
    tenant, batch = reading.services.settings.tenant, wanted.count + 1
    visible: list[Standing] = []
    while len(visible) < batch:
        with reading.services.journal.reading() as connection:
            found = records.find(connection, tenant, wanted, batch)
        visible += [each for each in found if reading.permits(each)]
        if len(found) < batch:
            break
        wanted = replace(wanted, after=found[-1].place)
    return visible[:batch]


def _decided(reading: Reading, standing: Standing) -> tuple[bool, Event]:
    services, twin = reading.services, standing.version.twin
    known = directives.recall(services, twin)
    if known is None or standing.state == DENIED:
        why = "no Consents were read" if known is None else "the twin is denied"
        return False, _event(reading, "minor-failure", f"disclose: deny; {why}", twin)
    question = Question(
        "disclose",
        CLASSES,
        frozenset(standing.version.labels.split()),
        caller=reading.caller,
        interactions=reading.interactions,
    )
    hospital = services.hospital(standing.hospital)
    decision = weigh(services, hospital, twin, question, known)
    return decision.permitted, recorded(services, hospital, decision, known, reading.caller)


def _disclosures(reading: Reading, shown: Iterable[Version]) -> list[Event]:
    """Return one record for each person; a reading that shows nothing is a record too."""
    by_twin: dict[str, list[str]] = {}
    for version in shown:
        by_twin.setdefault(version.twin, []).append(_reference(reading.kind, version))
    events = [
        _event(reading, "success", f"{len(references)} {reading.kind}", twin, tuple(references))
        for twin, references in by_twin.items()
    ]
    return events or [_event(reading, "success", f"nothing of {reading.kind}")]


def _event(
    reading: Reading,
    outcome: Literal["success", "minor-failure"],
    detail: str,
    twin: str | None = None,
    resources: tuple[str, ...] = (),
) -> Event:
    services = reading.services
    return Event(
        kind="consent-decision" if outcome == "minor-failure" else "disclosure",
        action="execute" if outcome == "minor-failure" else "read",
        outcome=outcome,
        tenant=services.settings.tenant,
        actor=f"client/{reading.caller.id}",
        at=services.clock(),
        request=reading.caller.request,
        purpose=PURPOSE,
        subject=twin,
        detail=detail,
        resources=resources,
    )


def provenance_id(version: Version) -> str:
    """Return the id of the Provenance of a version; an assessment's id has no hyphen."""
    return f"{version.id}-{version.version}"


def _reference(kind: Kind, version: Version) -> str:
    if kind == "Provenance":
        return f"Provenance/{provenance_id(version)}/_history/1"
    return f"RiskAssessment/{version.id}/_history/{version.version}"


def _outward(services: Services, kind: Kind, standing: Standing) -> dict[str, Any]:
    version, url = standing.version, services.hospital(standing.hospital).base_url
    at = from_us(version.recorded)
    if kind == "Provenance":
        return outward.shown(opened_provenance(services, version), provenance_id(version), 1, at, url)
    return outward.shown(opened(services, version), version.id, version.version, at, url)
