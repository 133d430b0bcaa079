"""The log: appends events durably and reads them back.

One append is one transaction: entries, tree nodes and a signed checkpoint over all, or nothing.
Several processes may append to one database: the transaction is exclusive from its begin (SQLite's
BEGIN IMMEDIATE, PostgreSQL's advisory lock), and would that ever fail, the keys of entry and
checkpoint let only one of two rivals commit.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from weakref import WeakSet

from audit import merkle, store
from audit.checkpoint import Signer, verify_checkpoint
from audit.record import Event, microseconds
from audit.sealing import Draft, Entropy, Opened, Sealer, draft, opened
from audit.turns import Turns

_BATCH = 1000  # events; more would hold the database's write lock for long
_PATIENCE = 30.0  # seconds
_NEAR = 256  # entries of others that are followed one by one
_PAGE = 500  # entries read at a time


class AuditUnavailable(Exception):
    """The event could not be recorded, so the act must not happen."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the audit log cannot be written: {reason}")


class LogDamaged(Exception):
    """The log in the database does not continue what was last signed."""


@dataclass(frozen=True, slots=True)
class _Edge:
    """The end of the log to which an append adds."""

    tree: merkle.Frontier
    recorded_us: int


def _now() -> datetime:
    return datetime.now(UTC)


class Log:
    """A tamper-evident log in the database behind ``connect``.

    Parameters
    ----------
    connect
        Yields a connection inside a transaction that commits durably on exit.
    signer
        Signs the checkpoints; its name is the log's origin.
    sealer
        Seals the bodies. It is called before the log's transaction begins, never inside it.
    """

    def __init__(
        self,
        connect: store.Connect,
        signer: Signer,
        sealer: Sealer,
        *,
        clock: Callable[[], datetime] = _now,
        entropy: Entropy = secrets.token_bytes,
    ) -> None:
        self._connect, self._signer, self._sealer = connect, signer, sealer
        self._clock, self._entropy = clock, entropy
        self._edge = _Edge(merkle.Frontier(), 0)
        self.start_anew()
        _LOGS.add(self)

    def start_anew(self) -> None:
        """Forget callers in waiting: after a fork their threads are not in this process."""
        self._turns: Turns[Draft] = Turns(self._write, AuditUnavailable, limit=_BATCH, patience=_PATIENCE)

    def append(self, *events: Event) -> tuple[int, ...]:
        """Record events durably, next to each other; return their indices.

        Raises
        ------
        AuditUnavailable
            Where they could not be recorded, or not certainly so: the act must not happen.
        """
        if not events:
            return ()
        try:
            drafts = [draft(event, self._sealer, self._entropy) for event in events]
        except Exception as failure:  # whatever prevents the record prevents the act
            raise AuditUnavailable(type(failure).__name__) from failure
        return self._turns.submit(drafts)

    def entries(self, start: int, stop: int) -> Iterator[Opened]:
        """Yield the entries ``start`` to ``stop`` - 1 in their order."""
        for first in range(start, stop, _PAGE):
            with self._connect() as connection:
                rows = store.entries(connection, first, min(first + _PAGE, stop))
            yield from self._opened(rows)
            if not rows:
                return

    def recent(self, limit: int) -> Iterator[Opened]:
        """Yield the last entries, the newest first."""
        with self._connect() as connection:
            rows = store.recent(connection, limit)
        return self._opened(rows)

    def for_subject(self, subject: str, limit: int) -> Iterator[Opened]:
        """Yield the last entries about one subject, the newest first; none once it is erased."""
        with self._connect() as connection:
            rows = store.of_subject(connection, subject, limit)
        return self._opened(rows)

    def latest_checkpoint(self) -> bytes | None:
        """Return the last signed note; None for an empty log."""
        with self._connect() as connection:
            last = store.latest_checkpoint(connection)
        return None if last is None else last.note

    def size_and_root(self) -> tuple[int, bytes]:
        """Return the number of entries and the root over them, as last signed."""
        with self._connect() as connection:
            last = store.latest_checkpoint(connection)
        return (0, merkle.EMPTY_ROOT) if last is None else (last.size, last.root)

    def _opened(self, rows: Sequence[store.Row]) -> Iterator[Opened]:
        return (opened(row, self._sealer) for row in rows)

    def _write(self, drafts: Sequence[Draft]) -> int:
        """Append in one transaction; return the index of the first. Called by one thread at a time."""
        with self._connect() as connection:
            store.lock(connection)
            edge = self._read_edge(connection)
            # A clock that was set back does not put a later entry before an earlier one.
            recorded_us = max(microseconds(self._clock()), edge.recorded_us)
            tree, rows, nodes = _grow(edge.tree, drafts, recorded_us)
            note = self._signer.checkpoint(tree.size, tree.root)
            store.add(connection, rows, nodes, store.CheckpointRow(tree.size, tree.root, note))
        self._edge = _Edge(tree, recorded_us)
        return edge.tree.size

    def _read_edge(self, connection: store.Transaction) -> _Edge:
        """Return the end of the log: the remembered one, unless another process has appended."""
        last = store.latest_checkpoint(connection)
        known = self._edge.tree
        size, root = (last.size, last.root) if last else (0, merkle.EMPTY_ROOT)
        if (size, root) == (known.size, known.root):
            return self._edge
        if last is None or size <= known.size:
            raise LogDamaged(f"{known.size} entries were signed, now there are {size}")
        if known.size and size - known.size <= _NEAR:
            return _follow(connection, self._edge, last, self._signer.vkey)
        return _load_edge(connection, last, self._signer.vkey)


