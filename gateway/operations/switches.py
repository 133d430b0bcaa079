"""Which models speak where: on, silent (computed and scored, shown to nobody) or off (not computed).

A person's word holds for every version of a model, at one EHR or everywhere; a demotion for the version that
drifted, where it drifted. Of several the strictest holds. Whatever is said, and by whom, is in the audit log;
twins that speak by the model are updated at once, and what stands in the EHR is taken back as any assessment
that no longer holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, delete, insert, select

from audit.record import Event
from gateway.errors import BadRequest
from gateway.operations.consented import administered
from gateway.operations.services import Services
from gateway.storage import inbox
from gateway.storage.engine import from_us
from gateway.storage.schema import assessment, hospital, model_state, twin
from gateway.telemetry import log
from twin_engine.model import Model

State = Literal["on", "silent", "off"]

EVERYWHERE, EVERY_VERSION = "", ""
OURSELVES = "didymos"
BATCH = 500
STATES: tuple[State, ...] = ("on", "silent", "off")  # ever stricter
_LONGEST = {"by": 80, "reason": 200}


@dataclass(frozen=True, slots=True)
class Switch:
    """What holds for one model at one EHR; ``by``, ``reason`` and ``since`` are empty where nobody spoke."""

    model: str
    version: str
    state: State
    since: int = 0
    by: str = ""
    reason: str = ""

    @property
    def said(self) -> str:
        """Return it as a sentence: ``silent since 2026-03-02 by A. Person: because``."""
        if not self.by:
            return f"{self.state} by default"
        return f"{self.state} since {from_us(self.since):%Y-%m-%d %H:%MZ} by {self.by}: {self.reason}"


def switches(connection: Connection, services: Services, hospital_id: str) -> Mapping[str, Switch]:
    """Return what holds of every registered model at one EHR."""
    mine = model_state.c.hospital.in_((EVERYWHERE, hospital_id))
    rows = connection.execute(select(model_state).where(mine)).all()
    return {
        name: _holding(services, name, model.card.version, rows) for name, model in services.models.items()
    }


def everywhere(connection: Connection, services: Services) -> Mapping[str, Mapping[str, Switch]]:
    """Return what holds of every registered model at each connected EHR, by its id."""
    connected = connection.execute(select(hospital.c.id).where(hospital.c.access != b"")).scalars().all()
    return {one: switches(connection, services, one) for one in connected}


def states(connection: Connection, services: Services, hospital_id: str) -> Mapping[str, State]:
    """Return the state of every registered model at one EHR."""
    return {name: one.state for name, one in switches(connection, services, hospital_id).items()}


def running(connection: Connection, services: Services, hospital_id: str) -> Mapping[str, Model]:
    """Return the models that are not off at one EHR: nothing is read for the others."""
    stated = states(connection, services, hospital_id)
    return {name: model for name, model in services.models.items() if stated[name] != "off"}


def _holding(services: Services, name: str, version: str, rows: Iterable[Row[Any]]) -> Switch:
    mine = [row for row in rows if row.model == name and row.version in (EVERY_VERSION, version)]
    said = [Switch(name, version, row.state, row.since, row.by, row.reason) for row in mine]
    if all(row.version != EVERY_VERSION for row in mine):
        said.append(Switch(name, version, "on" if name in by_default(services) else "off"))
    return max(said, key=lambda one: (STATES.index(one.state), one.since))


def by_default(services: Services) -> frozenset[str]:
    """Return the names of the models that are on where no person has said otherwise, as they were set."""
    chosen = services.settings.models
    return frozenset(services.models if chosen == "all" else chosen.replace(",", " ").split())


def epoch(connection: Connection, model: str, version: str, hospital_id: str) -> int:
    """Return when a person last started a model at one EHR; its outcomes count anew from then on."""
    mine = (
        (model_state.c.model == model)
        & model_state.c.version.in_((EVERY_VERSION, version))
        & model_state.c.hospital.in_((EVERYWHERE, hospital_id))
        & (model_state.c.state == "on")
    )
    return max(connection.execute(select(model_state.c.since).where(mine)).scalars(), default=0)


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says of a model: at the EHR ``hospital``, or everywhere."""

    model: str
    state: State
    by: str
    reason: str
    hospital: str = EVERYWHERE


