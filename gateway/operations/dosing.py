"""Dosing proposals: off, until a named person switches them on at one EHR, for one version of a model.

They are for research. They are shown on our FHIR address to who asks, each with its expiry, and never
written to an EHR. To switch off holds from the next question on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select

from gateway.errors import BadRequest
from gateway.operations.consented import administered
from gateway.operations.presence import brought_to
from gateway.operations.services import Services
from gateway.operations.switches import EVERY_VERSION, EVERYWHERE, Switch, said_by_somebody
from gateway.storage.schema import model_state
from gateway.telemetry import log
from twin_engine.proposing import Proposing
from twin_engine.twin import Proposal, Refusal

# Under this name the word of a person stands beside those about the model as a whole.
PART = "/dosing"


def proposing(services: Services) -> Mapping[str, Any]:
    """Return the models that can propose doses, by name."""
    return {name: model for name, model in services.models.items() if isinstance(model, Proposing)}


def switch(connection: Connection, services: Services, hospital_id: str, model: str) -> Switch:
    """Return what holds for the dosing proposals of ``model`` at one EHR."""
    version = services.models[model].card.version
    rows = connection.execute(select(model_state).where(model_state.c.model == model + PART)).all()
    known: dict[str, Row[Any]] = {
        row.hospital: row for row in rows if row.version in (EVERY_VERSION, version)
    }
    row = known.get(hospital_id, known.get(EVERYWHERE))
    if row is None:
        return Switch(model, version, "off")
    return Switch(model, version, row.state, row.since, row.by, row.reason)


def turn(services: Services, state: Literal["on", "off"], hospital_id: str, by: str, reason: str) -> None:
    """Let a person's word hold for every model that proposes doses; off may be said of every EHR at once.

    Raises
    ------
    BadRequest
        No name or reason is given, no EHR is named to switch on at, or no model proposes doses.
    """
    said_by_somebody(by, reason)
    models = proposing(services)
    if state == "on" and hospital_id == EVERYWHERE:
        raise BadRequest("dosing proposals are switched on at one EHR at a time")
    if not models:
        raise BadRequest("no model proposes doses")
    where = hospital_id or "every EHR"
    services.audit.append(
        *(
            administered(services, "update", f"dosing by {name} {state} at {where} by {by}: {reason}")
            for name in models
        )
    )
    with services.journal.transaction() as connection:
        for name, model in models.items():
            version = model.card.version if state == "on" else EVERY_VERSION
            _replace(connection, name + PART, hospital_id)
            connection.execute(
                insert(model_state).values(
                    model=name + PART,
                    version=version,
                    hospital=hospital_id,
                    state=state,
                    since=services.now(),
                    by=by,
                    reason=reason,
                )
            )
    log().warning("dosing-switched", state=state, hospital=hospital_id or None)


def _replace(connection: Connection, name: str, hospital_id: str) -> None:
    """Make earlier words void: those of this EHR, or of all."""
    mine = [model_state.c.model == name]
    if hospital_id != EVERYWHERE:
        mine.append(model_state.c.hospital == hospital_id)
    connection.execute(delete(model_state).where(*mine))


def proposed(
    services: Services, hospital_id: str, twin: str, name: str, at: datetime
) -> tuple[Proposal, ...] | Refusal:
    """Return what a model proposes for a twin now; nothing where that is not switched on.

    The caller has been permitted to see it.
    """
    model = services.models[name]
    with services.journal.reading() as connection:
        if switch(connection, services, hospital_id, name).state != "on":
            return ()
    if not isinstance(model, Proposing):
        return ()
    state, rng = brought_to(services, twin, model, at)
    return model.propose(state, at, rng)
