"""What is known of a twin and what was foretold, sealed and append-only.

A row is never changed: new knowledge, a withdrawal and a new forecast are new rows, each with the instant
at which it was known. Content is sealed with the twin's own key; in the clear stand only the twin's opaque
id, the caller's blind key of a resource, versions, instants and digests. The received body is sealed apart
from the values read from it, so that reading a twin never opens bodies.

Rows of one twin are written by one writer at a time (the caller's lease); the latest row is the last one
appended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
)

from twin_engine.encoding import (
    Items,
    decode_forecasts,
    encode,
    encode_forecasts,
    instant,
    microseconds,
)
from twin_engine.fingerprint import code_hash, evidence_digest
from twin_engine.twin import Forecast, Item, Refusal, Subject

__all__ = [
    "EvidenceRecord",
    "Sealer",
    "Snapshot",
    "append_snapshot",
    "code_hash",
    "current_evidence",
    "evidence_body",
    "evidence_digest",
    "latest_snapshots",
    "metadata",
    "put_evidence",
    "retract",
]

metadata = MetaData()
# SQLite numbers rows by itself only where the type is its own INTEGER.
_ENTRY = BigInteger().with_variant(Integer, "sqlite")

_EVIDENCE = Table(
    "twin_evidence",
    metadata,
    Column("entry", _ENTRY, primary_key=True, autoincrement=True),
    Column("twin", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("version", String(128)),
    Column("known", BigInteger, nullable=False),
    Column("retracted", Boolean, nullable=False),
    Column("sealed_values", LargeBinary),
    Column("sealed_body", LargeBinary),
    Index("twin_evidence_latest", "twin", "key", "entry"),
)

_SNAPSHOT = Table(
    "twin_snapshot",
    metadata,
    Column("entry", _ENTRY, primary_key=True, autoincrement=True),
    Column("twin", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("version", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("valid", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sealed_state", LargeBinary, nullable=False),
    Column("sealed_answers", LargeBinary, nullable=False),
    Index("twin_snapshot_latest", "twin", "model", "entry"),
)


class Sealer(Protocol):
    """Seals with the key of an owner; ``context`` must be the same at opening."""

    def seal(self, owner: str, context: tuple[str, ...], plaintext: bytes) -> bytes:
        """Return ``plaintext`` sealed."""

    def open(self, owner: str, context: tuple[str, ...], sealed: bytes) -> bytes:
        """Return the plaintext."""


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """One resource as it was received and what was read from it.

    ``reasons`` say why parts of it cannot be used. ``subject`` is there for the person's own resource.
    ``body`` is empty in what ``current_evidence`` returns.
    """

    reference: str
    version: str
    last_updated: datetime | None
    content_hash: str
    items: tuple[Item, ...] = ()
    subject: Subject | None = None
    labels: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    body: bytes = b""


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


class _Values(msgspec.Struct, frozen=True, array_like=True):
    """A record without its body, as sealed."""

    reference: str
    version: str
    last_updated: datetime | None
    content_hash: str
    items: Items
    subject: Subject | None
    labels: frozenset[str]
    reasons: tuple[str, ...]
    code: tuple[str, ...]


_VALUES = msgspec.msgpack.Decoder(_Values)

_NEWEST = (
    select(func.max(_EVIDENCE.c.entry)).where(_EVIDENCE.c.twin == bindparam("twin")).group_by(_EVIDENCE.c.key)
)
_CURRENT = (
    select(_EVIDENCE.c.key, _EVIDENCE.c.version, _EVIDENCE.c.known, _EVIDENCE.c.sealed_values)
    .where(_EVIDENCE.c.entry.in_(_NEWEST), _EVIDENCE.c.retracted.is_(False))
    .order_by(_EVIDENCE.c.key)
)
_BODY = (
    select(_EVIDENCE.c.version, _EVIDENCE.c.known, _EVIDENCE.c.sealed_body)
    .where(_EVIDENCE.c.twin == bindparam("twin"), _EVIDENCE.c.key == bindparam("key"))
    .order_by(_EVIDENCE.c.entry.desc())
    .limit(1)
)
_LAST = (
    select(func.max(_SNAPSHOT.c.entry))
    .where(_SNAPSHOT.c.twin == bindparam("twin"))
    .group_by(_SNAPSHOT.c.model)
)
_LATEST = select(_SNAPSHOT).where(_SNAPSHOT.c.entry.in_(_LAST)).order_by(_SNAPSHOT.c.model)


def put_evidence(
    connection: Connection, sealer: Sealer, twin: str, record: EvidenceRecord, *, key: str, known: datetime
) -> None:
    """Append ``record`` as what is now known under ``key``, the caller's blind key of the resource."""
    moment = microseconds(known)
    values = _Values(
        record.reference,
        record.version,
        record.last_updated,
        record.content_hash,
        Items.of(record.items),
        record.subject,
        record.labels,
        record.reasons,
        record.code,
    )
    context = (key, record.version, str(moment))
    row = {
        "twin": twin,
        "key": key,
        "version": record.version,
        "known": moment,
        "retracted": False,
        "sealed_values": sealer.seal(_owner(twin), ("twin_evidence.values", *context), encode(values)),
        "sealed_body": sealer.seal(_owner(twin), ("twin_evidence.body", *context), record.body),
    }
    connection.execute(insert(_EVIDENCE), row)


