"""Heal whatever was lost: wake-up calls, dead workers, expired forecasts, silent EHRs.

The journal is the truth; this use case compares it with the clock. It is cheap, idempotent, and may
run in several places at once.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, or_, select

from gateway.operations import deliver
from gateway.operations.services import Services
from gateway.storage import inbox, leases, outbox
from gateway.storage.schema import subscription, twin

LIMIT = 500
MICROSECONDS = 1_000_000


def sweep(services: Services) -> None:
    """Look once for work that nobody does."""
    now = services.now()
    patience = int(max(2.0, 4 * services.settings.sweep_interval) * MICROSECONDS)
    with services.journal.transaction() as connection:
        wanted = leases.due(connection, now, LIMIT) + _silent(connection, services, now)
        woken = {one for one in wanted if inbox.wake(connection, one, now)}
        woken |= {
            one
            for one in _unreconciled(connection, services, now)
            if inbox.wake(connection, one, now, full=True)
        }
        lost = leases.stale(connection, now, patience, LIMIT)
        leases.told(connection, lost, now)
        hospitals = inbox.hospitals_with_unresolved(connection)
        channels = _unchecked(connection, services, now)
        unwritten = outbox.waiting(connection, now, LIMIT)
    for one in {*woken, *lost}:
        services.queue.synchronise(one, 0)
    for one in hospitals:
        services.queue.resolve(one)
    for one in channels:
        services.queue.catch_up(one)
    for one in unwritten:
        deliver.deliver(services, one)


def _silent(connection: Connection, services: Services, now: int) -> list[str]:
    """Return the twins of EHRs that do not notify and have not been read lately."""
    before = now - int(services.settings.poll_interval * MICROSECONDS)
    polled = _polled_hospitals(services, connection)
    query = select(twin.c.id).where(twin.c.hospital.in_(polled), twin.c.read < before, _idle()).limit(LIMIT)
    return list(connection.execute(query).scalars()) if polled else []


def _idle() -> ColumnElement[bool]:
    return twin.c.queued.is_(None) & twin.c.parked.is_(None)


def _polled_hospitals(services: Services, connection: Connection) -> list[str]:
    ids = connection.execute(select(twin.c.hospital).distinct()).scalars()
    return [one for one in ids if services.hospital(one).profile.sync == "polling"]


def _unreconciled(connection: Connection, services: Services, now: int) -> list[str]:
    """Return twins whose last full reading is long ago: deletions notify nobody."""
    before = now - int(services.settings.reconcile_interval * MICROSECONDS)
    query = select(twin.c.id).where(twin.c.reconciled < before, twin.c.full.is_(None), _idle()).limit(LIMIT)
    return list(connection.execute(query).scalars())


def _unchecked(connection: Connection, services: Services, now: int) -> list[str]:
    """Return Subscriptions that are dirty or whose status was not looked at lately."""
    before = now - int(services.settings.subscription_interval * MICROSECONDS)
    wanted = or_(subscription.c.dirty.is_not(None), subscription.c.checked < before)
    query = select(subscription.c.id).where(wanted, subscription.c.lease < now).limit(LIMIT)
    return list(connection.execute(query).scalars())
