"""Checks a log from its first entry to its last and names the first that is bad.

The leaves are hashed anew and every root is computed from them, so nothing that is stored is taken
for granted but the notes that the log's key has signed. Where only signatures contradict, the bad
entry lies between the last checkpoint that holds and the first that does not; where the stored
hashes were not all forged along, they name it exactly. What no log can show by itself is that its
end was cut off together with the checkpoints over it: for that keep a checkpoint elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit import merkle, store
from audit.checkpoint import BadNote, verify_checkpoint
from audit.record import Leaf
from audit.sealing import Sealer, opened

_BLOCK = 1024  # entries held in memory at a time


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    ``size`` and ``root`` are those of the longest beginning that a signature vouches for.
    ``first_bad`` is the index of the first bad entry, ``bad_checkpoint`` the size of the first bad
    checkpoint; a bad checkpoint below a good one leaves its entries good. ``erased`` counts the
    entries of which a part is under a destroyed key, 0 where no sealer was given.
    """

    ok: bool
    size: int
    root: bytes
    first_bad: int | None = None
    problem: str = ""
    bad_checkpoint: int | None = None
    erased: int = 0


class _Found(Exception):
    def __init__(self, problem: str, entry: int | None = None, checkpoint: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.entry, self.checkpoint = problem, entry, checkpoint


def verify(connection: store.Transaction, vkey: str, sealer: Sealer | None = None) -> Report:
    """Verify the whole log in constant memory.

    1. Every index from 0 on has its entry.
    2. Each leaf has the hash that is stored with it, and each stored node that of its leaves.
    3. Each leaf can be read, its instant is the stored one and not before the entry before it.
    4. With a sealer: each body opens under its key, unless destroyed, and is the one committed to.
    5. Each checkpoint is signed by ``vkey`` and its root is that of the entries below it.
    6. No checkpoint promises more entries than there are, and one covers the last.

    Parameters
    ----------
    connection
        A transaction; a reading one is enough and lets appenders go on.
    vkey
        The log's public key as ``name+hash+base64``.
    """
    walk = _Walk(vkey, sealer)
    try:
        end, largest = store.extent(connection)
        for start in range(0, max(end, 1), _BLOCK):
            walk.block(connection, start, min(start + _BLOCK, end))
        walk.end(store.checkpoints(connection, end, largest))
    except _Found as found:
        return walk.report(found)
    return walk.report(None)


class _Walk:
    """How far the log is verified."""

    def __init__(self, vkey: str, sealer: Sealer | None) -> None:
        self._vkey, self._sealer = vkey, sealer
        self._tree = self._vouched = merkle.Frontier()
        self._recorded_us = 0
        self._erased = 0
        # Found, but not said before a checkpoint shows whether worse lies before it.
        self._wrong_hash: _Found | None = None
        self._wrong_form: _Found | None = None
        self._wrong_note: _Found | None = None

    def block(self, connection: store.Transaction, start: int, stop: int) -> None:
        rows = iter(store.entries(connection, start, stop))
        nodes = {(level, at): hashed for level, at, hashed in store.nodes_completed(connection, start, stop)}
        # The first block also takes what was moved below every size that a checkpoint can have.
        signed = {row.size: row for row in store.checkpoints(connection, start or None, stop)}
        for size in (size for size in signed if size <= start):
            self._checkpoint(signed[size])
        for index in range(start, stop):
            row = next(rows, None)
            if row is None or row.idx != index:
                raise self._worst() or _Found(f"entry {index} is missing", index)
            self._entry(row, nodes)
            if index + 1 in signed:
                self._checkpoint(signed[index + 1])

    def end(self, beyond: Iterable[store.CheckpointRow]) -> None:
        size, covered = self._tree.size, self._vouched.size
        for row in beyond:
            if self._signed_root(row) is not None:
                problem = f"{row.size} entries were signed, only {size} are there"
                raise self._worst() or _Found(problem, size)
        if covered < size:
            checkpoint = None if self._wrong_note is None else self._wrong_note.checkpoint
            problem = f"no good checkpoint covers the entries from {covered} on"
            raise self._worst() or _Found(problem, covered, checkpoint)
        if self._wrong_note is not None:
            raise self._wrong_note

    def report(self, found: _Found | None) -> Report:
        size, root = self._vouched.size, self._vouched.root
        if found is None:
            return Report(True, size, root, erased=self._erased)
        return Report(False, size, root, found.entry, found.problem, found.checkpoint, self._erased)

    def _entry(self, row: store.Row, nodes: dict[tuple[int, int], bytes]) -> None:
        hashed = merkle.leaf_hash(row.leaf)
        if self._wrong_hash is None and hashed != row.leaf_hash:
            self._wrong_hash = _Found(f"entry {row.idx} and its stored hash differ", row.idx)
        self._tree, completed = self._tree.append(hashed)
        for level, position, expected in completed[1:]:
            if self._wrong_hash is None and nodes.get((level, position)) != expected:
                self._wrong_hash = _wrong_node(level, position)
        if self._wrong_form is None:
            self._wrong_form = self._form(row)

    def _form(self, row: store.Row) -> _Found | None:
        try:
            recorded_us = Leaf.decode(row.leaf).recorded_us
            if self._sealer is not None:
                self._erased += opened(row, self._sealer).erased
        except ValueError as failure:
            return _Found(f"entry {row.idx}: {failure}", row.idx)
        if recorded_us != row.recorded_us:
            return _Found(f"entry {row.idx} was recorded at another time than stored", row.idx)
        if recorded_us < self._recorded_us:
            return _Found(f"entry {row.idx} was recorded before the entry before it", row.idx)
        self._recorded_us = recorded_us
        return None

    def _checkpoint(self, row: store.CheckpointRow) -> None:
        root = self._signed_root(row)
        if root is None:
            return
        if root != self._tree.root:
            raise self._contradiction(row.size)
        self._vouched = self._tree
        found = self._worst() or self._wrong_note
        if found is not None:
            raise found

    def _signed_root(self, row: store.CheckpointRow) -> bytes | None:
        """Return the root that the log's key vouches for; note a bad checkpoint and return None."""
        try:
            checkpoint = verify_checkpoint(row.note, self._vkey)
            if (checkpoint.size, checkpoint.root) != (row.size, row.root):
                raise BadNote("its note says otherwise")
        except ValueError as failure:
            problem = f"the checkpoint of size {row.size}: {failure}"
            self._wrong_note = self._wrong_note or _Found(problem, checkpoint=row.size)
            return None
        return checkpoint.root

    def _contradiction(self, size: int) -> _Found:
        """Name the entry where a signed root is not the computed one."""
        first = self._vouched.size
        if self._wrong_hash is not None:
            return _Found(self._wrong_hash.problem, max(first, self._wrong_hash.entry or 0))
        return _Found(f"the checkpoint of size {size} contradicts an entry of {first} to {size - 1}", first)

    def _worst(self) -> _Found | None:
        """Return what was found at the lowest index."""
        found = [each for each in (self._wrong_hash, self._wrong_form) if each is not None]
        return min(found, key=lambda each: each.entry or 0, default=None)


def _wrong_node(level: int, position: int) -> _Found:
    first, last = position << level, (position + 1 << level) - 1
    return _Found(f"the stored node over the entries {first} to {last} is not theirs", first)
