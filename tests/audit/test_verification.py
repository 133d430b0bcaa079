from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from audit import merkle, store
from audit.checkpoint import Signer
from audit.record import Leaf
from audit.verification import verify
from tests.audit.ground import AT, SIGNER, Cipher, Ground, an_event, on_engine, sqlite_engine

# Sizes of the appends of the sample log: several events under one checkpoint, and single ones.
APPENDS = (1, 1, 4, 1, 5, 3, 1)
TOTAL = sum(APPENDS)
SIZES = [sum(APPENDS[: number + 1]) for number in range(len(APPENDS))]
KEYS = {"entry": ("idx",), "node": ("level", "position"), "checkpoint": ("size",)}
COLUMNS = [
    ("entry", "idx"),
    ("entry", "leaf"),
    ("entry", "leaf_hash"),
    ("entry", "recorded_us"),
    ("entry", "subject_sealed"),
    ("entry", "ops_owner"),
    ("entry", "ops_sealed"),
    ("node", "level"),
    ("node", "position"),
    ("node", "hash"),
    ("checkpoint", "size"),
    ("checkpoint", "root"),
    ("checkpoint", "note"),
]


def report(ground, cipher=None, vkey=SIGNER.vkey):
    with ground.connect() as connection:
        return verify(connection, vkey, cipher)


def fill(ground):
    log, numbers = ground.log(clock=lambda: AT), iter(range(TOTAL))
    for count in APPENDS:
        log.append(*(an_event(next(numbers), (None, "twin-a")[count % 2]) for _ in range(count)))
    ground.disarm()


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    path = tmp_path_factory.mktemp("pattern") / "audit.sqlite"
    with on_engine(sqlite_engine(path)) as ground:
        fill(ground)
    return path


@pytest.fixture
def filled(pattern, tmp_path):
    engine = sqlite_engine(shutil.copy(pattern, tmp_path / "audit.sqlite"))
    yield Ground(engine)
    engine.dispose()


def test_log_is_verified_alike_on_every_database(ground):
    fill(ground)
    assert report(ground, Cipher()).ok
    forge_entry(ground, 8, hash_too=True, nodes_too=True)
    found = report(ground)
    assert (found.first_bad, found.size) == (7, 7)


def test_untouched_log_is_good(filled):
    found = report(filled, Cipher())
    assert (found.ok, found.size, found.first_bad, found.problem, found.erased) == (True, TOTAL, None, "", 0)
    assert (found.size, found.root) == filled.log().size_and_root()


def test_empty_log_is_good(ground):
    found = report(ground)
    assert (found.ok, found.size, found.root) == (True, 0, merkle.EMPTY_ROOT)


def flipped(value, bit):
    if isinstance(value, int):
        return value ^ 1 << bit % 63
    data = bytearray(value.encode() if isinstance(value, str) else value)
    # A text keeps to ASCII: anything else is no text that a database would return.
    position, shift = divmod(bit % (len(data) * 8), 8)
    data[position] ^= 1 << (shift % 7 if isinstance(value, str) else shift)
    return data.decode() if isinstance(value, str) else bytes(data)


def alter(ground, table, column, row, bit):
    """Flip one bit; return the key of the row, or None where the database has no room for the result."""
    keys = ", ".join(KEYS[table])
    with ground.engine.begin() as connection:
        rows = connection.execute(text(f"SELECT {column}, {keys} FROM {table} ORDER BY {keys}")).all()
        value, *key = rows[row % len(rows)]
        where = " AND ".join(f"{name} = :{name}" for name in KEYS[table])
        values = {"value": flipped(value, bit), **dict(zip(KEYS[table], key, strict=True))}
        taken = [each[1:] for each in rows] if column in KEYS[table] else []
        after = tuple(values["value"] if name == column else values[name] for name in KEYS[table])
        if after in taken:
            return None
        connection.execute(text(f"UPDATE {table} SET {column} = :value WHERE {where}"), values)
    return tuple(key)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(COLUMNS), st.integers(0, 2**16), st.integers(0, 2**20))
def test_any_altered_bit_is_found_and_its_entry_named(pattern, tmp_path, place, row, bit):
    engine = sqlite_engine(shutil.copy(pattern, tmp_path / "altered.sqlite"))
    ground = Ground(engine)
    try:
        key = alter(ground, *place, row, bit)
        if key is None:
            return
        found = report(ground, Cipher())
    finally:
        engine.dispose()
    assert not found.ok
    if place[0] == "entry":
        assert found.first_bad == key[0]
    elif place[0] == "node":
        assert found.first_bad == key[1] << key[0]
    else:
        # One whose size was altered is named by the size it now claims.
        assert found.bad_checkpoint == (key[0] if place[1] != "size" else flipped(key[0], bit))
        assert found.first_bad in (None, batch_of(key[0] - 1))


def forge_entry(ground, index, *, hash_too, nodes_too):
    """Put another act in the place of entry ``index`` and, as asked, make the hashes agree."""
    with ground.connect() as connection:
        rows = store.entries(connection, 0, TOTAL)
        leaf = bytearray(rows[index].leaf)
        leaf[28] = 12 - leaf[28]
        hashes = [row.leaf_hash for row in rows]
        values = {"leaf": bytes(leaf), "idx": index}
        connection.execute(text("UPDATE entry SET leaf = :leaf WHERE idx = :idx"), values)
        if hash_too:
            hashes[index] = merkle.leaf_hash(bytes(leaf))
            values = {"hash": hashes[index], "idx": index}
            connection.execute(text("UPDATE entry SET leaf_hash = :hash WHERE idx = :idx"), values)
        if nodes_too:
            tree = merkle.Frontier()
            for hashed in hashes:
                tree, completed = tree.append(hashed)
                for level, position, value in completed[1:]:
                    values = {"hash": value, "level": level, "position": position}
                    query = "UPDATE node SET hash = :hash WHERE level = :level AND position = :position"
                    connection.execute(text(query), values)


