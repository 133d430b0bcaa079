"""What a patient's Consents said when they were last read.

Those who read from us are answered on these: to ask the EHR at each read would be slow, and would tie
our answers to its being up. They are renewed by every update of the twin.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select, update

from consent.policy import Directive
from consent.vault import KeyDestroyed
from gateway.operations.services import Services
from gateway.storage.inbox import insert_new
from gateway.storage.schema import directives as table
from twin_engine.threads import ready

_COLUMN = "directives.sealed"


def remember(
    connection: Connection, services: Services, twin: str, directives: tuple[Directive, ...]
) -> None:
    """Keep what was read in place of what was known before."""
    sealed = services.seal(f"twin/{twin}", _COLUMN, twin, msgspec.msgpack.encode(directives))
    now = services.now()
    if insert_new(connection, table, twin=twin, sealed=sealed, read=now) is None:
        connection.execute(update(table).where(table.c.twin == twin).values(sealed=sealed, read=now))


def recall(services: Services, twin: str) -> tuple[Directive, ...] | None:
    """Return what was read last; None where nothing was ever read, or the twin is erased."""
    with services.journal.reading() as connection:
        sealed = connection.execute(select(table.c.sealed).where(table.c.twin == twin)).scalar()
    if sealed is None:
        return None
    try:
        opened = services.unseal(f"twin/{twin}", _COLUMN, twin, sealed)
    except KeyDestroyed:
        return None
    return msgspec.msgpack.decode(opened, type=ready(tuple[Directive, ...]))
