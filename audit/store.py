"""The tables of the log. Entries, nodes and checkpoints are only ever added; triggers refuse more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    delete,
    event,
    func,
    insert,
    select,
    text,
)

from audit.merkle import Node, ReadNode, completed_between

Transaction = Connection
Connect = Callable[[], AbstractContextManager[Transaction]]

OWNER_LENGTH = 255
SUBJECT_LENGTH = 64

metadata = MetaData()

# SQLite clusters a table by its key only where the type is exactly INTEGER; it has 64 bits there.
_Number = BigInteger().with_variant(Integer, "sqlite")

_entry = Table(
    "entry",
    metadata,
    Column("idx", _Number, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("subject_sealed", LargeBinary, nullable=False),
    Column("ops_owner", String(OWNER_LENGTH), nullable=False),
    Column("ops_sealed", LargeBinary, nullable=False),
)
_node = Table(
    "node",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
_checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
)
# Not part of what is proved: who erases a subject deletes these rows together with the key.
_subject_index = Table(
    "subject_index",
    metadata,
    Column("idx", _Number, primary_key=True, autoincrement=False),
    Column("subject", String(SUBJECT_LENGTH), nullable=False),
    Index("subject_index_subject", "subject", "idx"),
)

_REFUSE_SQLITE = "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
_REFUSE_POSTGRESQL = "EXECUTE FUNCTION audit_refuse_change()"
_DEFINE_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql "
    "AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
)
_LOCK = 0x6469_6479_6D6F_7301  # any number that nothing else in the database locks


def _run(statement: str, dialect: str) -> DDL:
    return DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]


def _refuse_change(table: Table, same_key: str) -> None:
    """Let the database refuse to alter, delete or (SQLite's REPLACE) overwrite a row."""
    name = table.name
    exists = f"EXISTS (SELECT 1 FROM {name} WHERE {same_key})"  # noqa: S608  constants of this module
    for moment in (
        f"BEFORE UPDATE ON {name}",
        f"BEFORE DELETE ON {name}",
        f"BEFORE INSERT ON {name} WHEN {exists}",
    ):
        trigger = f"CREATE TRIGGER {name}_{moment.split()[1].lower()} {moment} {_REFUSE_SQLITE}"
        event.listen(table, "after_create", _run(trigger, "sqlite"))
    for moment in (f"UPDATE OR DELETE ON {name} FOR EACH ROW", f"TRUNCATE ON {name} FOR EACH STATEMENT"):
        trigger = f"CREATE TRIGGER {name}_{moment.split()[0].lower()} BEFORE {moment} {_REFUSE_POSTGRESQL}"
        event.listen(table, "after_create", _run(trigger, "postgresql"))


event.listen(metadata, "before_create", _run(_DEFINE_POSTGRESQL, "postgresql"))
_refuse_change(_entry, "idx = NEW.idx")
_refuse_change(_node, "level = NEW.level AND position = NEW.position")
_refuse_change(_checkpoint, "size = NEW.size")


class Row(NamedTuple):
    """One entry as stored; ``subject`` is None where there is none or it was erased."""

    idx: int
    leaf: bytes
    leaf_hash: bytes
    recorded_us: int
    subject_sealed: bytes
    ops_owner: str
    ops_sealed: bytes
    subject: str | None


class CheckpointRow(NamedTuple):
    """One signed checkpoint as stored."""

    size: int
    root: bytes
    note: bytes


_LATEST = select(_checkpoint).order_by(_checkpoint.c.size.desc()).limit(1)
_LEAVES = (
    select(_entry.c.leaf_hash, _entry.c.recorded_us)
    .where(_entry.c.idx >= bindparam("start"), _entry.c.idx < bindparam("stop"))
    .order_by(_entry.c.idx)
)


def lock(connection: Connection) -> None:
    """Keep other appenders out until the transaction ends; SQLite's BEGIN IMMEDIATE already does.

    PostgreSQL needs its default isolation, READ COMMITTED: a stricter one would not see what the
    appender before has committed, and the keys would refuse the append.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def add(connection: Connection, rows: Sequence[Row], nodes: Sequence[Node], last: CheckpointRow) -> None:
    """Add entries, the nodes above the leaves that they complete, and the checkpoint over all."""
    columns = [column.name for column in _entry.columns]
    connection.execute(insert(_entry), [dict(zip(columns, row[:-1], strict=True)) for row in rows])
    subjects = [{"idx": row.idx, "subject": row.subject} for row in rows if row.subject is not None]
    if subjects:
        connection.execute(insert(_subject_index), subjects)
    if nodes:
        connection.execute(insert(_node), [node._asdict() for node in nodes])
    connection.execute(insert(_checkpoint), last._asdict())


def extent(connection: Connection) -> tuple[int, int]:
    """Return the number after the last entry and the size of the largest checkpoint, in one view."""
    end = select(func.max(_entry.c.idx)).scalar_subquery()
    size = select(func.max(_checkpoint.c.size)).scalar_subquery()
    last, largest = connection.execute(select(end, size)).one()
    return (0 if last is None else last + 1), largest or 0


def latest_checkpoint(connection: Connection) -> CheckpointRow | None:
    """Return the largest checkpoint."""
    row = connection.execute(_LATEST).one_or_none()
    return None if row is None else CheckpointRow(*row)


def checkpoints(connection: Connection, after: int | None, upto: int | None) -> list[CheckpointRow]:
    """Return the checkpoints with ``after`` < size <= ``upto``; None leaves that end open."""
    query = select(_checkpoint).order_by(_checkpoint.c.size)
    if after is not None:
        query = query.where(_checkpoint.c.size > after)
    if upto is not None:
        query = query.where(_checkpoint.c.size <= upto)
    return [CheckpointRow(*row) for row in connection.execute(query)]


def entries(connection: Connection, start: int, stop: int) -> list[Row]:
    """Return the entries ``start`` to ``stop`` - 1 in their order."""
    return _rows(
        connection, _entries().where(_entry.c.idx >= start, _entry.c.idx < stop).order_by(_entry.c.idx)
    )


def leaves(connection: Connection, start: int, stop: int) -> Iterator[tuple[bytes, int]]:
    """Yield leaf hash and recording instant of the entries ``start`` to ``stop`` - 1 in their order."""
    for row in connection.execute(_LEAVES, {"start": start, "stop": stop}):
        yield row.leaf_hash, row.recorded_us


def recent(connection: Connection, limit: int) -> list[Row]:
    """Return the last entries, the newest first."""
    return _rows(connection, _entries().order_by(_entry.c.idx.desc()).limit(limit))


def of_subject(connection: Connection, subject: str, limit: int) -> list[Row]:
    """Return the last entries about one subject, the newest first."""
    query = _entries().where(_subject_index.c.subject == subject)
    return _rows(connection, query.order_by(_subject_index.c.idx.desc()).limit(limit))


def forget(connection: Connection, subject: str) -> int:
    """Delete a subject's rows of the index; return how many. Its entries stay, under a lost key."""
    return connection.execute(delete(_subject_index).where(_subject_index.c.subject == subject)).rowcount


def node_reader(connection: Connection) -> ReadNode:
    """Return a function that reads one node; it raises LookupError where there is none."""

    def read(level: int, position: int) -> bytes:
        query = select(_node.c.hash).where(_node.c.level == level, _node.c.position == position)
        if level == 0:
            query = select(_entry.c.leaf_hash).where(_entry.c.idx == position)
        found: bytes | None = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise LookupError(f"no node at level {level}, position {position}")
        return found

    return read


def nodes_completed(connection: Connection, start: int, stop: int) -> Iterable[Node]:
    """Return the stored nodes that the entries ``start`` to ``stop`` - 1 complete, without leaves."""
    for level, first, end in completed_between(start, stop):
        query = select(_node).where(_node.c.level == level)
        found = connection.execute(query.where(_node.c.position >= first, _node.c.position < end))
        yield from (Node(*row) for row in found)


def _entries() -> Select[tuple[object, ...]]:
    joined = _entry.outerjoin(_subject_index, _entry.c.idx == _subject_index.c.idx)
    return select(*_entry.columns, _subject_index.c.subject).select_from(joined)


def _rows(connection: Connection, query: Select[tuple[object, ...]]) -> list[Row]:
    return [Row._make(row) for row in connection.execute(query)]
