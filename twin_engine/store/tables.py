"""The two tables of the twins.

A row is never changed: new knowledge, a withdrawal and a new forecast are new rows, each with the instant
at which it was known. In the clear stand only the twin's opaque id, the caller's blind key of a resource,
versions, instants and digests.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()
# SQLite numbers rows by itself only where the type is its own INTEGER.
ENTRY = BigInteger().with_variant(Integer, "sqlite")

EVIDENCE = Table(
    "twin_evidence",
    metadata,
    Column("entry", ENTRY, primary_key=True, autoincrement=True),
    Column("twin", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("version", String(128)),
    Column("known", BigInteger, nullable=False),
    Column("retracted", Boolean, nullable=False),
    Column("sealed_values", LargeBinary),
    Column("sealed_body", LargeBinary),
    Index("twin_evidence_latest", "twin", "key", "entry"),
)

SNAPSHOT = Table(
    "twin_snapshot",
    metadata,
    Column("entry", ENTRY, primary_key=True, autoincrement=True),
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
