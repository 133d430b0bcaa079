"""People who may sign in.

An administrator invites somebody; the invitation is a ticket that works once and not for long. Of a ticket
only its hash is stored, so that who reads the journal cannot sign in with it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from audit.record import Action, Event
from gateway.errors import BadRequest, NotAuthenticated, NotFound
from gateway.operations.services import Services
from gateway.storage.engine import to_us
from gateway.storage.schema import person

ROLES = frozenset({"clinician"})
TICKET_LIFE = timedelta(minutes=10)
_TICKET_BYTES = 32
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in."""

    id: str
    name: str
    role: str

    @property
    def actor(self) -> str:
        """How the audit log and the consent decision name this person."""
        return f"Practitioner/{self.id}"


def invite(services: Services, name: str, role: str, life: timedelta = TICKET_LIFE) -> str:
    """Return a sign-in ticket for a person, new or known by ``name``; an earlier ticket is void.

    Raises
    ------
    BadRequest
        The name is empty or too long, or there is no such role.
    """
    if role not in ROLES:
        raise BadRequest(f"no such role; there are: {', '.join(sorted(ROLES))}")
    called = name.strip()
    if not 0 < len(called) <= _LONGEST_NAME:
        raise BadRequest(f"a name has 1 to {_LONGEST_NAME} characters")
    invited = Person(services.pseudonyms.of("person", services.settings.tenant, called), called, role)
    ticket = secrets.token_urlsafe(_TICKET_BYTES)
    services.audit.append(_event(services, "administrator", "create", f"invited {invited.id} as {role}"))
    _keep(services, invited, _digest(ticket), to_us(services.clock() + life))
    return ticket


def _keep(services: Services, invited: Person, ticket: bytes, expires: int) -> None:
    values = {"role": invited.role, "ticket": ticket, "ticket_expires": expires}
    with services.journal.transaction() as connection:
        known = update(person).where(person.c.id == invited.id).values(**values)
        if connection.execute(known).rowcount == 0:
            new = {"id": invited.id, "tenant": services.settings.tenant, "name": invited.name}
            connection.execute(insert(person).values(**new, **values, created=services.now()))


def redeem(services: Services, ticket: str) -> Person:
    """Return whom a ticket was made for, and void it.

    The ticket is void before the sign-in is recorded: should the audit log be down, nobody is signed in
    and a new ticket is needed.

    Raises
    ------
    NotAuthenticated
        The ticket is unknown, used or too old.
    """
    statement = (
        update(person)
        .where(
            person.c.ticket == _digest(ticket),
            person.c.ticket_expires > services.now(),
            person.c.tenant == services.settings.tenant,
        )
        .values(ticket=None, ticket_expires=None)
        .returning(person.c.id, person.c.name, person.c.role)
    )
    with services.journal.transaction() as connection:
        row = connection.execute(statement).one_or_none()
    if row is None:
        services.audit.append(_event(services, "unknown", "execute", "sign-in refused: ticket", failed=True))
        raise NotAuthenticated("this sign-in link was used already, is too old or is not complete")
    found = Person(*row)
    services.audit.append(_event(services, found.actor, "execute", f"signed in as {found.role}"))
    return found


def known(services: Services, identifier: str) -> Person | None:
    """Return the person, if there still is one."""
    query = select(person.c.id, person.c.name, person.c.role).where(
        person.c.id == identifier, person.c.tenant == services.settings.tenant
    )
    with services.journal.reading() as connection:
        row = connection.execute(query).one_or_none()
    return Person(*row) if row else None


def remove(services: Services, name: str) -> None:
    """Take a person's access away: a ticket is void, and a session ends with its next request.

    Raises
    ------
    NotFound
        Nobody is called so.
    """
    mine = (person.c.name == name.strip()) & (person.c.tenant == services.settings.tenant)
    with services.journal.reading() as connection:
        identifier = connection.execute(select(person.c.id).where(mine)).scalar()
    if identifier is None:
        raise NotFound("nobody is called so")
    services.audit.append(_event(services, "administrator", "delete", f"removed {identifier}"))
    with services.journal.transaction() as connection:
        connection.execute(delete(person).where(mine))


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


def _event(services: Services, actor: str, action: Action, detail: str, *, failed: bool = False) -> Event:
    return Event(
        kind="token",
        action=action,
        outcome="minor-failure" if failed else "success",
        tenant=services.settings.tenant,
        actor=actor,
        at=services.clock(),
        detail=detail,
    )