def turn(services: Services, word: Word) -> int:
    """Let a person's word hold; return how many twins are updated for it.

    Raises
    ------
    BadRequest
        No such model is registered, no name or reason is given, or it is to be started at one EHR while it
        is stopped everywhere.
    """
    _check(services, word)
    where = word.hospital or "every EHR"
    services.audit.append(
        administered(
            services, "update", f"model {word.model} {word.state} at {where} by {word.by}: {word.reason}"
        )
    )
    with services.journal.transaction() as connection:
        connection.execute(delete(model_state).where(*_replaced(word)))
        _say(connection, services, word, EVERY_VERSION)
    log().warning("model-switched", model=word.model, state=word.state, hospital=word.hospital or None)
    return _update(services, word)


def _check(services: Services, word: Word) -> None:
    if word.model not in services.models:
        known = ", ".join(sorted(services.models))
        raise BadRequest(f"no model is called {word.model}; registered: {known}")
    said_by_somebody(word.by, word.reason)
    if word.state == "on" and word.hospital:
        everywhere = (model_state.c.model == word.model) & (model_state.c.hospital == EVERYWHERE)
        with services.journal.reading() as connection:
            if connection.execute(
                select(model_state.c.state).where(everywhere, model_state.c.state != "on")
            ).first():
                raise BadRequest(f"{word.model} is not on everywhere; start it everywhere first")


def said_by_somebody(by: str, reason: str) -> None:
    """Tell that a person says it, and why.

    Raises
    ------
    BadRequest
        A name or a reason is missing, or too long to keep.
    """
    for name, given in (("by", by), ("reason", reason)):
        if not 0 < len(given.strip()) <= _LONGEST[name]:
            raise BadRequest(f"{name} is to be given, in at most {_LONGEST[name]} characters")


def _replaced(word: Word) -> list[Any]:
    """Return which earlier words are void: to start lifts all, to stop replaces a person's."""
    mine = [model_state.c.model == word.model]
    if word.hospital or word.state != "on":
        mine.append(model_state.c.hospital == word.hospital)
    if word.state != "on":
        mine.append(model_state.c.version == EVERY_VERSION)
    return mine


def _say(connection: Connection, services: Services, word: Word, version: str) -> None:
    connection.execute(
        insert(model_state).values(
            model=word.model,
            version=version,
            hospital=word.hospital,
            state=word.state,
            since=services.now(),
            by=word.by,
            reason=word.reason,
        )
    )


def demote(services: Services, model: str, version: str, hospital_id: str, reason: str) -> bool:
    """Silence a version of a model where it drifts; return whether it was on until now."""
    with services.journal.reading() as connection:
        if states(connection, services, hospital_id).get(model) != "on":
            return False
    word = Word(model, "silent", OURSELVES, reason[: _LONGEST["reason"]], hospital_id)
    services.audit.append(_demoted(services, word, version))
    with services.journal.transaction() as connection:
        stale = (
            (model_state.c.model == model)
            & (model_state.c.version == version)
            & (model_state.c.hospital == hospital_id)
        )
        connection.execute(delete(model_state).where(stale))
        _say(connection, services, word, version)
    log().error("model-demoted", model=model, version=version, hospital=hospital_id)
    _update(services, word)
    return True


def _demoted(services: Services, word: Word, version: str) -> Event:
    return Event(
        kind="policy",
        action="update",
        outcome="success",
        tenant=services.settings.tenant,
        actor=OURSELVES,
        at=services.clock(),
        detail=f"model {word.model} {version} silent at {word.hospital}: drifting: {word.reason}",
    )


def _update(services: Services, word: Word) -> int:
    """Have the twins updated that are concerned; the sweeper heals what the queue loses.

    What a model needs that is to speak from now on was not read until now.
    """
    with services.journal.reading() as connection:
        concerned = sorted(connection.execute(_concerned(word)).scalars())
    for start in range(0, len(concerned), BATCH):
        batch = concerned[start : start + BATCH]
        with services.journal.transaction() as connection:
            for one in batch:
                inbox.wake(connection, one, services.now(), full=word.state == "on")
        for one in batch:
            services.queue.synchronise(one, 0)
    return len(concerned)


def _concerned(word: Word) -> Select[Any]:
    """Return the twins that speak by the model; all, where it is to speak from now on."""
    query = select(twin.c.id).where(twin.c.state == "current")
    if word.hospital:
        query = query.where(twin.c.hospital == word.hospital)
    if word.state == "on":
        return query
    spoken = select(assessment.c.twin).where(assessment.c.model == word.model, assessment.c.live)
    return query.where(twin.c.id.in_(spoken))
