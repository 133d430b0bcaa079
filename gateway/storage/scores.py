"""Forecasts that wait for their outcome, how they did, and the sums over them.

What can tell of a person is sealed: a score says of whom and how it went only inside. The sums name nobody;
a score knows in which of them it is, so that it can be taken out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.storage.inbox import insert_new
from gateway.storage.schema import awaited_outcome, calibration, forecast_score

SUMS = ("n", "loss", "observed", "expected", "width")
KEYS = tuple(column.name for column in calibration.primary_key.columns)


@dataclass(frozen=True, slots=True)
class Awaited:
    """A sealed forecast of which something is to be known."""

    id: str
    twin: str
    model: str
    version: str
    passed: int
    due: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score, sealed."""

    id: str
    twin: str
    hospital: str
    model: str
    version: str
    kind: str
    what: str
    horizon: int
    made: int
    until: int
    apart: bool
    sealed: bytes
    counted: int | None = None


def wait(connection: Connection, forecasts: Iterable[Awaited]) -> None:
    """Keep forecasts until their outcomes are known."""
    for one in forecasts:
        insert_new(connection, awaited_outcome, **{name: getattr(one, name) for name in one.__slots__})


def due(connection: Connection, twin: str, now: int, limit: int) -> list[Awaited]:
    """Return the forecasts of a twin that are to be looked at, the longest due first."""
    query = select(awaited_outcome).where(awaited_outcome.c.twin == twin, awaited_outcome.c.due <= now)
    rows = connection.execute(query.order_by(awaited_outcome.c.due, awaited_outcome.c.id).limit(limit))
    return [Awaited(*row) for row in rows]


def put_off(connection: Connection, identifier: str, passed: int, due: int) -> None:
    """Look at a forecast again at ``due``; what was to be known until ``passed`` is settled."""
    statement = update(awaited_outcome).where(awaited_outcome.c.id == identifier)
    connection.execute(statement.values(passed=passed, due=due))


def settle(connection: Connection, identifiers: Iterable[str]) -> None:
    """Forget forecasts of which nothing more is to be known."""
    gone = [*identifiers]
    if gone:
        connection.execute(delete(awaited_outcome).where(awaited_outcome.c.id.in_(gone)))


def last_apart(connection: Connection, twin: str, since: int) -> dict[tuple[str, str, str, str, int], int]:
    """Return when the last score was over that stands apart, as far as it was after ``since``.

    By model, version, kind, thing and horizon.
    """
    table = forecast_score.c
    key = (table.model, table.version, table.kind, table.what, table.horizon)
    query = select(*key, func.max(table.until)).where(table.twin == twin, table.until > since, table.apart)
    rows = connection.execute(query.group_by(*key))
    return {(row[0], row[1], row[2], row[3], row[4]): row[5] for row in rows}


def keep(connection: Connection, rows: Iterable[ScoreRow]) -> None:
    """Keep each score once."""
    for row in rows:
        insert_new(connection, forecast_score, **{name: getattr(row, name) for name in row.__slots__})


def claim_uncounted(connection: Connection, limit: int) -> list[ScoreRow]:
    """Take scores that are in no sum; whoever else asks meanwhile gets others."""
    chosen = select(forecast_score.c.id).where(forecast_score.c.counted.is_(None)).limit(limit)
    statement = (
        update(forecast_score)
        .where(forecast_score.c.id.in_(chosen), forecast_score.c.counted.is_(None))
        .values(counted=0)
        .returning(*(forecast_score.c[name] for name in ScoreRow.__slots__))
    )
    return [ScoreRow(*row) for row in connection.execute(statement)]


def count_under(connection: Connection, epochs: Mapping[str, int]) -> None:
    """Note of scores in which epoch's sums they are."""
    for identifier, epoch in epochs.items():
        mine = forecast_score.c.id == identifier
        connection.execute(update(forecast_score).where(mine).values(counted=epoch))


def of_twin(connection: Connection, twin: str, spans: Iterable[tuple[int, int]] | None) -> list[ScoreRow]:
    """Return the scores of a twin, all or those that rest on what was measured in one of ``spans``."""
    mine: ColumnElement[bool] = forecast_score.c.twin == twin
    if spans is not None:
        touched = (
            and_(forecast_score.c.made <= end, forecast_score.c.until >= start) for start, end in spans
        )
        mine = and_(mine, or_(false(), *touched))
    columns = (forecast_score.c[name] for name in ScoreRow.__slots__)
    return [ScoreRow(*row) for row in connection.execute(select(*columns).where(mine))]


def remove(connection: Connection, identifiers: Iterable[str]) -> None:
    """Forget scores."""
    connection.execute(delete(forecast_score).where(forecast_score.c.id.in_([*identifiers])))


def forget_awaited(connection: Connection, twin: str) -> None:
    """Score nothing of a twin that was foretold until now."""
    connection.execute(delete(awaited_outcome).where(awaited_outcome.c.twin == twin))


def give_up(connection: Connection, before: int) -> None:
    """Forget forecasts that were to be looked at before then: nobody reads their twins any more."""
    connection.execute(delete(awaited_outcome).where(awaited_outcome.c.due < before))


def drop(connection: Connection, before: int) -> None:
    """Forget the scores of what was over before then; they stay in the sums for good."""
    counted = forecast_score.c.counted.is_not(None)
    connection.execute(delete(forecast_score).where(counted, forecast_score.c.until < before))


def add(connection: Connection, sums: Mapping[tuple[object, ...], tuple[float, ...]]) -> None:
    """Add to the sums, by the values of ``KEYS`` those of ``SUMS``; negative numbers take away."""
    rows: list[dict[str, Any]] = [
        dict(zip((*KEYS, *SUMS), (*key, *sums[key]), strict=True)) for key in sorted(sums, key=repr)
    ]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for row in rows:  # in one order everywhere: two sweepers must not wait for each other
        new = dialect.insert(calibration).values(**row | {"n": int(row["n"])})
        more = {name: calibration.c[name] + new.excluded[name] for name in SUMS}
        connection.execute(new.on_conflict_do_update(index_elements=[*KEYS], set_=more))


def sums(connection: Connection, *where: ColumnElement[bool]) -> list[Row[Any]]:
    """Return the sums that are not empty."""
    return [*connection.execute(select(calibration).where(calibration.c.n > 0, *where).order_by(*KEYS))]
