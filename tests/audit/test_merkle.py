from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    completed_between,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    read_frontier,
    verify_consistency,
    verify_inclusion,
)

SAMPLE_LOG = Path(__file__).parents[3] / "shared" / "data" / "merkle" / "log"

# google/certificate-transparency, test vectors of its Merkle tree: leaves and the root at each size.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Grown:
    """A tree with all its nodes in memory."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.frontier, self.nodes, self.roots = Frontier(), {}, [EMPTY_ROOT]
        self.hashes = [leaf_hash(leaf) for leaf in leaves]
        for hashed in self.hashes:
            self.frontier, completed = self.frontier.append(hashed)
            self.nodes |= {(level, position): node for level, position, node in completed}
            self.roots.append(self.frontier.root)

    def read(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]


def naive_root(hashes: list[bytes]) -> bytes:
    """MTH as RFC 9162, section 2.1.1 writes it."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return node_hash(naive_root(hashes[:k]), naive_root(hashes[k:]))


def test_empty_tree_has_the_hash_of_nothing():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root == EMPTY_ROOT


def test_published_trees_have_their_published_roots():
    grown = Grown([bytes.fromhex(leaf) for leaf in LEAVES])
    assert [root.hex() for root in grown.roots[1:]] == ROOTS


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_grown_tree_is_the_recursive_one(leaves):
    grown = Grown(leaves)
    assert grown.frontier.root == naive_root(grown.hashes)
    assert read_frontier(len(leaves), grown.read) == grown.frontier


@given(st.integers(0, 300), st.integers(0, 300))
def test_nodes_completed_between_two_sizes_are_those_that_growing_completes(start, more):
    leaves = [b""] * (start + more)
    new = set(Grown(leaves).nodes) - set(Grown(leaves[:start]).nodes)
    ranges = completed_between(start, start + more)
    named = {(level, position) for level, first, end in ranges for position in range(first, end)}
    assert named == {node for node in new if node[0]}


GROWN = Grown([str(number).encode() for number in range(40)])


@pytest.mark.parametrize("size", range(1, 41))
def test_every_leaf_is_proved_and_no_other_leaf_by_its_proof(size):
    root = GROWN.roots[size]
    for index in range(size):
        proof = inclusion_proof(index, size, GROWN.read)
        assert verify_inclusion(GROWN.hashes[index], index, size, proof, root)
        assert not verify_inclusion(GROWN.hashes[index - 1], index, size, proof, root) or size == 1
        assert not verify_inclusion(GROWN.hashes[index], index, size, [*proof, root], root)
        assert not verify_inclusion(GROWN.hashes[index], index, size, proof, GROWN.roots[size - 1])
        if proof:
            assert not verify_inclusion(GROWN.hashes[index], index, size, proof[:-1], root)


@pytest.mark.parametrize("second", range(1, 41))
def test_every_earlier_tree_is_proved_and_no_other_root_by_its_proof(second):
    roots = GROWN.roots
    for first in range(1, second + 1):
        proof = consistency_proof(first, second, GROWN.read)
        assert verify_consistency(first, second, roots[first], roots[second], proof)
        assert not verify_consistency(first, second, roots[first - 1], roots[second], proof)
        assert not verify_consistency(first, second, roots[first], roots[second - 1], proof)
        assert not verify_consistency(first, second, roots[first], roots[second], [*proof, EMPTY_ROOT])
        if proof:
            assert not verify_consistency(first, second, roots[first], roots[second], proof[:-1])


def test_published_proofs_are_reproduced():
    # The same source: these three hashes prove the sixth of the eight leaves.
    grown = Grown([bytes.fromhex(leaf) for leaf in LEAVES])
    proof = inclusion_proof(5, 8, grown.read)
    assert [each.hex() for each in proof] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_leaf_outside_the_tree_has_no_proof(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, GROWN.read)
    assert not verify_inclusion(GROWN.hashes[0], index, size, [], GROWN.hashes[0])


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3)])
def test_impossible_consistency_has_no_proof(first, second):
    with pytest.raises(ValueError, match="no proof"):
        consistency_proof(first, second, GROWN.read)
    assert not verify_consistency(first, second, EMPTY_ROOT, GROWN.roots[second], [GROWN.roots[second]])


@pytest.mark.skipif(not SAMPLE_LOG.exists(), reason="the log of a Tessera server is not here")
@pytest.mark.parametrize("size", range(16))
def test_roots_of_a_tessera_log_are_reproduced(size):
    leaves, data = [], b"" if size == 0 else (SAMPLE_LOG / f"tile/entries/000.p/{size}").read_bytes()
    while data:
        length = int.from_bytes(data[:2])
        leaves.append(data[2 : 2 + length])
        data = data[2 + length :]
    _origin, written, root, *_ = (SAMPLE_LOG / f"checkpoint.{size}").read_text().split("\n")
    grown = Grown(leaves)
    assert (int(written), base64.b64decode(root)) == (len(leaves), grown.frontier.root)
    if size:
        tile = (SAMPLE_LOG / f"tile/0/000.p/{size}").read_bytes()
        assert tile == b"".join(grown.read(0, position) for position in range(size))
