import contextlib
import json
import time

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
    "a comment": (b"{/* */}", 400),
}


@pytest.mark.parametrize(("body", "status"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_quickly(body, status):
    begun = time.perf_counter()
    with pytest.raises(Unusable) as raised:
        guard.parse(body)
    assert raised.value.status == status
    assert time.perf_counter() - begun < 1


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


def test_a_key_that_stands_twice_is_refused_where_it_matters():
    body = b'{"resourceType":"Consent","provision":{"type":"deny","type":"permit"}}'
    assert guard.resource(body)["provision"]["type"] == "permit"
    with pytest.raises(Unusable):
        guard.resource(body, unique_keys=True)


def test_refusal_never_quotes_the_input():
    with pytest.raises(Unusable) as raised:
        guard.parse(b'{"name":"Marked Patient", oops}')
    assert "Marked" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("body", [b"[]", b"3", b"{}", b'{"resourceType":7}'])
def test_what_is_no_resource_is_refused(body):
    with pytest.raises(Unusable):
        guard.resource(body)
