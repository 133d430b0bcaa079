"""The root of all keys: who wraps the tenants' keys, and the default, a key in a file.

The file is only as safe as the machine: whoever reads it and the database reads everything. A hospital puts a
key service behind the same protocol instead.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.framing import framed

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = 1
_ALGORITHM = "AES-256-GCM"
_FIELDS = frozenset({"version", "kid", "algorithm", "key"})
_MOST_BYTES = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyProvider(Protocol):
    """Keeps a root key and wraps other keys under it, bound to a context."""

    @property
    def kid(self) -> str:
        """Name of the root key in use."""
        ...

    def wrap(self, key: bytes, context: tuple[str, ...]) -> bytes:
        """Encrypt a key so that it can be stored."""
        ...

    def unwrap(self, blob: bytes, context: tuple[str, ...]) -> bytes:
        """Decrypt a wrapped key.

        Raises
        ------
        WrongKey
            if the blob was wrapped under another root key or context, or was altered.
        """
        ...


class WrongKey(Exception):
    """A wrapped key does not open here."""


class UnsafeKeyFile(Exception):
    """A key file that others may have read or replaced, or that is no key file."""


def wrapped(key: bytes, under: AESGCM, context: tuple[str, ...]) -> bytes:
    """Encrypt a key: nonce (12 bytes), ciphertext and tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + under.encrypt(nonce, key, framed("didymos1/wrap", *context))


def unwrapped(blob: bytes, under: AESGCM, context: tuple[str, ...]) -> bytes:
    """Reverse ``wrapped``.

    Raises
    ------
    WrongKey
        if it does not open.
    """
    try:
        return under.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], framed("didymos1/wrap", *context))
    except (InvalidTag, ValueError):
        raise WrongKey("the wrapped key does not open with this key and context") from None


class FileKeyProvider:
    """A root key in a JSON file that only its owner can read (0600 in a 0700 directory).

    Raises
    ------
    FileNotFoundError
        if there is no such file; ``create`` makes one.
    UnsafeKeyFile
        if the file or its directory is a symbolic link, belongs to somebody else or is open to group or
        world, or if the content is not a key of this version.
    """

    __slots__ = ("_cipher", "kid")

    def __init__(self, path: Path) -> None:
        self.kid, key = _parsed(path, _read(path))
        self._cipher = AESGCM(key)

    @classmethod
    def create(cls, path: Path) -> FileKeyProvider:
        """Make a new random key; FileExistsError where the file exists, which is never touched."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(path.parent, os.lstat(path.parent), stat.S_ISDIR)
        _write(path, _fresh())
        return cls(path)

    def wrap(self, key: bytes, context: tuple[str, ...]) -> bytes:
        """Encrypt a key with AES-256-GCM, the context authenticated."""
        return wrapped(key, self._cipher, (self.kid, *context))

    def unwrap(self, blob: bytes, context: tuple[str, ...]) -> bytes:
        """Decrypt a wrapped key; WrongKey if it does not open."""
        return unwrapped(blob, self._cipher, (self.kid, *context))


def _fresh() -> bytes:
    key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
    content = {"version": _VERSION, "kid": os.urandom(8).hex(), "algorithm": _ALGORITHM, "key": key}
    return json.dumps(content, indent=1).encode() + b"\n"


def _write(path: Path, content: bytes) -> None:
    # Written aside and linked into place: the name appears at once, whole, and only if it was free.
    aside = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path, follow_symlinks=False)
    finally:
        aside.unlink()


def _read(path: Path) -> bytes:
    status = os.lstat(path)
    _check(path.parent, os.lstat(path.parent), stat.S_ISDIR)
    _check(path, status, stat.S_ISREG)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not os.path.samestat(status, os.fstat(file.fileno())):
            raise UnsafeKeyFile(f"{path}: was replaced while it was opened")
        return file.read(_MOST_BYTES + 1)


def _check(path: Path, status: os.stat_result, of_kind: Callable[[int], bool]) -> None:
    if not of_kind(status.st_mode):
        raise UnsafeKeyFile(f"{path}: not a plain file or directory, or a symbolic link")
    if os.name != "posix":
        return  # no owner and permission bits to look at
    if status.st_uid != os.geteuid():
        raise UnsafeKeyFile(f"{path}: belongs to user {status.st_uid}, not to the user running this")
    if status.st_mode & _OTHERS:
        raise UnsafeKeyFile(f"{path}: open to group or world; take the rights away (chmod go-rwx)")


def _parsed(path: Path, content: bytes) -> tuple[str, bytes]:
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError("too long")
        fields = json.loads(content)
        if fields.keys() != _FIELDS or (fields["version"], fields["algorithm"]) != (_VERSION, _ALGORITHM):
            raise ValueError("other fields, version or algorithm")
        kid, key = fields["kid"], base64.b64decode(fields["key"], validate=True)
        if len(bytes.fromhex(kid)) != 8 or len(key) != KEY_BYTES:
            raise ValueError("wrong length")
    except (ValueError, TypeError, AttributeError, RecursionError):
        # from None: the cause may quote the key
        raise UnsafeKeyFile(f"{path}: not a key file of version {_VERSION}") from None
    return kid, key
