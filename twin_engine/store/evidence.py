"""Resources as they were received, and what was read from them, under the instant at which it was known.

The received body is sealed apart from the values read from it, so that reading a twin never opens bodies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select

from twin_engine.encoding import Items, encode, microseconds
from twin_engine.store.sealing import Sealer, owner
from twin_engine.store.tables import EVIDENCE
from twin_engine.twin import Evidence, Item, Subject


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


_END = 2**63 - 1  # after every instant
_VALUES = msgspec.msgpack.Decoder(_Values)

_NEWEST = (
    select(func.max(EVIDENCE.c.entry))
    .where(EVIDENCE.c.twin == bindparam("twin"), EVIDENCE.c.known <= bindparam("known"))
    .group_by(EVIDENCE.c.key)
)
_CURRENT = (
    select(EVIDENCE.c.key, EVIDENCE.c.version, EVIDENCE.c.known, EVIDENCE.c.sealed_values)
    .where(EVIDENCE.c.entry.in_(_NEWEST), EVIDENCE.c.retracted.is_(False))
    .order_by(EVIDENCE.c.key)
)
_BODY = (
    select(EVIDENCE.c.version, EVIDENCE.c.known, EVIDENCE.c.sealed_body)
    .where(EVIDENCE.c.twin == bindparam("twin"), EVIDENCE.c.key == bindparam("key"))
    .order_by(EVIDENCE.c.entry.desc())
    .limit(1)
)


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
        "sealed_values": sealer.seal(owner(twin), ("twin_evidence.values", *context), encode(values)),
        "sealed_body": sealer.seal(owner(twin), ("twin_evidence.body", *context), record.body),
    }
    connection.execute(insert(EVIDENCE), row)


def retract(connection: Connection, twin: str, *, key: str, known: datetime) -> None:
    """Append that the resource under ``key`` is withdrawn; its earlier versions stay on record."""
    row = {"twin": twin, "key": key, "known": microseconds(known), "retracted": True}
    connection.execute(insert(EVIDENCE), row)


def current_evidence(
    connection: Connection, sealer: Sealer, twin: str, known: datetime | None = None
) -> tuple[EvidenceRecord, ...]:
    """Return the latest record under each key that is not withdrawn, by key and without bodies.

    With ``known`` it is what was known at that instant, whatever was learned or withdrawn since.
    """
    asked = {"twin": twin, "known": _END if known is None else microseconds(known)}
    return tuple(
        _record(sealer.open(owner(twin), ("twin_evidence.values", key, version, str(moment)), sealed))
        for key, version, moment, sealed in connection.execute(_CURRENT, asked)
    )


def evidence_body(connection: Connection, sealer: Sealer, twin: str, key: str) -> bytes | None:
    """Return the body received last under ``key``; None where nothing is known or it is withdrawn."""
    row = connection.execute(_BODY, {"twin": twin, "key": key}).one_or_none()
    if row is None or row.sealed_body is None:
        return None
    context = ("twin_evidence.body", key, row.version, str(row.known))
    return sealer.open(owner(twin), context, row.sealed_body)


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


def gather(records: Iterable[EvidenceRecord]) -> Evidence | None:
    """Return all evidence of one twin; None while the person is not known."""
    items: list[Item] = []
    subject = None
    for record in records:
        items.extend(record.items)
        subject = record.subject or subject
    return Evidence.of(subject, items) if subject else None
