"""The Merkle tree of RFC 6962 and RFC 9162, section 2.1, kept so that it can grow.

A node is named by (level, position): it is the root of the complete subtree over the leaves
``position << level`` up to ``(position + 1) << level``. Complete subtrees never change, so a log
only ever adds nodes. The tile (L, N) of C2SP tlog-tiles holds the nodes (8 L, 256 N) and following.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

ReadNode = Callable[[int, int], bytes]

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


class Node(NamedTuple):
    """The hash of one complete subtree."""

    level: int
    position: int
    hash: bytes


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree of ``size`` leaves: its complete subtrees, the largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The tree's root hash; that of the empty tree is SHA-256 of nothing."""
        return _fold(self.hashes)

    def append(self, leaf: bytes) -> tuple[Frontier, tuple[Node, ...]]:
        """Add one leaf *hash*; return the new edge and the nodes this completed, leaf level first."""
        hashes, carried, level = list(self.hashes), leaf, 0
        completed = [Node(0, self.size, leaf)]
        while self.size >> level & 1:
            carried, level = node_hash(hashes.pop(), carried), level + 1
            completed.append(Node(level, self.size >> level, carried))
        return Frontier(self.size + 1, (*hashes, carried)), tuple(completed)


def read_frontier(size: int, read: ReadNode) -> Frontier:
    """Read the right edge of a tree of ``size`` leaves."""
    return Frontier(size, tuple(read(level, position) for level, position in _cover(0, size)))


def completed_between(start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield (level, first, end position) of the nodes that the leaves ``start`` to ``stop`` - 1 complete.

    The leaves' own level is left out.
    """
    level = 1
    while stop >> level:
        yield level, start >> level, stop >> level
        level += 1


def inclusion_proof(index: int, size: int, read: ReadNode) -> list[bytes]:
    """Prove that leaf ``index`` is in the tree of ``size`` leaves (RFC 9162, 2.1.3.1).

    Raises
    ------
    ValueError
        Where the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, stop, proof = 0, size, list[bytes]()
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(_subtree(middle, stop, read))
            stop = middle
        else:
            proof.append(_subtree(start, middle, read))
            start = middle
    return proof[::-1]


def consistency_proof(first: int, second: int, read: ReadNode) -> list[bytes]:
    """Prove that the tree of ``first`` leaves is the beginning of that of ``second`` (2.1.4.1).

    Raises
    ------
    ValueError
        Where ``first`` is zero (every tree begins with the empty one) or exceeds ``second``.
    """
    if not 0 < first <= second:
        raise ValueError(f"no proof from {first} to {second}")
    start, stop, proof = 0, second, list[bytes]()
    while stop != first:
        middle = start + _split(stop - start)
        if first <= middle:
            proof.append(_subtree(middle, stop, read))
            stop = middle
        else:
            proof.append(_subtree(start, middle, read))
            start = middle
    if start:
        proof.append(_subtree(start, stop, read))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof for a leaf *hash* (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            position, last = _skip_missing_siblings(position, last)
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and hmac.compare_digest(computed, root)


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Check a consistency proof between two roots (RFC 9162, 2.1.4.2)."""
    if first == second:
        return not proof and hmac.compare_digest(first_root, second_root)
    if not 0 < first < second or not proof:
        return False
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            position, last = _skip_missing_siblings(position, last)
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and hmac.compare_digest(old, first_root) and hmac.compare_digest(new, second_root)


def _skip_missing_siblings(position: int, last: int) -> tuple[int, int]:
    """Climb to the level at which the right edge has a left sibling again."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _split(width: int) -> int:
    """Return the largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1


def _cover(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the complete subtrees that make up ``start`` to ``stop`` - 1, the largest first."""
    while start < stop:
        level = (stop - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _subtree(start: int, stop: int, read: ReadNode) -> bytes:
    return _fold([read(level, position) for level, position in _cover(start, stop)])


def _fold(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root
