"""One reading by a system that may read from us: what was decided on the way, and the record of it.

Everything that tells what an assessment says needs leave to read assessments, whatever its own type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from audit.record import Event
from consent.scopes import covers
from gateway.errors import NotPermitted
from gateway.operations import directives, switches
from gateway.operations.consented import PURPOSE, Caller, Question, recorded, weigh
from gateway.operations.services import Services
from gateway.operations.switches import State
from gateway.storage.records import DENIED
from gateway.telemetry import hop

Kind = Literal[
    "RiskAssessment",
    "Provenance",
    "DetectedIssue",
    "Communication",
    "GuidanceResponse",
    "Observation",
    "MedicationRequest",
]
ASSESSMENT = "RiskAssessment"


@dataclass(frozen=True, slots=True)
class Sought:
    """Of which twin something is sought, and the labels on it, separated by blanks."""

    twin: str
    hospital: str
    state: str
    labels: str


@dataclass(slots=True)
class Reading:
    """One request: what was decided on the way, once for each twin and set of labels."""

    services: Services
    caller: Caller
    kind: Kind
    interactions: str
    _permitted: dict[tuple[str, str], bool] = field(default_factory=dict)
    _states: dict[str, Mapping[str, State]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def permits(self, sought: Sought) -> bool:
        """Decide on *disclose*; the record of it waits to be committed."""
        key = sought.twin, sought.labels
        if key not in self._permitted:
            permitted, event = _decided(self, sought)
            self._permitted[key] = permitted
            self.events.append(event)
        return self._permitted[key]

    def shows(self, hospital: str, model: str) -> bool:
        """Tell whether what a model foretells is shown at a hospital; one that is gone is not switched."""
        if hospital not in self._states:
            with self.services.journal.reading() as connection:
                self._states[hospital] = switches.states(connection, self.services, hospital)
        return self._states[hospital].get(model, "on") == "on"

    def commit(self, shown: Iterable[tuple[str, str]] = ()) -> None:
        """Put on record what was decided, and what will be shown as twin and reference; before it is."""
        with hop("audit"):
            self.services.audit.append(*self.events, *_disclosures(self, shown))


def begin(services: Services, caller: Caller, kind: Kind, letter: str) -> Reading:
    """Return a reading, if the caller's scopes reach that far.

    Raises
    ------
    NotPermitted
        They do not.
    audit.log.AuditUnavailable
        The refusal could not be recorded.
    """
    reading = Reading(services, caller, kind, "r" if kind == "Provenance" else letter)
    if covers(caller.scopes, kind, letter) and covers(caller.scopes, ASSESSMENT, reading.interactions):
        return reading
    services.audit.append(_event(reading, "minor-failure", "the granted scopes do not cover it"))
    raise NotPermitted("the granted scopes do not cover this")


def _decided(reading: Reading, sought: Sought) -> tuple[bool, Event]:
    services, twin = reading.services, sought.twin
    known = directives.recall(services, twin)
    if known is None or sought.state == DENIED:
        why = "no Consents were read" if known is None else "the twin is denied"
        return False, _event(reading, "minor-failure", f"disclose: deny; {why}", twin)
    question = Question(
        "disclose",
        _classes(reading.kind),
        frozenset(sought.labels.split()),
        caller=reading.caller,
        interactions=reading.interactions,
    )
    hospital = services.hospital(sought.hospital)
    decision = weigh(services, hospital, twin, question, known)
    return decision.permitted, recorded(services, hospital, decision, known, reading.caller)


def _classes(kind: Kind) -> frozenset[str]:
    """Return what is disclosed: Provenance tells of an assessment, the rest tells what it says again."""
    return frozenset({ASSESSMENT}) if kind == "Provenance" else frozenset({ASSESSMENT, kind})


def _disclosures(reading: Reading, shown: Iterable[tuple[str, str]]) -> list[Event]:
    """Return one record for each person; a reading that shows nothing is a record too."""
    by_twin: dict[str, list[str]] = {}
    for twin, reference in shown:
        by_twin.setdefault(twin, []).append(reference)
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
