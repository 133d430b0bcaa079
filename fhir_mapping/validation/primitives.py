"""The lexical forms of FHIR's primitive types in JSON (https://hl7.org/fhir/R4/datatypes.html#primitive).

The patterns are HL7's, with these readings: whitespace is what ECMA-262 calls so; a string needs a character
beyond space and controls, since one of whitespace alone "would be treated as an invalid element value"; the
year 0000 is no year; base64 is RFC 4648 with whitespace between its characters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MAX_STRING = 1024 * 1024
"""Characters of a string; the limit does not hold for base64Binary and xhtml."""

_SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_YEAR = r"(?!0000)[0-9]{4}"
_DATE = rf"{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_HEX = "[0-9a-f]"
_B64 = "[0-9A-Za-z+/]"
_GAP = r"[ \t\r\n]*+"


@dataclass(frozen=True, slots=True)
class Primitive:
    """``is_json`` rules on the type in JSON, ``accepts`` on the form; ``json`` and ``text`` name them."""

    json: str
    text: str
    is_json: Callable[[Any], bool]
    accepts: Callable[[Any], bool]


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, float, Decimal)


def _is_finite(value: Any) -> bool:
    return isinstance(value, int) or (
        value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
    )


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _matching(pattern: str, text: str) -> Primitive:
    match = re.compile(pattern).fullmatch
    return Primitive("a string", text, _is_string, lambda value: match(value) is not None)


def _short(pattern: str, text: str) -> Primitive:
    match = re.compile(pattern).match
    return Primitive(
        "a string", text, _is_string, lambda value: len(value) <= MAX_STRING and match(value) is not None
    )


def _between(low: int, high: int, text: str) -> Primitive:
    return Primitive("an integer", text, _is_integer, lambda value: low <= value <= high)


_TEXT = _short(r"[\x00-\x20]*+[^\x00-\x20]", "1 to 1,048,576 characters, not all of them whitespace")
_URI = _matching(f"[^{_SPACE}]+", "there must be no whitespace in it")
_LARGEST = 2**31 - 1

PRIMITIVES: dict[str, Primitive] = {
    "base64Binary": _matching(
        rf"{_GAP}(?=\S)(?:(?:{_B64}{_GAP}){{4}})*+(?:(?:{_B64}{_GAP}){{2}}(?:=|{_B64}){_GAP}={_GAP})?+",
        "base64",
    ),
    "boolean": Primitive("true or false", "true or false", _is_boolean, _is_boolean),
    "canonical": _URI,
    "code": _matching(
        f"[^{_SPACE}]+(?: [^{_SPACE}]+)*", "there must be no whitespace in it but single spaces"
    ),
    "date": _matching(
        f"{_YEAR}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?",
        "a year, a month or a day as 2026-01-31",
    ),
    "dateTime": _matching(
        f"{_YEAR}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01])(?:T{_TIME}{_ZONE})?)?)?",
        "a date, or a date and time with seconds and zone",
    ),
    "decimal": Primitive("a number", "a number", _is_number, _is_finite),
    "id": _matching(r"[A-Za-z0-9.-]{1,64}", "1 to 64 letters, digits, hyphens and dots"),
    "instant": _matching(f"{_DATE}T{_TIME}{_ZONE}", "a date and time with seconds and zone"),
    "integer": _between(-(2**31), _LARGEST, "a whole number of 32 bits"),
    "markdown": _TEXT,
    "oid": _matching(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+", "an OID after urn:oid:"),
    "positiveInt": _between(1, _LARGEST, "a whole number from 1 on"),
    "string": _TEXT,
    "time": _matching(_TIME, "a time of day with seconds and without zone"),
    "unsignedInt": _between(0, _LARGEST, "a whole number from 0 on"),
    "uri": _URI,
    "url": _URI,
    "uuid": _matching(
        f"urn:uuid:{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}", "a UUID in small letters after urn:uuid:"
    ),
    "xhtml": _matching(r"\s*<div[\s>/][\s\S]*", "a div element"),
}
