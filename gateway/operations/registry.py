"""Hospitals as registered: find out what an EHR can do, keep it, have our Subscriptions stand there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import Row, delete, insert, select, update

from audit.record import Event
from consent.policy import load_policy
from fhir_mapping import searches
from gateway.errors import BadRequest
from gateway.hospitals import subscribe as standing
from gateway.hospitals.connection import Connection
from gateway.hospitals.errors import HospitalError
from gateway.hospitals.profile import Profile, inspect
from gateway.operations import catch_up
from gateway.operations.catch_up import Channel, digest
from gateway.operations.consented import administered
from gateway.operations.services import Services
from gateway.storage import leases
from gateway.storage.schema import hospital, subscription, twin
from gateway.telemetry import log, place


class Access(msgspec.Struct, frozen=True):
    """How we prove who we are to one EHR; kept sealed. Without a client id the EHR is open.

    ``scopes`` are what we ask for: they follow from what ``connect`` finds.
    """

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
        It cannot be reached, or does not let us in: ``ScopeMissing`` names what it must grant.
    """
    load_policy(registration.policy)
    profile = inspect(connection, searches.kinds(model.inputs for model in services.models.values()))
    granted = msgspec.structs.replace(registration.access, scopes=profile.scopes)
    identifier = services.pseudonyms.of("hospital", services.settings.tenant, registration.name)
    owner = services.ours
    access = services.vault.seal(owner, ("hospital.access", identifier), msgspec.json.encode(granted))
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
            connection.execute(insert(hospital).values(**values, searched=values["created"]))
        else:
            _change(connection, identifier, values)
            _wake_again(connection, identifier)


def _change(connection: sqlalchemy.Connection, identifier: str, values: Mapping[str, object]) -> None:
    """Change a registration so that every process notices."""
    statement = hospital.update().where(hospital.c.id == identifier)
    connection.execute(statement.values(**values, revision=hospital.c.revision + 1))


def _wake_again(connection: sqlalchemy.Connection, identifier: str) -> None:
    """Have the twins that a disconnection left read again in full."""
    left = (twin.c.hospital == identifier) & (twin.c.parked == leases.DISCONNECTED)
    connection.execute(update(twin).where(left).values(parked=None, attempts=0, reconciled=0))


def _registered(services: Services, identifier: str, registration: Registration) -> Event:
    attested = "labels attested" if registration.labels_attested else "labels not attested"
    return administered(
        services, "create", f"hospital {identifier}: policy {registration.policy}, {attested}"
    )


def disconnect(services: Services, hospital_id: str) -> int:
    """Take our Subscriptions away at the EHR and forget our access to it; its twins stay as they are.

    Returns
    -------
    int
        How many Subscriptions could not be removed and stand at the EHR; their notifications are refused.
    """
    services.audit.append(administered(services, "delete", f"hospital {hospital_id}: disconnected"))
    with services.journal.reading() as connection:
        rows = connection.execute(select(subscription).where(subscription.c.hospital == hospital_id)).all()
    left = [row for row in rows if not _removed(services, row)]
    with services.journal.transaction() as connection:
        connection.execute(delete(subscription).where(subscription.c.hospital == hospital_id))
        _change(connection, hospital_id, {"access": b""})
        idle = {"parked": leases.DISCONNECTED, "due": None}
        connection.execute(update(twin).where(twin.c.hospital == hospital_id).values(**idle))
    return len(left)


def _removed(services: Services, row: Row[Any]) -> bool:
    """Take one Subscription away at the EHR; False where that cannot be done now."""
    if row.remote_id is None:
        return True
    try:
        standing.remove(services.hospital(row.hospital).connection, row.remote_id)
    except HospitalError as error:
        log().warning("subscription-stays", subscription=row.id, fault=place(error))
        return False
    return True


def subscribe(services: Services, hospital_id: str) -> int:
    """Have one Subscription stand in the EHR for each criterion; return their number."""
    target = services.hospital(hospital_id)
    if target.profile.sync != "subscription":
        return 0
    criteria = searches.criteria(model.inputs for model in services.models.values())
    wanted = tuple(one for one in criteria if target.profile.reads_of(one.partition("?")[0]))
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
    """Remove Subscriptions of criteria that are not wanted any more; what cannot be removed now stays."""
    others = (subscription.c.hospital == hospital_id) & subscription.c.criteria.not_in(wanted)
    with services.journal.reading() as connection:
        rows = connection.execute(select(subscription).where(others)).all()
    gone = [row.id for row in rows if _removed(services, row)]
    if gone:
        with services.journal.transaction() as connection:
            connection.execute(delete(subscription).where(subscription.c.id.in_(gone)))


def hospitals(services: Services) -> dict[str, str]:
    """Return the ids of the connected hospitals by name."""
    query = select(hospital.c.name, hospital.c.id).where(hospital.c.access != b"").order_by(hospital.c.name)
    with services.journal.reading() as connection:
        return {row.name: row.id for row in connection.execute(query)}
