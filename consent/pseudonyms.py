"""Opaque identifiers: a keyed hash that nobody without the key can compute or reverse."""

from __future__ import annotations

from base64 import b32encode

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from consent.framing import framed

_KEY_BYTES = 32
# 20 bytes are 160 bits: exactly 32 characters of base32, without padding.
_IDENTIFIER_BYTES = 20


class Pseudonyms:
    """Keyed hashes of lists of texts.

    Parameters
    ----------
    key
        at least 32 random bytes.
    """

    __slots__ = ("_digests", "_identifiers")

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError(f"a pseudonym key has at least {_KEY_BYTES} bytes")
        self._identifiers = HMAC(key, SHA256())
        self._identifiers.update(framed("didymos1/identifier"))
        self._digests = HMAC(key, SHA256())
        self._digests.update(framed("didymos1/digest"))

    def of(self, *parts: str) -> str:
        """Return an identifier of 32 characters of ``a-z2-7``, fit for a FHIR id and a URL."""
        return b32encode(_finished(self._identifiers, parts)[:_IDENTIFIER_BYTES]).decode().lower()

    def digest(self, *parts: str) -> bytes:
        """Return 32 bytes, independent of the identifier of the same parts."""
        return _finished(self._digests, parts)


def _finished(keyed: HMAC, parts: tuple[str, ...]) -> bytes:
    running = keyed.copy()
    running.update(framed(*parts))
    return running.finalize()
