"""From forecasts to assessments: deterministic ids, new versions only where something is newly said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from fhir_mapping import provenance, risk_assessment, validation
from fhir_mapping.device import Software
from fhir_mapping.heading import Heading
from gateway.operations import switches
from gateway.operations.services import Hospital, Services
from gateway.operations.switches import State
from gateway.operations.update import Computed, same
from gateway.storage import outbox
from gateway.storage.engine import to_us
from gateway.storage.outbox import Version
from gateway.telemetry import hop
from twin_engine.model import Model
from twin_engine.store import Snapshot, code_hash
from twin_engine.twin import Forecast, Reason, Refusal

IDENTIFIER = "urn:didymos:assessment"


def assessment_id(services: Services, twin: str, model: str, family: str) -> str:
    """Return the id under which an outcome family of a model stands, here and in the EHR."""
    return services.pseudonyms.of("assessment", services.settings.tenant, twin, model, family)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where and when assessments are made: one update of one twin."""

    services: Services
    hospital: Hospital
    twin: str
    patient: str
    at: datetime
    seq: int
    labels: frozenset[str] = frozenset()

    def standing(self) -> dict[str, Version]:
        """Return the newest version of each assessment of this twin."""
        with self.services.journal.reading() as connection:
            return outbox.latest(connection, self.twin)

    def states(self) -> Mapping[str, State]:
        """Return which models are on at this hospital."""
        with self.services.journal.reading() as connection:
            return switches.states(connection, self.services, self.hospital.id)


def assessments(occasion: Occasion, computed: tuple[Computed, ...]) -> tuple[Version, ...]:
    """Return the new versions that ``computed`` gives rise to."""
    standing, states = occasion.standing(), occasion.states()
    new = _stopped(occasion, standing.values(), states)
    for one in computed:
        if states[one.model.card.name] != "on":
            continue
        for answer in one.answers:  # also of an unchanged snapshot: consent may have come back
            identifier = assessment_id(occasion.services, occasion.twin, one.model.card.name, answer.family)
            before = standing.get(identifier)
            relabelled = before is not None and before.labels != " ".join(sorted(occasion.labels))
            if _says_something_new(answer, one, before) or (relabelled and isinstance(answer, Forecast)):
                new.append(_version(occasion, one.model, answer, before))
    return tuple(new)


def _stopped(occasion: Occasion, standing: Iterable[Version], states: Mapping[str, State]) -> list[Version]:
    """Return versions that say of each live assessment whose model is not on here that it holds no more."""
    models = occasion.services.models
    return [
        _version(occasion, models[old.model], Refusal(old.family, occasion.at, (NOT_SHOWN,)), old)
        for old in standing
        if old.live and old.model in models and states[old.model] != "on"
    ]


NOT_SHOWN = Reason("unconfirmed", "", "This model is not shown at this site for now.")


def _says_something_new(answer: Forecast | Refusal, one: Computed, before: Version | None) -> bool:
    if isinstance(answer, Refusal):
        return before is not None and before.live
    if before is None or not before.live:
        return True
    earlier = next((old for old in one.previous if old.family == answer.family), None)
    lapsed = isinstance(earlier, Forecast) and answer.at >= earlier.expires
    return earlier is None or lapsed or not same(answer, earlier)


def withdrawals(occasion: Occasion) -> tuple[Version, ...]:
    """Return versions that say of each live assessment that it no longer holds."""
    models = occasion.services.models
    return tuple(
        _version(occasion, models[old.model], Refusal(old.family, occasion.at, ()), old)
        for old in occasion.standing().values()
        if old.live and old.model in models
    )


def lapses(occasion: Occasion, snapshots: Iterable[Snapshot]) -> tuple[Version, ...]:
    """Return versions that say of what has run out or is not to be shown any more that it holds no more."""
    standing, models = occasion.standing(), occasion.services.models
    new = _stopped(occasion, standing.values(), occasion.states())
    standing = {each: old for each, old in standing.items() if old.id not in {one.id for one in new}}
    for snapshot in snapshots:
        for answer in snapshot.answers if snapshot.model in models else ():
            before = standing.get(
                assessment_id(occasion.services, occasion.twin, snapshot.model, answer.family)
            )
            if isinstance(answer, Forecast) and answer.expires <= occasion.at and before and before.live:
                refusal = Refusal(answer.family, occasion.at, (RUN_OUT,), answer.basis)
                new.append(_version(occasion, models[snapshot.model], refusal, before))
    return tuple(new)


RUN_OUT = Reason("stale-input", "", "The forecast has run out and the EHR cannot be read.")


def _version(occasion: Occasion, model: Model, answer: Forecast | Refusal, before: Version | None) -> Version:
    services, twin = occasion.services, occasion.twin
    identifier = assessment_id(services, twin, model.card.name, answer.family)
    number = before.version + 1 if before else 1
    with hop("map"):
        resource, trail = _rendered(occasion, model, answer, identifier, number)
    with hop("seal"):
        row = f"{identifier}/{number}"
        sealed = services.seal(f"twin/{twin}", "assessment.sealed", row, orjson.dumps(resource))
        sealed_trail = services.seal(f"twin/{twin}", "assessment.provenance", row, orjson.dumps(trail))
    return Version(
        id=identifier,
        version=number,
        twin=twin,
        tenant=services.settings.tenant,
        model=model.card.name,
        family=answer.family,
        live=isinstance(answer, Forecast),
        seq=occasion.seq,
        recorded=to_us(occasion.at),
        sealed=sealed,
        provenance=sealed_trail,
        labels=" ".join(sorted(occasion.labels)),
    )


def _rendered(
    occasion: Occasion, model: Model, answer: Forecast | Refusal, identifier: str, number: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    card = model.card
    software = Software(card.name, card.version, card.title, code_hash(model), card.sources)
    subject = f"Patient/{occasion.patient}"
    head = Heading(identifier, subject, (IDENTIFIER, identifier), software, occasion.labels)
    if isinstance(answer, Forecast):
        statement = risk_assessment.foretold(head, answer, amended=number > 1)
    else:
        reasons = tuple(reason.text for reason in answer.reasons)
        statement = risk_assessment.withdrawn(head, occasion.at, reasons, answer.basis)
    act = provenance.Act(
        id=f"{identifier}-{number}",
        target=f"RiskAssessment/{identifier}/_history/{number}",
        recorded=occasion.at,
        software=software,
        inputs=answer.basis,
        created=number == 1,
        labels=occasion.labels,
    )
    resource, trail = risk_assessment.render(statement), provenance.render(act)
    for one in (resource, trail):
        validation.check(one)  # what a plugged-in model says must be FHIR before it stands anywhere
    return resource, trail


def keep(connection: Connection, hospital: Hospital, new: tuple[Version, ...], now: int) -> None:
    """Store new versions together with the wish to deliver them."""
    state = outbox.KEPT if hospital.profile.write == "kept-here" else outbox.PENDING
    for version in new:
        outbox.append(connection, version, now, state)


def opened(services: Services, version: Version) -> dict[str, Any]:
    """Return the RiskAssessment of a version."""
    row = f"{version.id}/{version.version}"
    resource: dict[str, Any] = orjson.loads(
        services.unseal(f"twin/{version.twin}", "assessment.sealed", row, version.sealed)
    )
    return resource


def opened_provenance(services: Services, version: Version) -> dict[str, Any]:
    """Return the Provenance of a version."""
    row = f"{version.id}/{version.version}"
    resource: dict[str, Any] = orjson.loads(
        services.unseal(f"twin/{version.twin}", "assessment.provenance", row, version.provenance)
    )
    return resource
