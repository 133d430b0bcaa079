"""Sealing under one key per owner, so that destroying the key destroys the data.

root key (provider) -> tenant key -> owner key -> sealing key (HKDF-Expand of the owner key)

A sealed record is ``0x01 | algorithm (1) | kid (8) | nonce (12) | ciphertext | tag (16)``. Authenticated with
it are tenant, owner, algorithm, kid and the caller's context, each behind its length: a record moved to
another owner, row or version does not open. The nonce is random; NIST SP 800-38D allows 2^32 records a
key that way.

Whoever destroyed a key in another process is heard within ``TTL`` seconds. Copies of a key that this process
held stay in its memory until Python reuses it.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from consent import store
from consent.framing import framed
from consent.keys import KEY_BYTES, KeyProvider, WrongKey, unwrapped, wrapped

TTL = 4.0

_FORMAT = b"\x01"
_AES_256_GCM = b"\x01"
_KID_BYTES = 8
_NONCE_BYTES = 12
_HEAD = len(_FORMAT + _AES_256_GCM) + _KID_BYTES
_BODY = _HEAD + _NONCE_BYTES


class SealBroken(ValueError):
    """A record does not open: altered, moved, or never sealed here."""


class KeyDestroyed(LookupError):
    """The owner's key was destroyed; its records cannot be read again and no new one can be made."""


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    head: bytes
    bound: bytes
    cipher: AESGCM
    until: float


class Vault:
    """Seals and opens one tenant's records.

    Parameters
    ----------
    provider
        keeper of the root key.
    connect
        opens a transaction on the vault's database.
    tenant
        whose keys; other tenants' keys are out of reach.
    clock
        monotonic seconds.
    capacity
        how many owners' keys are kept in memory.
    """

    def __init__(
        self,
        provider: KeyProvider,
        connect: store.Connect,
        tenant: str,
        clock: Callable[[], float] = time.monotonic,
        capacity: int = 10_000,
    ) -> None:
        self._provider = provider
        self._connect = connect
        self._tenant = tenant
        self._clock = clock
        self._capacity = capacity
        self._lock = Lock()
        self._keys: OrderedDict[str, _Key] = OrderedDict()
        self._secrets: dict[str, bytes] = {}
        self._root: AESGCM | None = None

    def seal(self, owner: str, context: tuple[str, ...], plaintext: bytes) -> bytes:
        """Encrypt for an owner, bound to the context; the owner's key is made at the first call.

        Raises
        ------
        KeyDestroyed
            if the owner was destroyed.
        """
        key = self._cached(owner) or self._load(owner) or self._create(owner)
        nonce = os.urandom(_NONCE_BYTES)
        return key.head + nonce + key.cipher.encrypt(nonce, plaintext, key.bound + framed(*context))

    def open(self, owner: str, context: tuple[str, ...], sealed: bytes) -> bytes:
        """Decrypt what ``seal`` made for this owner and context.

        Raises
        ------
        KeyDestroyed
            if the owner was destroyed.
        SealBroken
            in every other case; why is not told.
        """
        key = self._cached(owner) or self._load(owner)
        if key is None or sealed[:_HEAD] != key.head:
            raise SealBroken
        try:
            bound = key.bound + framed(*context)
            return key.cipher.decrypt(sealed[_HEAD:_BODY], sealed[_BODY:], bound)
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def destroy(self, owner: str) -> None:
        """Destroy an owner's key for good, also one that has none yet; again is without effect."""
        with self._connect() as connection:
            if not store.add_owner_key(connection, self._tenant, owner, bytes(_KID_BYTES), None):
                store.erase_owner_key(connection, self._tenant, owner)
        self._forget(owner)

    def secret(self, name: str) -> bytes:
        """Return the tenant's random secret of this name, 32 bytes, made at the first call."""
        known = self._secrets.get(name)
        if known is None:
            known = self._secrets[name] = self._read_secret(name)
        return known

    def _cached(self, owner: str) -> _Key | None:
        with self._lock:
            key = self._keys.get(owner)
            if key is None or self._clock() >= key.until:
                return None
            self._keys.move_to_end(owner)
            return key

    def _load(self, owner: str) -> _Key | None:
        until = self._clock() + TTL  # before the read: a destruction after it must not be missed for longer
        with self._connect() as connection:
            row = store.owner_key(connection, self._tenant, owner)
        if row is None:
            return None
        kid, blob = row
        if blob is None:
            self._forget(owner)
            raise KeyDestroyed("this key was destroyed")
        return self._remember(owner, self._key(owner, kid, blob, until))

    def _create(self, owner: str) -> _Key:
        kid, secret = os.urandom(_KID_BYTES), os.urandom(KEY_BYTES)
        blob = wrapped(secret, self._tenant_cipher(), self._context(owner, kid))
        with self._connect() as connection:
            store.add_owner_key(connection, self._tenant, owner, kid, blob)
        key = self._load(owner)  # whoever was first, all use the key that was stored
        if key is None:
            raise KeyDestroyed("this key was lost while it was made")
        return key

    def _key(self, owner: str, kid: bytes, blob: bytes, until: float) -> _Key:
        under = self._tenant_cipher()  # outside: a wrong root key is the operator's to hear of
        try:
            secret = unwrapped(blob, under, self._context(owner, kid))
        except WrongKey:
            raise SealBroken from None
        head = _FORMAT + _AES_256_GCM + kid
        bound = framed("didymos1/seal", self._tenant, owner) + head
        sealing = HKDFExpand(SHA256(), KEY_BYTES, b"didymos1/seal").derive(secret)
        return _Key(head, bound, AESGCM(sealing), until)

    def _context(self, owner: str, kid: bytes) -> tuple[str, ...]:
        return ("owner", self._tenant, owner, kid.hex())

    def _remember(self, owner: str, key: _Key) -> _Key:
        with self._lock:
            self._keys[owner] = key
            self._keys.move_to_end(owner)
            if len(self._keys) > self._capacity:
                self._keys.popitem(last=False)
        return key

    def _forget(self, owner: str) -> None:
        with self._lock:
            self._keys.pop(owner, None)

    def _read_secret(self, name: str) -> bytes:
        context = ("secret", self._tenant, name)
        with self._connect() as connection:
            blob = store.secret(connection, self._tenant, name)
        if blob is None:
            fresh = wrapped(os.urandom(KEY_BYTES), self._tenant_cipher(), context)
            with self._connect() as connection:
                store.add_secret(connection, self._tenant, name, fresh)
            return self._read_secret(name)
        return unwrapped(blob, self._tenant_cipher(), context)

    def _tenant_cipher(self) -> AESGCM:
        if self._root is None:
            self._root = AESGCM(self._read_tenant_key())
        return self._root

    def _read_tenant_key(self) -> bytes:
        context = ("tenant", self._tenant)
        with self._connect() as connection:
            blob = store.tenant_key(connection, self._tenant)
        if blob is None:
            fresh = self._provider.wrap(os.urandom(KEY_BYTES), context)
            with self._connect() as connection:
                store.add_tenant_key(connection, self._tenant, fresh)
            return self._read_tenant_key()
        return self._provider.unwrap(blob, context)