def _follow(connection: store.Transaction, edge: _Edge, last: store.CheckpointRow, vkey: str) -> _Edge:
    """Go on from a remembered end over the few entries that others appended: one read, not one a node."""
    tree, followed = edge.tree, list(store.leaves(connection, edge.tree.size, last.size))
    for leaf_hash, _ in followed:
        tree, _ = tree.append(leaf_hash)
    try:
        signed = verify_checkpoint(last.note, vkey)
    except ValueError as failure:
        raise LogDamaged("its end cannot be read") from failure
    if not (last.size, last.root) == (signed.size, signed.root) == (tree.size, tree.root):
        raise LogDamaged("its end is not what was last signed")
    return _Edge(tree, followed[-1][1])


def _load_edge(connection: store.Transaction, last: store.CheckpointRow, vkey: str) -> _Edge:
    """Read the end of the log; never sign on top of what this key has not signed."""
    try:
        tree = merkle.read_frontier(last.size, store.node_reader(connection))
        signed = verify_checkpoint(last.note, vkey)
        [newest] = store.entries(connection, last.size - 1, last.size)
    except (LookupError, ValueError) as failure:
        raise LogDamaged("its end cannot be read") from failure
    if not (last.size, last.root) == (signed.size, signed.root) == (tree.size, tree.root):
        raise LogDamaged("its end is not what was last signed")
    return _Edge(tree, newest.recorded_us)


def _grow(
    tree: merkle.Frontier, drafts: Sequence[Draft], recorded_us: int
) -> tuple[merkle.Frontier, list[store.Row], list[merkle.Node]]:
    rows: list[store.Row] = []
    nodes: list[merkle.Node] = []
    for each in drafts:
        leaf = each.leaf(recorded_us).encode()
        hashed = merkle.leaf_hash(leaf)
        sealed = (each.personal, each.owner, each.operational)
        rows.append(store.Row(tree.size, leaf, hashed, recorded_us, *sealed, each.event.subject))
        tree, completed = tree.append(hashed)
        nodes.extend(islice(completed, 1, None))
    return tree, rows, nodes


_LOGS: WeakSet[Log] = WeakSet()


def _after_fork() -> None:
    for log in tuple(_LOGS):
        log.start_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
