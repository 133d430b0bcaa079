"""Hospitals as registered: find out what an EHR can do, keep it, have our Subscriptions stand there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select

from audit.record import Event
from consent.policy import load_policy
from fhir_mapping import codes
from gateway.errors import BadRequest
from gateway.hospitals.connection import Connection
from gateway.hospitals.profile import Profile, inspect
from gateway.operations import catch_up
from gateway.operations.catch_up import Channel, digest
from gateway.operations.services import Services
from gateway.storage.schema import hospital, subscription

SCOPES = (
    "system/Patient.rs",
    "system/Consent.rs",
    "system/Observation.rs",
    "system/Condition.rs",
    "system/MedicationRequest.rs",
    "system/MedicationStatement.rs",
    "system/RiskAssessment.cruds",
    "system/Subscription.cruds",
)


class Access(msgspec.Struct, frozen=True):
    """How we prove who we are to one EHR; kept sealed. Without a client id the EHR is open."""

    client_id: str = ""
    private_key: Mapping[str, Any] = {}
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """What an administrator says of an EHR."""

    name: str
    base_url: str
    access: Access
    policy: str
    actors: frozenset[str]
    labels_attested: bool = False


def register(services: Services, registration: Registration, connection: Connection) -> tuple[str, Profile]:
    """Inspect the EHR and keep its registration; an EHR of the same name is replaced.

    Raises
    ------
    gateway.hospitals.errors.HospitalError
        It cannot be reached, or does not let us in.
    """
    load_policy(registration.policy)
    profile = inspect(connection)
    identifier = services.pseudonyms.of("hospital", services.settings.tenant, registration.name)
    owner = services.ours
    access = services.vault.seal(
        owner, ("hospital.access", identifier), msgspec.json.encode(registration.access)
    )
    values = {
        "id": identifier,
        "tenant": services.settings.tenant,
        "name": registration.name,
        "base_url": registration.base_url.rstrip("/"),
        "policy": registration.policy,
        "profile": msgspec.json.encode(profile).decode(),
        "access": access,
        "actors": " ".join(sorted(registration.actors)),
        "labels_attested": registration.labels_attested,
        "created": services.now(),
    }
    services.audit.append(_registered(services, identifier, registration))
    _keep(services, identifier, values)
    return identifier, profile


def _keep(services: Services, identifier: str, values: Mapping[str, object]) -> None:
    with services.journal.transaction() as connection:
        known = connection.execute(select(hospital.c.base_url).where(hospital.c.id == identifier)).scalar()
        if known is not None and known != values["base_url"]:
            raise BadRequest("this name belongs to another EHR; choose another name")
        if known is None:
            connection.execute(insert(hospital).values(**values))
        else:
            connection.execute(hospital.update().where(hospital.c.id == identifier).values(**values))


def _registered(services: Services, identifier: str, registration: Registration) -> Event:
    attested = "labels attested" if registration.labels_attested else "labels not attested"
    return Event(
        kind="policy",
        action="create",
        outcome="success",
        tenant=services.settings.tenant,
        actor="administrator",
        at=services.clock(),
        detail=f"hospital {identifier}: policy {registration.policy}, {attested}",
    )


def subscribe(services: Services, hospital_id: str) -> int:
    """Have one Subscription stand in the EHR for each criterion; return their number."""
    target = services.hospital(hospital_id)
    if target.profile.sync != "subscription":
        return 0
    wanted = codes.criteria()
    for criterion in wanted:
        catch_up.register(services, target, _channel(services, hospital_id, criterion))
    _forget_others(services, hospital_id, wanted)
    return len(wanted)


def _channel(services: Services, hospital_id: str, criterion: str) -> str:
    """Return the id of the Subscription of one criterion, making its channel where there is none."""
    mine = select(subscription.c.id).where(
        subscription.c.hospital == hospital_id, subscription.c.criteria == criterion
    )
    now = services.now()
    identifier = services.pseudonyms.of("subscription", hospital_id, criterion)
    channel = Channel(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    sealed = services.seal(services.ours, "subscription.sealed", identifier, msgspec.msgpack.encode(channel))
    with services.journal.transaction() as connection:
        known = connection.execute(mine).scalar()
        if known is None:
            connection.execute(
                insert(subscription).values(
                    id=identifier,
                    hospital=hospital_id,
                    channel=digest(channel.path),
                    secret=digest(channel.secret),
                    sealed=sealed,
                    criteria=criterion,
                    status="requested",
                    caught_up=now,
                    checked=now,
                )
            )
    return known or identifier


def _forget_others(services: Services, hospital_id: str, wanted: tuple[str, ...]) -> None:
    statement = delete(subscription).where(
        subscription.c.hospital == hospital_id, subscription.c.criteria.not_in(wanted)
    )
    with services.journal.transaction() as connection:
        connection.execute(statement)


def hospitals(services: Services) -> dict[str, str]:
    """Return the ids of the registered hospitals by name."""
    with services.journal.reading() as connection:
        rows = connection.execute(select(hospital.c.name, hospital.c.id).order_by(hospital.c.name))
        return {row.name: row.id for row in rows}
