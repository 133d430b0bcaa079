"""What each model answers about a twin now, made when it is asked for.

As GuidanceResponse: a forecast, or what it lacks. As Observation: the courses and numbers of a forecast. As
MedicationRequest: what a model proposes, found when it is asked for, where a person has switched that on; an
OperationOutcome says why it proposes nothing.

1. find the twins; those without a current state have no answer;
2. decide on *disclose* for each, on its Consents as last read and the labels of all its data;
3. write to the audit log, in one append, the decisions and all that will be shown;
4. show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from consent.vault import KeyDestroyed
from fhir_mapping import course_observation, guidance_response, proposal
from fhir_mapping import exit as outward
from fhir_mapping.course_observation import Derived
from fhir_mapping.device import Software
from fhir_mapping.heading import Heading
from gateway.operations import dosing
from gateway.operations.assess import IDENTIFIER, assessment_id
from gateway.operations.consented import Caller
from gateway.operations.reading import Kind, Reading, Sought, begin
from gateway.operations.receive import open_patient
from gateway.operations.services import Services
from gateway.storage.schema import hospital, twin
from gateway.telemetry import hop
from twin_engine import store
from twin_engine.model import Inputs
from twin_engine.store import Snapshot
from twin_engine.twin import Course, Forecast, Reason, Refusal, Summary

CURRENT = "current"


@dataclass(frozen=True, slots=True)
class _Sitter:
    """A twin with what its models last answered."""

    row: Row[Any]
    labels: frozenset[str]
    snapshots: tuple[Snapshot, ...]

    @property
    def sought(self) -> Sought:
        return Sought(self.row.id, self.row.hospital, self.row.state, " ".join(sorted(self.labels)))


def search(
    services: Services, caller: Caller, kind: Kind, twins: frozenset[str]
) -> tuple[dict[str, Any], ...]:
    """Return what of ``kind`` may be seen of these twins.

    Raises
    ------
    NotPermitted
        The caller's scopes do not reach this type.
    audit.log.AuditUnavailable
        The reading could not be recorded, so nothing is shown.
    """
    reading, render = begin(services, caller, kind, "s"), RENDERED[kind]
    visible = [one for one in _sitters(services, twins) if reading.permits(one.sought)]
    found = [(one.row.id, resource) for one in visible for resource in render(reading, one)]
    reading.commit((twin_id, f"{kind}/{told['id']}") for twin_id, told in found if "id" in told)
    return tuple(resource for _, resource in found)


def _sitters(services: Services, twins: frozenset[str]) -> Iterator[_Sitter]:
    ours = twin.join(hospital, twin.c.hospital == hospital.c.id)
    query = select(twin).select_from(ours).where(hospital.c.tenant == services.settings.tenant)
    with services.journal.reading() as connection, hop("seal"):
        for row in connection.execute(query.where(twin.c.id.in_(twins)).order_by(twin.c.id)).all():
            try:
                evidence = store.current_evidence(connection, services.vault, row.id)
                snapshots = store.latest_snapshots(connection, services.vault, row.id)
            except KeyDestroyed:
                continue
            yield _Sitter(row, frozenset().union(*(one.labels for one in evidence)), snapshots)


@dataclass(frozen=True, slots=True)
class _Answered:
    """One answer that holds now, and under which heading it stands."""

    heading: Heading
    inputs: Inputs
    answer: Forecast | Refusal
    snapshot: Snapshot
    url: str

    def shown(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return ``resource`` as our address shows it."""
        return outward.shown(resource, resource["id"], self.snapshot.seq, self.snapshot.known, self.url)


def _answered(reading: Reading, one: _Sitter) -> Iterator[_Answered]:
    services = reading.services
    url, patient = services.hospital(one.row.hospital).base_url, None
    for snapshot in one.snapshots if one.row.state == CURRENT else ():
        model = services.models.get(snapshot.model)
        if model is None or not reading.shows(one.row.hospital, snapshot.model):
            continue
        patient = patient or open_patient(services, one.row.id, one.row.patient)
        card = model.card
        software = Software(card.name, snapshot.version, card.title, snapshot.code, card.sources)
        for answer in snapshot.answers:
            identifier = assessment_id(services, one.row.id, snapshot.model, answer.family)
            head = Heading(identifier, f"Patient/{patient}", (IDENTIFIER, identifier), software, one.labels)
            yield _Answered(head, model.inputs, _as_of(answer, services.clock()), snapshot, url)


def _guidance(reading: Reading, sitter: _Sitter) -> Iterator[dict[str, Any]]:
    for one in _answered(reading, sitter):
        given = guidance_response.guidance(one.heading, one.answer, one.inputs)
        yield one.shown(guidance_response.render(given))


def _derived(reading: Reading, sitter: _Sitter) -> Iterator[dict[str, Any]]:
    for one in _answered(reading, sitter):
        if isinstance(one.answer, Forecast):
            yield from _numbers(reading.services, one, one.answer)


def _numbers(services: Services, one: _Answered, answer: Forecast) -> Iterator[dict[str, Any]]:
    values: tuple[Course | Summary, ...] = (*answer.courses, *answer.summaries)
    for value in values:
        name = f"course-{value.signal}" if isinstance(value, Course) else value.name
        identifier = services.pseudonyms.of("derived", one.heading.id, name)
        head = replace(one.heading, id=identifier, identifier=(DERIVED, identifier))
        yield one.shown(course_observation.render(Derived(head, value, answer.basis)))


def _proposed(reading: Reading, sitter: _Sitter) -> Iterator[dict[str, Any]]:
    services, now = reading.services, reading.services.clock()
    for name, one in {each.snapshot.model: each for each in _answered(reading, sitter)}.items():
        found = dosing.proposed(services, sitter.row.hospital, sitter.row.id, name, now)
        if isinstance(found, Refusal):
            yield guidance_response.outcome_of(found)
            continue
        for said in found:
            what = "rate" if said.hourly else "dose"
            identifier = services.pseudonyms.of("proposal", one.heading.id, what, now.isoformat())
            head = replace(one.heading, id=identifier, identifier=(PROPOSED, identifier))
            yield outward.addressed(proposal.render(proposal.Proposed(head, said)), one.url)


DERIVED, PROPOSED = "urn:didymos:derived", "urn:didymos:proposal"
RENDERED: Mapping[Kind, Callable[[Reading, _Sitter], Iterator[dict[str, Any]]]] = {
    "GuidanceResponse": _guidance,
    "Observation": _derived,
    "MedicationRequest": _proposed,
}


def _as_of(answer: Forecast | Refusal, now: datetime) -> Forecast | Refusal:
    """Return the answer, unless it has run out meanwhile."""
    if isinstance(answer, Refusal) or answer.expires > now:
        return answer
    return Refusal(answer.family, now, (RUN_OUT,), answer.basis)


RUN_OUT = Reason("stale-input", "", "The forecast has run out and was not renewed.")
