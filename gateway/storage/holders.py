"""Which twin holds a resource of the EHR, by a blind key.

A deletion that names no patient finds its twin here, and a result that was corrected to another
patient leaves the twin that it was in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, insert, select, update

from gateway.storage.schema import holder


def of(connection: Connection, resource: bytes) -> str | None:
    """Return the twin that holds the resource."""
    return connection.execute(select(holder.c.twin).where(holder.c.resource == resource)).scalar()


def take(connection: Connection, resources: Iterable[bytes], twin: str) -> set[str]:
    """Let ``twin`` hold the resources; return the other twins that held one of them until now."""
    wanted = list(resources)
    if not wanted:
        return set()
    held = _held(connection, wanted)
    fresh = [{"resource": one, "twin": twin} for one in wanted if one not in held]
    moved = [one for one in wanted if held.get(one, twin) != twin]
    if fresh:
        connection.execute(insert(holder), fresh)
    if moved:
        connection.execute(update(holder).where(holder.c.resource.in_(moved)).values(twin=twin))
    return {held[one] for one in moved}


def _held(connection: Connection, resources: list[bytes]) -> Mapping[bytes, str]:
    query = select(holder.c.resource, holder.c.twin).where(holder.c.resource.in_(resources))
    return {row.resource: row.twin for row in connection.execute(query)}
