"""What one audit entry says: who did what to whose data, why, and how it ended.

An entry is kept in three pieces, because they live differently long. The leaf holds what is in the
tree for ever and names nobody. The personal body (subject, resources) is readable as long as the
subject's audit key exists, the operational body as long as the key of its tenant and month does.
The leaf commits to both bodies by HMAC-SHA256 under a random salt that is kept inside the sealed
body only: with the key gone the commitment can be neither opened nor guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec

Kind = Literal[
    "notification",
    "consent-decision",
    "pull",
    "twin-update",
    "twin-read",
    "assessment-write",
    "disclosure",
    "token",
    "key",
    "policy",
    "audit-read",
    "lifecycle",
]
Action = Literal["create", "read", "update", "delete", "execute"]
Outcome = Literal["success", "minor-failure", "serious-failure", "major-failure"]

# The numbers stand in leaves for ever: never renumber, only add.
KINDS: Final[dict[int, Kind]] = {
    1: "notification",
    2: "consent-decision",
    3: "pull",
    4: "twin-update",
    5: "twin-read",
    6: "assessment-write",
    7: "disclosure",
    8: "token",
    9: "key",
    10: "policy",
    11: "audit-read",
    12: "lifecycle",
}
# FHIR R4 AuditEvent.action (C, R, U, D, E) and AuditEvent.outcome (0, 4, 8, 12).
ACTIONS: Final[dict[int, Action]] = {
    ord("C"): "create",
    ord("R"): "read",
    ord("U"): "update",
    ord("D"): "delete",
    ord("E"): "execute",
}
OUTCOMES: Final[dict[int, Outcome]] = {
    0: "success",
    4: "minor-failure",
    8: "serious-failure",
    12: "major-failure",
}
_KIND_CODES = {name: code for code, name in KINDS.items()}
_ACTION_CODES = {name: code for code, name in ACTIONS.items()}
_OUTCOME_CODES = {name: code for code, name in OUTCOMES.items()}

SALT_BYTES: Final = 32
_VERSION = 1
_LEAF = struct.Struct(">B16sQHBB32s32s")
_PAD = 64  # the length of a ciphertext tells little: bodies are padded to a multiple of this
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """One act.

    ``subject`` is the twin's opaque identifier, None where no one person is concerned. ``resources``
    are references with version and may name the hospital's identifiers: they are sealed with the
    subject's audit key and vanish with it. Everything else stays readable when a subject is erased,
    so it never holds personal data.

    Raises
    ------
    ValueError
        Where ``at`` has no time zone.
    """

    kind: Kind
    action: Action
    outcome: Outcome
    tenant: str
    actor: str
    at: datetime
    purpose: str | None = None
    subject: str | None = None
    detail: str = ""
    request: str | None = None
    resources: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an event's instant needs a time zone")


@dataclass(frozen=True, slots=True)
class Personal:
    """The part of an event that vanishes with its subject's audit key."""

    subject: str | None
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operational:
    """The part of an event that stays readable when a subject is erased.

    Kind, action and outcome stand in the leaf. ``names_subject`` tells an erased subject from none.
    """

    tenant: str
    actor: str
    at: datetime
    purpose: str | None
    detail: str
    request: str | None
    attributes: tuple[tuple[str, str], ...]
    names_subject: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the tree holds of an entry: 93 bytes that name nobody."""

    uuid: UUID
    recorded_us: int
    kind: Kind
    action: Action
    outcome: Outcome
    personal_commitment: bytes
    operational_commitment: bytes

    @property
    def recorded(self) -> datetime:
        """The instant at which the log took the event, UTC."""
        return _EPOCH + timedelta(microseconds=self.recorded_us)

    def encode(self) -> bytes:
        """Version, uuid, microseconds, kind, action, outcome and both commitments, big-endian."""
        return _LEAF.pack(
            _VERSION,
            self.uuid.bytes,
            self.recorded_us,
            _KIND_CODES[self.kind],
            _ACTION_CODES[self.action],
            _OUTCOME_CODES[self.outcome],
            self.personal_commitment,
            self.operational_commitment,
        )

    @classmethod
    def decode(cls, data: bytes) -> Leaf:
        """Raise ValueError where the bytes are not a leaf of this version."""
        try:
            version, uuid, recorded_us, kind, action, outcome, personal, operational = _LEAF.unpack(data)
            if version != _VERSION:
                raise ValueError(f"leaf version {version} is unknown")
            return cls(
                UUID(bytes=uuid),
                recorded_us,
                KINDS[kind],
                ACTIONS[action],
                OUTCOMES[outcome],
                personal,
                operational,
            )
        except (struct.error, KeyError) as failure:
            raise ValueError("not a leaf") from failure


_PERSONAL = msgspec.json.Decoder(Personal)
_OPERATIONAL = msgspec.json.Decoder(Operational)


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def bodies(event: Event) -> tuple[bytes, bytes]:
    """Encode the personal and the operational body."""
    personal = Personal(event.subject, event.resources)
    operational = Operational(
        event.tenant,
        event.actor,
        event.at,
        event.purpose,
        event.detail,
        event.request,
        event.attributes,
        event.subject is not None,
    )
    return _encode(personal), _encode(operational)


def decode_personal(body: bytes) -> Personal:
    """Raise ValueError where the bytes are not a personal body."""
    return _PERSONAL.decode(body)


def decode_operational(body: bytes) -> Operational:
    """Raise ValueError where the bytes are not an operational body."""
    return _OPERATIONAL.decode(body)


def commitment(salt: bytes, body: bytes) -> bytes:
    """HMAC-SHA256 of the exact body bytes under the salt."""
    return hmac.digest(salt, body, hashlib.sha256)


def _encode(body: Personal | Operational) -> bytes:
    encoded = msgspec.json.encode(body)
    # White space after a JSON text is no part of its value (RFC 8259, section 2).
    return encoded.ljust(-(-len(encoded) // _PAD) * _PAD)
