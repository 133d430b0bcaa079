"""Text parts to bytes so that no two lists of parts give the same bytes."""

from __future__ import annotations


def framed(*parts: str) -> bytes:
    """Join the parts in UTF-8, each behind its length in 4 bytes, big-endian."""
    encoded = [part.encode() for part in parts]
    return b"".join([len(each).to_bytes(4, "big") + each for each in encoded])