def retract(connection: Connection, twin: str, *, key: str, known: datetime) -> None:
    """Append that the resource under ``key`` is withdrawn; its earlier versions stay on record."""
    row = {"twin": twin, "key": key, "known": microseconds(known), "retracted": True}
    connection.execute(insert(_EVIDENCE), row)


def current_evidence(connection: Connection, sealer: Sealer, twin: str) -> tuple[EvidenceRecord, ...]:
    """Return the latest record under each key that is not withdrawn, by key and without bodies."""
    owner = _owner(twin)
    return tuple(
        _record(sealer.open(owner, ("twin_evidence.values", key, version, str(known)), sealed))
        for key, version, known, sealed in connection.execute(_CURRENT, {"twin": twin})
    )


def evidence_body(connection: Connection, sealer: Sealer, twin: str, key: str) -> bytes | None:
    """Return the body received last under ``key``; None where nothing is known or it is withdrawn."""
    row = connection.execute(_BODY, {"twin": twin, "key": key}).one_or_none()
    if row is None or row.sealed_body is None:
        return None
    context = ("twin_evidence.body", key, row.version, str(row.known))
    return sealer.open(_owner(twin), context, row.sealed_body)


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
        "sealed_state": sealer.seal(_owner(twin), ("twin_snapshot.state", *context), snapshot.state),
        "sealed_answers": sealer.seal(_owner(twin), ("twin_snapshot.answers", *context), answers),
    }
    connection.execute(insert(_SNAPSHOT), row)


def latest_snapshots(connection: Connection, sealer: Sealer, twin: str) -> tuple[Snapshot, ...]:
    """Return the last snapshot of each model, in the order of the models' names."""
    return tuple(_snapshot(sealer, twin, row) for row in connection.execute(_LATEST, {"twin": twin}))


def _snapshot(sealer: Sealer, twin: str, row: Row[Any]) -> Snapshot:
    valid, known = instant(row.valid), instant(row.known)
    bare = Snapshot(row.model, row.version, row.code, row.seq, valid, known, row.digest, b"", ())
    context = _context(bare)
    state = sealer.open(_owner(twin), ("twin_snapshot.state", *context), row.sealed_state)
    answers = sealer.open(_owner(twin), ("twin_snapshot.answers", *context), row.sealed_answers)
    return replace(bare, state=state, answers=decode_forecasts(answers))


def _record(encoded: bytes) -> EvidenceRecord:
    values = _VALUES.decode(encoded)
    return EvidenceRecord(
        values.reference,
        values.version,
        values.last_updated,
        values.content_hash,
        values.items.all(),
        values.subject,
        values.labels,
        values.reasons,
        values.code,
    )


def _owner(twin: str) -> str:
    return f"twin/{twin}"


def _context(snapshot: Snapshot) -> tuple[str, ...]:
    """Bind what stands in the clear, so that a row cannot be passed off as another."""
    times = (str(microseconds(snapshot.known)), str(microseconds(snapshot.valid)))
    return (snapshot.model, str(snapshot.seq), snapshot.version, snapshot.code, *times, snapshot.digest)
