"""Heal whatever was lost: wake-up calls, dead workers, expired forecasts, silent EHRs; judge the models.

The journal is the truth; this use case compares it with the clock. It is cheap, idempotent, and may
run in several places at once.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, or_, select, update

from gateway.operations import calibrating, registry
from gateway.operations.services import Services
from gateway.storage import inbox, leases, outbox
from gateway.storage.schema import hospital, subscription, twin

LIMIT = 500
SEARCH_AGAIN = 600  # seconds after which a search for new patients that did not end is tried again
MICROSECONDS = 1_000_000
DIRTY_AGAIN = 10  # seconds after which a catch-up that failed is tried again


def sweep(services: Services) -> None:
    """Look once for work that nobody does."""
    now = services.now()
    patience = int(max(2.0, 4 * services.settings.sweep_interval) * MICROSECONDS)
    connected = registry.hospitals(services).values()
    polled = [one for one in connected if services.hospital(one).profile.sync == "polling"]
    with services.journal.transaction() as connection:
        wanted = leases.due(connection, now, LIMIT) + _silent(connection, services, polled, now)
        woken = {one for one in sorted(wanted) if inbox.wake(connection, one, now)}
        woken |= {
            one
            for one in sorted(_unreconciled(connection, services, now))
            if inbox.wake(connection, one, now, full=True)
        }
        lost = leases.stale(connection, now, patience, LIMIT)
        leases.told(connection, lost, now)
        hospitals = [one for one in inbox.hospitals_with_unresolved(connection) if one in connected]
        unsearched = _unsearched(connection, services, polled, now)
        channels = _unchecked(connection, services, now)
        unwritten = outbox.waiting(connection, now, LIMIT)
    calibrating.calibrate(services)
    for one in sorted({*woken, *lost}):
        services.queue.synchronise(one, 0)
    for one in hospitals:
        services.queue.resolve(one)
    for one in channels:
        services.queue.catch_up(one)
    for one in unwritten:
        services.queue.deliver(one)
    for one in unsearched:
        services.queue.enrol(one)


def retry(services: Services, twins: list[str] | None = None) -> int:
    """Have parked twins tried again, all or these; return how many were parked."""
    with services.journal.transaction() as connection:
        woken = leases.unpark(connection, twins)
    for one in woken:
        services.queue.synchronise(one, 0)
    return len(woken)


def _silent(connection: Connection, services: Services, polled: list[str], now: int) -> list[str]:
    """Return the twins of EHRs that do not notify and have not been read lately."""
    before = now - int(services.settings.poll_interval * MICROSECONDS)
    quiet = twin.c.hospital.in_(polled) & (twin.c.read < before) & (_idle() | _parked(before))
    query = select(twin.c.id).where(quiet).limit(LIMIT)
    return list(connection.execute(query).scalars()) if polled else []


def _idle() -> ColumnElement[bool]:
    return twin.c.queued.is_(None) & twin.c.parked.is_(None)


def _parked(before: int) -> ColumnElement[bool]:
    """Twins given up before then: they are tried again, for a withdrawal must not go unseen."""
    tried = twin.c.parked.is_not(None) & (twin.c.parked != leases.DISCONNECTED)
    return tried & (twin.c.lease < before)  # a parked twin's lease says until when it was to wait


def _unsearched(connection: Connection, services: Services, polled: list[str], now: int) -> list[str]:
    """Return EHRs that do not notify and were not searched for new patients lately."""
    interval = int(services.settings.reconcile_interval * MICROSECONDS)
    again = now - interval + min(interval, SEARCH_AGAIN * MICROSECONDS)
    late = hospital.c.id.in_(polled) & (hospital.c.searched < now - interval)
    statement = update(hospital).where(late).values(searched=again).returning(hospital.c.id)
    return list(connection.execute(statement).scalars()) if polled else []


def _unreconciled(connection: Connection, services: Services, now: int) -> list[str]:
    """Return twins whose last full reading is long ago: deletions notify nobody."""
    before = now - int(services.settings.reconcile_interval * MICROSECONDS)
    untouched = _idle() & twin.c.full.is_(None)
    query = select(twin.c.id).where(twin.c.reconciled < before, untouched | _parked(before)).limit(LIMIT)
    return list(connection.execute(query).scalars())


def _unchecked(connection: Connection, services: Services, now: int) -> list[str]:
    """Return Subscriptions that are dirty or whose status was not looked at lately."""
    before = now - int(services.settings.subscription_interval * MICROSECONDS)
    lately = now - DIRTY_AGAIN * MICROSECONDS
    dirty = subscription.c.dirty.is_not(None) & (subscription.c.checked < lately)
    wanted = or_(dirty, subscription.c.checked < before)
    query = select(subscription.c.id).where(wanted, subscription.c.lease < now).limit(LIMIT)
    return list(connection.execute(query).scalars())
