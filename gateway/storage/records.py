"""Assessments as a reader searches for them: in the order in which they were recorded, page by page.

A page begins after a place, not at a number: what is written meanwhile moves nothing across its edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, false, or_, select, tuple_
from sqlalchemy.sql.expression import exists

from gateway.storage.outbox import Version
from gateway.storage.schema import assessment, directives, twin

Key = tuple[str, int | None]  # id, and version where one is named
Place = tuple[int, str, int]  # recorded, id, version

DENIED = "denied"  # the state of a twin whose patient does not want one


@dataclass(frozen=True, slots=True)
class Standing:
    """One version, and the twin that it is about."""

    version: Version
    hospital: str
    state: str

    @property
    def place(self) -> Place:
        return self.version.recorded, self.version.id, self.version.version


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for. Every set of ``keys`` must be met; ``since`` <= recorded < ``before``."""

    newest: bool
    count: int
    twins: frozenset[str] | None = None
    keys: tuple[frozenset[Key], ...] = ()
    since: int | None = None
    before: int | None = None
    after: Place | None = None


def one(connection: Connection, tenant: str, identifier: str, number: int | None) -> Standing | None:
    """Return a version of one assessment, the newest unless told."""
    query = _all(tenant).where(assessment.c.id == identifier).order_by(assessment.c.version.desc()).limit(1)
    if number is not None:
        query = query.where(assessment.c.version == number)
    row = connection.execute(query).one_or_none()
    return _standing(row) if row else None


def find(connection: Connection, tenant: str, wanted: Wanted, limit: int) -> list[Standing]:
    """Return what matches of twins that were asked about consent and not denied, oldest first."""
    query = _all(tenant).where(twin.c.state != DENIED, exists().where(directives.c.twin == twin.c.id))
    rows = connection.execute(query.where(*_conditions(wanted)).order_by(*_PLACE).limit(limit))
    return [_standing(row) for row in rows]


def _standing(row: Row[Any]) -> Standing:
    values = tuple(row)
    return Standing(Version(*values[:-2]), *values[-2:])


_PLACE = (assessment.c.recorded, assessment.c.id, assessment.c.version)


def _all(tenant: str) -> Select[Any]:
    joined = assessment.join(twin, twin.c.id == assessment.c.twin)
    columns = (*assessment.c, twin.c.hospital, twin.c.state)
    return select(*columns).select_from(joined).where(assessment.c.tenant == tenant)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [or_(false(), *map(_is, keys)) for keys in wanted.keys]
    if wanted.newest:
        found.append(_is_newest())
    if wanted.twins is not None:
        found.append(assessment.c.twin.in_(wanted.twins))
    if wanted.since is not None:
        found.append(assessment.c.recorded >= wanted.since)
    if wanted.before is not None:
        found.append(assessment.c.recorded < wanted.before)
    if wanted.after is not None:
        found.append(tuple_(*_PLACE) > wanted.after)
    return found


def _is(key: Key) -> ColumnElement[bool]:
    identifier, number = key
    same = assessment.c.id == identifier
    return same if number is None else and_(same, assessment.c.version == number)


def _is_newest() -> ColumnElement[bool]:
    later = assessment.alias("later")  # versions are numbered without a gap
    return ~exists().where(later.c.id == assessment.c.id, later.c.version == assessment.c.version + 1)
