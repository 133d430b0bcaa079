import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import guard
from fhir_mapping.errors import Unusable

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
HOSTILE = {
    "empty": (b"", 400),
    "not a number": (b'{"value":NaN}', 400),
    "infinity": (b'{"value":Infinity}', 400),
    "overflow": (b'{"value":1e400}', 400),
    "huge exponent": (b'{"value":1e10000000}', 400),
    "a hundred digits": (b'{"value":' + b"9" * 100 + b"}", 400),
    "33 characters that are finite": (b'{"value":0.' + b"1" * 31 + b"}", 400),
    "nul": (b'{"id":"a\\u0000b"}', 400),
    "lone surrogate": (b'{"id":"\\ud800"}', 400),
    "byte order mark": (b'\xef\xbb\xbf{"id":"a"}', 400),
    "utf-16": ('{"id":"a"}'.encode("utf-16"), 400),
    "invalid utf-8": (b'{"id":"\xff"}', 400),
    "overlong utf-8": (b'{"id":"\xc0\xaf"}', 400),
    "arrays 65 deep": (b"[" * 65 + b"]" * 65, 400),
    "objects 65 deep": (b'{"a":' * 65 + b"1" + b"}" * 65, 400),
    "arrays 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, 400),
    "objects 100,000 deep, never closed": (b'{"a":' * 100_000, 400),
    "5 MB and a byte": (b'"' + b"x" * (5 * 1024 * 1024 - 1) + b'"', 413),
    "a million empty objects": (b"[" + b"{}," * 1_000_000 + b"{}]", 413),
    "escaped quotes, never closed": (b'"' + b'\\"' * 1_000_000, 400),
    "two values": (b"{}{}", 400),
    "a hundred thousand digits": (b'{"value":' + b"9" * 100_000 + b"}", 400),
    "a hundred thousand digits after the point": (b'{"value":0.' + b"0" * 100_000 + b"1}", 400),
    "a long exponent": (b'{"value":1e-' + b"0" * 40 + b"1}", 400),
    "a number behind a string that hides it": (b'{"a":"\\"","value":' + b"9" * 33 + b"}", 400),
    "depth behind strings that hide it": (b'["]",' * 65 + b"1" + b"]" * 65, 400),
    "a leading zero": (b'{"value":01}', 400),
    "a leading plus": (b'{"value":+1}', 400),
    "a hexadecimal number": (b'{"value":0x10}', 400),
    "a trailing comma": (b'{"value":1,}', 400),
    "a raw control character": (b'{"id":"a\x01b"}', 400),
    "a raw nul": (b'{"id":"a\x00b"}', 400),
    "a lone second surrogate": (b'{"id":"\\udc00"}', 400),
    "surrogates in utf-8": (b'{"id":"\xed\xa0\x80"}', 400),
    "a comment": (b"{/* */}", 400),
}


@pytest.mark.parametrize(("body", "status"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused(body, status):
    with pytest.raises(Unusable) as raised:
        guard.parse(body)
    assert raised.value.status == status


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(body):
    with contextlib.suppress(Unusable):
        guard.resource(body)


@given(JSON)
def test_honest_json_is_read_as_it_is(value):
    body = json.dumps(value, ensure_ascii=False).encode()
    if "\\u0000" in body.decode():
        with pytest.raises(Unusable):
            guard.parse(body)
    else:
        assert guard.parse(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"' + b"9" * 100 + b'"}',
        b'{"text":"' + b"[" * 100 + b'"}',
        b'{"text":"\\\\u0000"}',
        b'{"text":"a \\" quoted \\\\ [[[ 123e-999"}',
        b"[" * 64 + b"]" * 64,
    ],
)
def test_what_only_looks_hostile_is_read(body):
    assert guard.parse(body) == json.loads(body)


@pytest.mark.parametrize(
    ("lexeme", "value"),
    [(b"-0", 0), (b"-0.0", 0.0), (b"1e-10000000", 0.0), (b"1E2", 100.0), (b"0.40", 0.4), (b"9" * 32, 1e32)],
)
def test_a_number_in_an_odd_form_is_read_as_what_it_is(lexeme, value):
    assert guard.parse(b'{"value":' + lexeme + b"}") == {"value": value}


TWICE = b'{"resourceType":"%s","provision":{"type":"deny","type":"permit"}}'
IN_A_BUNDLE = b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}},{"resource":%s}]}'


@pytest.mark.parametrize("kind", [b"Consent", b"Observation", b"Con\\u0073ent"])
def test_a_key_that_stands_twice_is_refused_however_deep(kind):
    for body in (TWICE % kind, IN_A_BUNDLE % (TWICE % kind)):
        with pytest.raises(Unusable, match="twice"):
            guard.resource(body)


@pytest.mark.parametrize(
    "bundle",
    [
        b'{"resourceType":"Bundle"}',
        b'{"resourceType":"Bundle","entry":7}',
        b'{"resourceType":"Bundle","entry":[7,{},{"resource":[]},{"resource":{"resourceType":["Consent"]}}]}',
    ],
)
def test_a_bundle_of_anything_else_is_read(bundle):
    assert guard.resource(bundle)["resourceType"] == "Bundle"


PIECES = {
    "objects": b'{"a":1},',
    "chains": b"[" * 60 + b"]" * 60 + b",",
    "texts": b'"a text [with] {brackets} and 12345678901234567890123456789012345",',
    "escapes": b'"\\\\\\"\\n\\u0001",',
    "backslashes": b'"' + b"\\\\" * 100 + b'",',
    "numbers": b"1234567890.123456789,",
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_a_body_of_a_megabyte_is_read_to_its_end(piece):
    """Were a step to begin anew at each byte, this would run for hours."""
    count = 1024 * 1024 // len(piece)
    body = b"[" + piece * count + b"0]"
    assert guard.parse(body, guard.Limits(nodes=10**9)) == [*[json.loads(piece[:-1])] * count, 0]
