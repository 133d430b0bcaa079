r"""Bytes are checked before anything is built from them.

Every check is linear in the size of the body, and none of them recurses. The parser is orjson: it
refuses ``NaN``, ``Infinity``, ``1e400``, invalid UTF-8, a byte order mark, comments, raw control
characters and lone surrogates. What it lets through is refused here: great size, depth and node counts,
numbers that run on, ``\u0000``, and a key that stands twice in one object, of which two readers could take
different values.

A number too small for a float (``1e-10000000``) is read as 0, from which it differs by less than 5e-324.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import orjson

from fhir_mapping.errors import Unusable


@dataclass(frozen=True, slots=True)
class Limits:
    """``size`` in bytes; ``nodes`` counts ``, { [`` wherever they stand; ``number`` in characters."""

    size: int = 5 * 1024 * 1024
    depth: int = 64
    nodes: int = 200_000
    number: int = 32


DEFAULT = Limits()
BUNDLE = Limits(size=20 * 1024 * 1024, nodes=2_000_000)

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NUMBER_BYTES = b"+-.0123456789Ee"
_AS_NUMBER = bytes(0x30 if byte in _NUMBER_BYTES else 0x20 for byte in range(256))
# As signed bytes: one level down, one level up.
_LEVELS = bytes.maketrans(b"{[}]", b"\x01\x01\xff\xff")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")


def parse(body: bytes, limit: Limits = DEFAULT) -> Any:
    """Return the JSON value of ``body``.

    Raises
    ------
    Unusable
        For anything else than well-formed JSON within ``limit``; never another exception.
    """
    _check_size(body, limit)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unusable("structure", "the body is not well-formed JSON in UTF-8") from None
    _check_text(body, limit)
    # A key that went lost took its quotes along; one that is spelled with escapes may be any.
    if b"\\u" in body or orjson.dumps(value).count(b'"') != body.count(b'"'):
        json.loads(body, object_pairs_hook=_unique)
    return value


def resource(body: bytes, limit: Limits = DEFAULT) -> dict[str, Any]:
    """Return the resource in ``body``: an object that names its ``resourceType``."""
    value = parse(body, limit)
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise Unusable("structure", "the body is not a FHIR resource")
    return value


def _check_size(body: bytes, limit: Limits) -> None:
    if len(body) > limit.size:
        raise Unusable("too-long", "the body is larger than allowed", 413)
    if len(body) > limit.nodes and body.count(b",") + body.count(b"{") + body.count(b"[") > limit.nodes:
        raise Unusable("too-long", "the body has more elements than allowed", 413)


def _check_text(body: bytes, limit: Limits) -> None:
    """Check what only shows outside strings; well-formed JSON makes the stripping linear.

    The strings are stripped only where the body as it stands could hold something wrong. Brackets of
    well-formed JSON come in pairs, so twice as many as the depth allows must be there.
    """
    too_long = b"0" * (limit.number + 1)
    may_be_deep = len(body.translate(None, _NOT_BRACKETS)) > 2 * limit.depth
    if may_be_deep or too_long in body.translate(_AS_NUMBER):
        bare = _STRING.sub(b'""', body)
        if may_be_deep and _depth(bare) > limit.depth:
            raise Unusable("structure", "the body is nested deeper than allowed")
        if too_long in bare.translate(_AS_NUMBER):
            raise Unusable("value", "a number has more characters than allowed")
    if b"\\" in body and b"\\u0000" in body and _NUL.search(body):
        raise Unusable("value", "a string holds the character NUL")


def _depth(bare: bytes) -> int:
    levels = memoryview(bare.translate(_LEVELS, _NOT_BRACKETS)).cast("b")
    return max(accumulate(levels), default=0)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unusable("structure", "an object names a key twice")
    return found
