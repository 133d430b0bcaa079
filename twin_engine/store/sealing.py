"""What a store asks of whoever holds the keys."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    """Seals with the key of an owner; ``context`` must be the same at opening."""

    def seal(self, owner: str, context: tuple[str, ...], plaintext: bytes) -> bytes:
        """Return ``plaintext`` sealed."""

    def open(self, owner: str, context: tuple[str, ...], sealed: bytes) -> bytes:
        """Return the plaintext."""


def owner(twin: str) -> str:
    """Return whose key seals what is known of ``twin``."""
    return f"twin/{twin}"
