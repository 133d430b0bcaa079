"""States and answers of the models, under both times: the instant they speak of and when that was known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from twin_engine.encoding import decode_forecasts, encode_forecasts, instant, microseconds
from twin_engine.store.sealing import Sealer, owner
from twin_engine.store.tables import SNAPSHOT
from twin_engine.twin import Forecast, Refusal


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One model's state and answers.

    ``valid`` is the instant they speak of, ``known`` the instant at which their evidence was known; ``seq``
    is the caller's number of the update. ``state`` is encoded; ``resumption.resume`` brings it back.
    """

    model: str
    version: str
    code: str
    seq: int
    valid: datetime
    known: datetime
    digest: str
    state: bytes
    answers: tuple[Forecast | Refusal, ...]


_LAST = (
    select(func.max(SNAPSHOT.c.entry)).where(SNAPSHOT.c.twin == bindparam("twin")).group_by(SNAPSHOT.c.model)
)
_LATEST = select(SNAPSHOT).where(SNAPSHOT.c.entry.in_(_LAST)).order_by(SNAPSHOT.c.model)
_OF_MODEL = select(SNAPSHOT).where(
    SNAPSHOT.c.twin == bindparam("twin"), SNAPSHOT.c.model == bindparam("model")
)
_DAY = 86_400_000_000  # microseconds


def append_snapshot(connection: Connection, sealer: Sealer, twin: str, snapshot: Snapshot) -> None:
    """Append ``snapshot`` as the last of its twin and model."""
    context = _context(snapshot)
    answers = encode_forecasts(snapshot.answers)
    row = {
        "twin": twin,
        "model": snapshot.model,
        "seq": snapshot.seq,
        "version": snapshot.version,
        "code": snapshot.code,
        "known": microseconds(snapshot.known),
        "valid": microseconds(snapshot.valid),
        "digest": snapshot.digest,
        "sealed_state": sealer.seal(owner(twin), ("twin_snapshot.state", *context), snapshot.state),
        "sealed_answers": sealer.seal(owner(twin), ("twin_snapshot.answers", *context), answers),
    }
    connection.execute(insert(SNAPSHOT), row)


def latest_snapshots(connection: Connection, sealer: Sealer, twin: str) -> tuple[Snapshot, ...]:
    """Return the last snapshot of each model, in the order of the models' names."""
    return tuple(_snapshot(sealer, twin, row) for row in connection.execute(_LATEST, {"twin": twin}))


def snapshot_at(
    connection: Connection, sealer: Sealer, twin: str, model: str, valid: datetime, known: datetime
) -> Snapshot | None:
    """Return the last snapshot of ``model`` for ``valid`` or earlier that was known by ``known``."""
    within = (SNAPSHOT.c.valid <= microseconds(valid)) & (SNAPSHOT.c.known <= microseconds(known))
    query = _OF_MODEL.where(within).order_by(SNAPSHOT.c.entry.desc()).limit(1)
    row = connection.execute(query, {"twin": twin, "model": model}).one_or_none()
    return None if row is None else _snapshot(sealer, twin, row)


def snapshots_since(
    connection: Connection, sealer: Sealer, twin: str, model: str, since: datetime
) -> tuple[Snapshot, ...]:
    """Return the snapshots of ``model`` that speak of ``since`` or later, oldest first, without states."""
    query = _OF_MODEL.where(SNAPSHOT.c.valid >= microseconds(since)).order_by(SNAPSHOT.c.entry)
    rows = connection.execute(query, {"twin": twin, "model": model})
    return tuple(_answered(sealer, twin, row) for row in rows)


def compact(connection: Connection, twin: str, before: datetime, based: Iterable[int]) -> int:
    """Take away states known before ``before`` that nothing was based on; return how many.

    What stays: the last of each model, the last of each model and UTC day, and every one whose ``seq`` is in
    ``based``, the updates from which predictions were written.
    """
    daily = (
        select(func.max(SNAPSHOT.c.entry))
        .where(SNAPSHOT.c.twin == twin)
        .group_by(SNAPSHOT.c.model, SNAPSHOT.c.known - SNAPSHOT.c.known % _DAY)
    )
    old = (SNAPSHOT.c.twin == twin) & (SNAPSHOT.c.known < microseconds(before))
    spare = old & SNAPSHOT.c.entry.not_in(daily) & SNAPSHOT.c.seq.not_in(sorted(set(based)))
    return connection.execute(delete(SNAPSHOT).where(spare)).rowcount


def _snapshot(sealer: Sealer, twin: str, row: Row[Any]) -> Snapshot:
    bare = _answered(sealer, twin, row)
    state = sealer.open(owner(twin), ("twin_snapshot.state", *_context(bare)), row.sealed_state)
    return replace(bare, state=state)


def _answered(sealer: Sealer, twin: str, row: Row[Any]) -> Snapshot:
    valid, known = instant(row.valid), instant(row.known)
    bare = Snapshot(row.model, row.version, row.code, row.seq, valid, known, row.digest, b"", ())
    answers = sealer.open(owner(twin), ("twin_snapshot.answers", *_context(bare)), row.sealed_answers)
    return replace(bare, answers=decode_forecasts(answers))


def _context(snapshot: Snapshot) -> tuple[str, ...]:
    """Bind what stands in the clear, so that a row cannot be passed off as another."""
    times = (str(microseconds(snapshot.known)), str(microseconds(snapshot.valid)))
    return (snapshot.model, str(snapshot.seq), snapshot.version, snapshot.code, *times, snapshot.digest)
