"""Rows of the journal without what they mean."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from gateway.storage import inbox
from gateway.storage.inbox import Notified, Recorded
from gateway.storage.outbox import Version
from gateway.storage.schema import twin
from tests.support.site import Site

LEASE = 100


def notified(site: Site, mark: str, twin: str = "t", at: int = 5) -> Notified:
    return Notified(site.hospital_id, mark.encode(), b"sealed", at, twin, b"patient")


def record(site: Site, *events: Notified) -> Recorded:
    with site.services.journal.transaction() as connection:
        return inbox.record(connection, events)


def the_twin(site: Site) -> Any:
    with site.services.journal.reading() as connection:
        return connection.execute(select(twin).where(twin.c.id == "t")).one()


def version(number: int = 1, seq: int = 1, identifier: str = "a") -> Version:
    return Version(
        identifier, number, "t", "north", "prevent", "family", True, seq, number, b"sealed", b"trail", ""
    )