def batch_of(index):
    """The first entry under the checkpoint that covers ``index``."""
    return max((size for size in SIZES if size <= index), default=0)


@pytest.mark.parametrize("index", range(TOTAL))
def test_forged_entry_is_named_exactly(filled, index):
    forge_entry(filled, index, hash_too=False, nodes_too=False)
    assert report(filled).first_bad == index


@pytest.mark.parametrize("index", range(TOTAL))
def test_forged_entry_and_hash_are_named_by_the_narrowest_thing_that_contradicts(filled, index):
    forge_entry(filled, index, hash_too=True, nodes_too=False)
    found = report(filled)
    assert batch_of(index) <= found.first_bad <= index
    assert found.size <= index


@pytest.mark.parametrize("index", range(TOTAL))
def test_forged_entry_with_all_hashes_is_named_by_the_first_signature_that_contradicts(filled, index):
    forge_entry(filled, index, hash_too=True, nodes_too=True)
    found = report(filled)
    assert (found.first_bad, found.size) == (batch_of(index), batch_of(index))
    assert "contradicts an entry" in found.problem


def test_log_rewritten_under_another_key_is_good_nowhere(filled):
    forger = Signer.from_seed(SIGNER.name, bytes(32))
    with filled.connect() as connection:
        for size, root, _ in store.checkpoints(connection, None, None):
            values = {"note": forger.checkpoint(size, root), "size": size}
            connection.execute(text("UPDATE checkpoint SET note = :note WHERE size = :size"), values)
    found = report(filled)
    assert (found.ok, found.size, found.first_bad, found.bad_checkpoint) == (False, 0, 0, 1)


@pytest.mark.parametrize("index", range(TOTAL))
def test_deleted_entry_is_named(filled, index):
    filled.run("DELETE FROM entry WHERE idx = :idx", idx=index)
    found = report(filled)
    assert found.first_bad == index
    assert ("is missing" if index < TOTAL - 1 else "are there") in found.problem


def test_entries_cut_off_below_a_checkpoint_are_missed(filled):
    filled.run("DELETE FROM entry WHERE idx >= 7")
    assert report(filled).first_bad == 7
    filled.run("DELETE FROM entry")
    assert report(filled).first_bad == 0


def test_entries_that_no_checkpoint_covers_are_named(filled):
    filled.run("DELETE FROM checkpoint WHERE size > 7")
    found = report(filled)
    assert (found.first_bad, found.size) == (7, 7)
    assert "no good checkpoint" in found.problem


def test_exchanged_entries_are_named_by_the_first(filled):
    filled.run("UPDATE entry SET idx = 100 WHERE idx = 8")
    filled.run("UPDATE entry SET idx = 8 WHERE idx = 9")
    filled.run("UPDATE entry SET idx = 9 WHERE idx = 100")
    assert 7 <= report(filled).first_bad <= 8


def test_added_entry_is_named(filled):
    filled.run("INSERT INTO entry SELECT :new, leaf, leaf_hash, recorded_us, subject_sealed, ops_owner, "
               "ops_sealed FROM entry WHERE idx = 3", new=TOTAL)  # fmt: skip
    assert report(filled).first_bad == TOTAL


def test_entry_recorded_before_the_entry_before_it_is_named(ground):
    """Whoever holds the key can sign anything; even so, time in the log does not run backwards."""
    ground.log(clock=lambda: AT).append(an_event(0))
    with ground.connect() as connection:
        [row] = store.entries(connection, 0, 1)
        leaf = Leaf.decode(row.leaf)
        early = leaf.recorded_us - timedelta(minutes=1) // timedelta(microseconds=1)
        data = row.leaf[:17] + early.to_bytes(8) + row.leaf[25:]
        tree, _ = merkle.Frontier().append(row.leaf_hash)
        tree, completed = tree.append(merkle.leaf_hash(data))
        forged = row._replace(idx=1, leaf=data, leaf_hash=merkle.leaf_hash(data), recorded_us=early)
        note = store.CheckpointRow(2, tree.root, SIGNER.checkpoint(2, tree.root))
        store.add(connection, [forged], completed[1:], note)
    found = report(ground)
    assert (found.ok, found.first_bad) == (False, 1)
    assert "before the entry before it" in found.problem


def test_subject_turned_into_another_is_named(filled):
    filled.run("UPDATE subject_index SET subject = 'twin-b' WHERE idx = 6")
    assert report(filled).ok
    assert report(filled, Cipher()).first_bad == 6


def test_log_longer_than_one_block_is_walked_to_its_end(embedded):
    log = embedded.log()
    for count in (1000, 700, 1, 1000):
        log.append(*map(an_event, range(count)))
    found = report(embedded, Cipher())
    assert (found.ok, found.size) == (True, 2701)
    embedded.disarm()
    embedded.run("UPDATE entry SET leaf = leaf_hash WHERE idx = 2000")
    assert report(embedded).first_bad == 2000
