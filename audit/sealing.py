"""Between an event and its row: the bodies are sealed, the leaf commits to them.

The sealed bodies are bound to the event's uuid, not to its index: so they can be sealed before the
log's transaction begins, and the leaf, which holds the uuid, binds them to the index.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from audit.record import (
    SALT_BYTES,
    Event,
    Leaf,
    Operational,
    Personal,
    bodies,
    commitment,
    decode_operational,
    decode_personal,
)
from audit.store import OWNER_LENGTH, SUBJECT_LENGTH, Row

Entropy = Callable[[int], bytes]


class Sealer(Protocol):
    """Seals bytes with the key of an owner, bound to a context.

    ``open`` raises LookupError where the owner's key is destroyed, and ValueError where the bytes
    were altered or sealed for another owner or context.
    """

    def seal(self, owner: str, context: tuple[str, ...], plaintext: bytes) -> bytes: ...

    def open(self, owner: str, context: tuple[str, ...], sealed: bytes) -> bytes: ...


class Damaged(ValueError):
    """A body does not belong to its leaf."""

    def __init__(self, index: int, body: str) -> None:
        super().__init__(f"entry {index}: its {body} body does not belong to its leaf")
        self.index = index


@dataclass(frozen=True, slots=True)
class Draft:
    """An event ready for the log, but for its index and instant."""

    event: Event
    uuid: UUID
    owner: str
    personal: bytes
    operational: bytes
    commitments: tuple[bytes, bytes]

    def leaf(self, recorded_us: int) -> Leaf:
        """Return the leaf of this event, recorded at this instant."""
        event = self.event
        return Leaf(self.uuid, recorded_us, event.kind, event.action, event.outcome, *self.commitments)


@dataclass(frozen=True, slots=True)
class Opened:
    """An entry as read back. A part is None where the key that sealed it is destroyed."""

    index: int
    leaf: Leaf
    personal: Personal | None
    operational: Operational | None

    @property
    def erased(self) -> bool:
        """Whether a part of the entry can no longer be read."""
        return self.personal is None or self.operational is None


def draft(event: Event, sealer: Sealer, entropy: Entropy) -> Draft:
    """Seal both bodies of an event.

    Raises
    ------
    ValueError, KeyError
        Where the event does not fit the log: it must not spoil the transaction it shares with others.
    """
    uuid = UUID(bytes=entropy(16), version=4)
    owner = _operational_owner(event.tenant, event.at)
    _check_column(owner, OWNER_LENGTH)
    _check_column(event.subject or "", SUBJECT_LENGTH)
    personal, operational = bodies(event)
    salt, other_salt = entropy(SALT_BYTES), entropy(SALT_BYTES)
    drafted = Draft(
        event,
        uuid,
        owner,
        sealer.seal(_personal_owner(event.subject, owner), _context(uuid, "personal"), salt + personal),
        sealer.seal(owner, _context(uuid, "operational"), other_salt + operational),
        (commitment(salt, personal), commitment(other_salt, operational)),
    )
    drafted.leaf(0).encode()
    return drafted


def opened(row: Row, sealer: Sealer) -> Opened:
    """Open both bodies of an entry and check them against its leaf.

    Raises
    ------
    Damaged
        Where a body was altered or is another entry's.
    """
    leaf = Leaf.decode(row.leaf)
    operational = _operational(row, leaf, sealer)
    if row.subject is None and operational is not None and operational.names_subject:
        return Opened(row.idx, leaf, None, operational)
    return Opened(row.idx, leaf, _personal(row, leaf, sealer), operational)


def _operational(row: Row, leaf: Leaf, sealer: Sealer) -> Operational | None:
    try:
        sealed = sealer.open(row.ops_owner, _context(leaf.uuid, "operational"), row.ops_sealed)
        body = decode_operational(_committed(sealed, leaf.operational_commitment))
        if row.ops_owner != _operational_owner(body.tenant, body.at):
            raise Damaged(row.idx, "operational")
    except LookupError:
        return None
    except ValueError as failure:
        raise Damaged(row.idx, "operational") from failure
    return body


def _personal(row: Row, leaf: Leaf, sealer: Sealer) -> Personal | None:
    owner = _personal_owner(row.subject, row.ops_owner)
    try:
        sealed = sealer.open(owner, _context(leaf.uuid, "personal"), row.subject_sealed)
        body = decode_personal(_committed(sealed, leaf.personal_commitment))
        if body.subject != row.subject:
            raise Damaged(row.idx, "personal")
    except LookupError:
        return None
    except ValueError as failure:
        raise Damaged(row.idx, "personal") from failure
    return body


def _committed(plaintext: bytes, expected: bytes) -> bytes:
    salt, body = plaintext[:SALT_BYTES], plaintext[SALT_BYTES:]
    if not hmac.compare_digest(commitment(salt, body), expected):
        raise ValueError("the body is not the one committed to")
    return body


def _check_column(value: str, length: int) -> None:
    if len(value) > length or not value.isprintable():
        raise ValueError("a subject or tenant is too long or not printable")


def _personal_owner(subject: str | None, operational_owner: str) -> str:
    return operational_owner if subject is None else f"audit/{subject}"


def _operational_owner(tenant: str, at: datetime) -> str:
    return f"ops/{tenant}/{at.astimezone(UTC):%Y-%m}"


def _context(uuid: UUID, body: str) -> tuple[str, ...]:
    return ("audit", str(uuid), body)
