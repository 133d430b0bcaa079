"""Signed checkpoints: what the log vouches for, in the text forms of C2SP.

The text is that of c2sp.org/tlog-checkpoint (origin, size, base64 root), the signature that of
c2sp.org/signed-note with Ed25519 (type 0x01). The origin is the name of the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_DASH = "\u2014 "  # an em dash and a space begin each signature line
_ID_BYTES = 4
_ROOT_BYTES = 32


class BadNote(ValueError):
    """The note is malformed, altered, or not signed by the expected key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A promise: the log ``origin`` had ``size`` entries and this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Raise BadNote where the text is not exactly the three lines; extensions are refused."""
        lines = text.split("\n")
        if len(lines) != 4 or not (lines[1].isascii() and lines[1].isdigit()):
            raise BadNote("not a checkpoint")
        checkpoint = cls(lines[0], int(lines[1]), _bytes(lines[2]))
        if checkpoint.text != text or len(checkpoint.root) != _ROOT_BYTES:
            raise BadNote("not a checkpoint in canonical form")
        return checkpoint


@dataclass(frozen=True, slots=True)
class Signer:
    """The log's private key under its name.

    Raises
    ------
    ValueError
        Where the name is empty or holds white space or a plus sign.
    """

    name: str
    key: Ed25519PrivateKey

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(letter.isspace() for letter in self.name):
            raise ValueError("a key name is not empty and holds neither white space nor a plus sign")

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Signer:
        """Take 32 secret random bytes."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def vkey(self) -> str:
        """The public key as ``name+hash+base64``."""
        public = self.key.public_key().public_bytes_raw()
        return f"{self.name}+{_key_id(self.name, public).hex()}+{_base64(_ED25519 + public)}"

    def sign(self, text: str) -> bytes:
        """Sign a text that ends in a newline; return the note."""
        identity = _key_id(self.name, self.key.public_key().public_bytes_raw())
        signature = _base64(identity + self.key.sign(text.encode()))
        return f"{text}\n{_DASH}{self.name} {signature}\n".encode()

    def checkpoint(self, size: int, root: bytes) -> bytes:
        """Sign the checkpoint of this log at ``size``; return the note."""
        return self.sign(Checkpoint(self.name, size, root).text)


def verify_note(note: bytes, vkey: str) -> str:
    """Check the signature of the key ``vkey`` and return the text that it signs.

    Signatures of other keys are ignored, as signed-note asks; one of this key that does not hold
    condemns the note.

    Raises
    ------
    BadNote
        Where the note is malformed or the key has not signed it.
    """
    name, identity, key = _parse_vkey(vkey)
    text, lines = _divide(note)
    signatures = [
        signature[_ID_BYTES:]
        for signer, signature in map(_parse_signature, lines)
        if signer == name and signature[:_ID_BYTES] == identity
    ]
    if not signatures:
        raise BadNote("not signed by this key")
    try:
        for signature in signatures:
            key.verify(signature, text.encode())
    except InvalidSignature as failure:
        raise BadNote("the signature does not hold") from failure
    return text


def verify_checkpoint(note: bytes, vkey: str) -> Checkpoint:
    """Check the signature and that the key vouches for a log of its own name.

    Raises
    ------
    BadNote
        Where the note is malformed, not signed by the key or speaks of another log.
    """
    checkpoint = Checkpoint.parse(verify_note(note, vkey))
    if checkpoint.origin != vkey.split("+", 1)[0]:
        raise BadNote("the checkpoint is of another log")
    return checkpoint


def _parse_vkey(vkey: str) -> tuple[str, bytes, Ed25519PublicKey]:
    name, _, rest = vkey.partition("+")
    identity, _, encoded = rest.partition("+")
    material = _bytes(encoded)
    if material[:1] != _ED25519 or _key_id(name, material[1:]).hex() != identity:
        raise BadNote("not the public key of a log")
    return name, bytes.fromhex(identity), Ed25519PublicKey.from_public_bytes(material[1:])


def _divide(note: bytes) -> tuple[str, list[str]]:
    try:
        text, blank, signatures = note.decode().rpartition("\n\n")
    except UnicodeDecodeError as failure:
        raise BadNote("not UTF-8") from failure
    if not blank or not signatures.endswith("\n"):
        raise BadNote("not a signed note")
    return text + "\n", signatures[:-1].split("\n")


def _parse_signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    signature = _bytes(encoded)
    if not line.startswith(_DASH) or not name or len(signature) <= _ID_BYTES:
        raise BadNote("not a signature line")
    return name, signature


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID_BYTES]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(encoded: str) -> bytes:
    """Decode canonical base64 only: two spellings of one signature would be two notes."""
    try:
        data = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as failure:
        raise BadNote("not base64") from failure
    if _base64(data) != encoded:
        raise BadNote("not canonical base64")
    return data
