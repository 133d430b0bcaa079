"""Values of the engine as bytes and back, bit for bit.

MessagePack; a float64 array travels as its shape and its little-endian bytes in C order. Instants lose
their zone, not their value: they come back in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, get_origin

import msgspec
import numpy as np

from twin_engine.threads import ready
from twin_engine.twin import (
    KINDS,
    Absence,
    Condition,
    Dose,
    Evidence,
    Finding,
    Forecast,
    Genotype,
    Implication,
    Item,
    Measurement,
    Refusal,
    Relative,
    Series,
    Treatment,
)

T = TypeVar("T")
LITTLE_ENDIAN_FLOAT64 = np.dtype("<f8")


class Items(msgspec.Struct, frozen=True, array_like=True):
    """Items sorted by kind: MessagePack cannot tell dataclasses apart."""

    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()
    conditions: tuple[Condition, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    genotypes: tuple[Genotype, ...] = ()
    absences: tuple[Absence, ...] = ()
    series: tuple[Series, ...] = ()
    doses: tuple[Dose, ...] = ()
    relatives: tuple[Relative, ...] = ()
    implications: tuple[Implication, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Item]) -> Items:
        """Sort ``items`` by kind; within a kind their order is kept."""
        found: dict[str, list[Any]] = {name: [] for name in KINDS.values()}
        for item in items:
            found[KINDS[type(item)]].append(item)
        return cls(**{name: tuple(each) for name, each in found.items()})

    def all(self) -> tuple[Item, ...]:
        """Return every item, kind after kind."""
        return tuple(item for name in KINDS.values() for item in getattr(self, name))


def encode(value: object) -> bytes:
    """Return ``value`` as bytes: equal values of one type give equal bytes.

    Raises
    ------
    TypeError
        If it holds something else than the fields a state may have.
    """
    return _ENCODER.encode(value)


def decode(kind: type[T], encoded: bytes) -> T:
    """Return the value of type ``kind``.

    Raises
    ------
    ValueError
        If the bytes are not such a value.
    """
    return msgspec.msgpack.decode(encoded, type=ready(kind), dec_hook=_array_from)


def encode_forecasts(forecasts: Iterable[Forecast | Refusal]) -> bytes:
    """Return the answers of a model as bytes, in their order."""
    return encode(
        [(answer, None) if isinstance(answer, Forecast) else (None, answer) for answer in forecasts]
    )


def decode_forecasts(encoded: bytes) -> tuple[Forecast | Refusal, ...]:
    """Return the answers of a model."""
    pairs = _ANSWERS.decode(encoded)
    return tuple(answer for pair in pairs for answer in pair if answer is not None)


def canonical(evidence: Evidence) -> bytes:
    """Return ``evidence`` as bytes; equal sets of items give equal bytes, whatever their order."""
    return encode(Evidence.of(evidence.subject, evidence.all()))


def microseconds(at: datetime) -> int:
    """Return an aware instant as microseconds since 1970 UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(microseconds: int) -> datetime:
    """Return the instant (UTC) of ``microseconds``."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _array_to(value: Any) -> Any:  # the hook's own signature
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return (value.shape, value.astype(LITTLE_ENDIAN_FLOAT64, order="C").tobytes())
    raise TypeError(f"a state cannot hold {type(value).__name__}")


def _array_from(kind: Any, value: Any) -> Any:  # the hook's own signature
    if (get_origin(kind) or kind) is not np.ndarray:
        raise TypeError(f"a state cannot hold {kind}")
    shape, content = value
    return np.frombuffer(content, LITTLE_ENDIAN_FLOAT64).astype(np.float64).reshape(shape)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENCODER = msgspec.msgpack.Encoder(enc_hook=_array_to, order="deterministic")
_ANSWERS = msgspec.msgpack.Decoder(tuple[tuple[Forecast | None, Refusal | None], ...])
