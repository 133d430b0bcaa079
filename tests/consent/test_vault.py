import hmac
import json
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from consent import store
from consent.framing import framed
from consent.keys import FileKeyProvider, WrongKey
from consent.vault import KeyDestroyed, SealBroken, Vault
from tests.consent.sample import database

OWNER = "twin/" + "a" * 32
CONTEXT = ("snapshot", "7")
SECRET = b"glucose 5.4 mmol/L"
VECTORS = Path(__file__).parents[3] / "shared" / "data" / "wycheproof" / "aes_gcm_test.json"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class House:
    """One database and root key, and as many processes' vaults on it as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.provider = FileKeyProvider.create(folder / "keys" / "root.json")
        self.connect = database(folder / "vault.sqlite")

    def vault(self, tenant: str = "north") -> Vault:
        return Vault(self.provider, self.connect, tenant, self.clock)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> House:
    return House(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def house(tmp_path) -> House:
    return House(tmp_path)


@given(st.text(max_size=20), st.lists(st.text(max_size=5), max_size=3).map(tuple), st.binary(max_size=200))
def test_what_was_sealed_opens(shared, owner, context, plaintext):
    sealed = shared.vault().seal(owner, context, plaintext)
    assert shared.vault().open(owner, context, sealed) == plaintext
    assert len(sealed) == len(plaintext) + 1 + 1 + 8 + 12 + 16
    assert sealed[:2] == b"\x01\x01"


def test_a_record_opens_by_its_published_format_alone(house):
    sealed = house.vault().seal(OWNER, CONTEXT, SECRET)
    with house.connect() as connection:
        root = store.tenant_key(connection, "north")
        kid, blob = store.owner_key(connection, "north", OWNER)
    tenant = AESGCM(house.provider.unwrap(root, ("tenant", "north")))
    bound = framed("didymos1/wrap", "owner", "north", OWNER, kid.hex())
    owner = tenant.decrypt(blob[:12], blob[12:], bound)
    sealing = AESGCM(hmac.digest(owner, b"didymos1/seal\x01", "sha256"))  # RFC 5869, first block of Expand
    bound = framed("didymos1/seal", "north", OWNER) + b"\x01\x01" + kid + framed(*CONTEXT)
    assert sealed[:10] == b"\x01\x01" + kid
    assert sealing.decrypt(sealed[10:22], sealed[22:], bound) == SECRET


def test_no_altered_bit_opens(house):
    safe = house.vault()
    sealed = safe.seal(OWNER, CONTEXT, SECRET)
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            safe.open(OWNER, CONTEXT, bytes(altered))


def test_no_cut_or_lengthened_record_opens(house):
    safe = house.vault()
    sealed = safe.seal(OWNER, CONTEXT, SECRET)
    for wrong in [*(sealed[:length] for length in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(SealBroken):
            safe.open(OWNER, CONTEXT, wrong)


contexts = st.lists(st.text("ab", max_size=3), max_size=3).map(tuple)


@given(contexts, contexts)
def test_a_record_opens_only_in_its_own_context(shared, context, other):
    safe = shared.vault()
    sealed = safe.seal(OWNER, context, SECRET)
    if other != context:
        with pytest.raises(SealBroken) as raised:
            safe.open(OWNER, other, sealed)
        assert not raised.value.args


def test_a_record_opens_only_for_its_own_owner_and_tenant(house):
    sealed = house.vault().seal(OWNER, CONTEXT, SECRET)
    house.vault().seal("twin/b", CONTEXT, SECRET)
    house.vault("south").seal(OWNER, CONTEXT, SECRET)
    for tenant, owner in [("north", "twin/b"), ("south", OWNER), ("north", "twin/unknown"), ("west", OWNER)]:
        with pytest.raises(SealBroken):
            house.vault(tenant).open(owner, CONTEXT, sealed)


def test_opening_for_an_unknown_owner_makes_no_key(house):
    with pytest.raises(SealBroken):
        house.vault().open(OWNER, CONTEXT, b"\x01\x01" + bytes(60))
    with house.connect() as connection:
        assert store.owner_key(connection, "north", OWNER) is None


def test_no_nonce_is_used_twice(house):
    safe = house.vault()
    nonces = {safe.seal(OWNER, CONTEXT, b"")[10:22] for _ in range(20_000)}
    assert len(nonces) == 20_000


def test_equal_records_look_different(house):
    safe = house.vault()
    assert safe.seal(OWNER, CONTEXT, SECRET) != safe.seal(OWNER, CONTEXT, SECRET)


def test_a_destroyed_owner_is_unreadable_and_never_made_again(house):
    sealed = house.vault().seal(OWNER, CONTEXT, SECRET)
    house.vault().destroy(OWNER)
    house.vault().destroy(OWNER)
    for safe in (house.vault(), house.vault()):
        with pytest.raises(KeyDestroyed):
            safe.open(OWNER, CONTEXT, sealed)
        with pytest.raises(KeyDestroyed):
            safe.seal(OWNER, CONTEXT, SECRET)
    with house.connect() as connection:
        assert connection.scalars(select(store.owner_keys.c.wrapped)).all() == [None]


def test_an_owner_destroyed_before_its_first_record_is_never_made(house):
    house.vault().destroy(OWNER)
    with pytest.raises(KeyDestroyed):
        house.vault().seal(OWNER, CONTEXT, SECRET)


def test_destroying_one_owner_leaves_the_others(house):
    sealed = house.vault().seal("audit/a", CONTEXT, SECRET)
    house.vault().seal("twin/a", CONTEXT, SECRET)
    house.vault().destroy("twin/a")
    assert house.vault().open("audit/a", CONTEXT, sealed) == SECRET


def test_the_vault_that_destroys_forgets_at_once(house):
    safe = house.vault()
    sealed = safe.seal(OWNER, CONTEXT, SECRET)
    safe.destroy(OWNER)
    with pytest.raises(KeyDestroyed):
        safe.open(OWNER, CONTEXT, sealed)


def test_a_destruction_elsewhere_is_heard_within_five_seconds(house):
    here, elsewhere = house.vault(), house.vault()
    sealed = here.seal(OWNER, CONTEXT, SECRET)
    elsewhere.destroy(OWNER)
    house.clock.now = 3.9
    assert here.open(OWNER, CONTEXT, sealed) == SECRET
    house.clock.now = 5.0
    with pytest.raises(KeyDestroyed):
        here.open(OWNER, CONTEXT, sealed)


def test_a_destroyed_key_is_gone_from_the_file_of_the_database(house):
    with house.connect() as connection:
        connection.execute(text("PRAGMA secure_delete=ON"))
    house.vault().seal(OWNER, CONTEXT, SECRET)
    with house.connect() as connection:
        blob = connection.scalars(select(store.owner_keys.c.wrapped)).one()
    file = house.folder / "vault.sqlite"
    assert blob in file.read_bytes()
    with house.connect() as connection:
        connection.execute(text("PRAGMA secure_delete=ON"))
        store.erase_owner_key(connection, "north", OWNER)
    assert blob not in file.read_bytes()


def test_more_owners_than_the_cache_holds_still_open(house):
    safe = Vault(house.provider, house.connect, "north", house.clock, capacity=2)
    sealed = {owner: safe.seal(owner, CONTEXT, owner.encode()) for owner in "abcd"}
    assert [safe.open(owner, CONTEXT, sealed[owner]) for owner in "dcba"] == [b"d", b"c", b"b", b"a"]
    assert len(safe._keys) == 2


def test_threads_that_meet_at_a_new_owner_agree(house):
    vaults = [house.vault() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda safe: safe.seal(OWNER, CONTEXT, SECRET), vaults))
        secrets = set(pool.map(lambda safe: safe.secret("pseudonyms"), vaults))
    assert [house.vault().open(OWNER, CONTEXT, each) for each in sealed] == [SECRET] * 8
    assert len(secrets) == 1


def sealed_elsewhere(folder: Path, start: float) -> tuple[bytes, bytes]:
    provider = FileKeyProvider(folder / "keys" / "root.json")
    safe = Vault(provider, database(folder / "vault.sqlite"), "north")
    time.sleep(max(0.0, start - time.time()))
    return safe.seal(OWNER, CONTEXT, SECRET), safe.secret("pseudonyms")


def test_processes_that_meet_at_a_new_owner_agree(house):
    start = time.time() + 2.0
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        made = pool.starmap(sealed_elsewhere, [(house.folder, start)] * 2)
    assert [house.vault().open(OWNER, CONTEXT, sealed) for sealed, _ in made] == [SECRET] * 2
    assert {secret for _, secret in made} == {house.vault().secret("pseudonyms")}


def test_a_secret_stays_the_same_and_differs_by_name_and_tenant(house):
    secrets = [house.vault(tenant).secret(name) for tenant in ("north", "south") for name in ("a", "b")]
    assert secrets == [
        house.vault(tenant).secret(name) for tenant in ("north", "south") for name in ("a", "b")
    ]
    assert len(set(secrets)) == 4
    assert {len(secret) for secret in secrets} == {32}


def test_nothing_in_the_database_is_in_clear(house):
    safe = house.vault()
    secret = safe.secret("pseudonyms")
    safe.seal(OWNER, CONTEXT, SECRET)
    content = b"".join(path.read_bytes() for path in house.folder.glob("vault.sqlite*"))
    assert secret not in content
    assert SECRET not in content


def test_with_another_root_key_nothing_opens_and_the_operator_is_told(house, tmp_path):
    sealed = house.vault().seal(OWNER, CONTEXT, SECRET)
    house.provider = FileKeyProvider.create(tmp_path / "others" / "root.json")
    with pytest.raises(WrongKey):
        house.vault().open(OWNER, CONTEXT, sealed)


def test_wrapped_keys_swapped_between_owners_open_nothing(house):
    sealed = house.vault().seal(OWNER, CONTEXT, SECRET)
    house.vault().seal("twin/b", CONTEXT, SECRET)
    with house.connect() as connection:
        kid, blob = store.owner_key(connection, "north", OWNER)
        connection.execute(store.owner_keys.delete())
        store.add_owner_key(connection, "north", "twin/b", kid, blob)
    with pytest.raises(SealBroken):
        house.vault().open("twin/b", CONTEXT, sealed)


def vectors() -> list[tuple[dict, dict]]:
    if not VECTORS.exists():
        return []
    groups = json.loads(VECTORS.read_text())["testGroups"]
    used = [
        group for group in groups if (group["keySize"], group["ivSize"], group["tagSize"]) == (256, 96, 128)
    ]
    return [test for group in used for test in group["tests"]]


@pytest.mark.skipif(not VECTORS.exists(), reason="Wycheproof vectors (../shared/data/wycheproof) are absent")
def test_the_primitive_in_use_passes_the_wycheproof_vectors():
    tests = vectors()
    assert len(tests) > 50
    for test in tests:
        key, nonce, aad, message, sealed = (
            bytes.fromhex(test[field]) for field in ("key", "iv", "aad", "msg", "ct")
        )
        sealed += bytes.fromhex(test["tag"])
        if test["result"] == "valid":
            assert AESGCM(key).encrypt(nonce, message, aad) == sealed
            assert AESGCM(key).decrypt(nonce, sealed, aad) == message
        else:
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(nonce, sealed, aad)
