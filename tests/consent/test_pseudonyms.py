import re
from base64 import b32encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.framing import framed
from consent.pseudonyms import Pseudonyms

KEY = bytes(range(32))
parts = st.lists(st.text(max_size=5), max_size=4)


@given(parts)
def test_an_identifier_is_32_characters_that_fhir_and_urls_take(some):
    assert re.fullmatch("[a-z2-7]{32}", Pseudonyms(KEY).of(*some))


@given(parts, parts)
def test_different_parts_never_meet(some, others):
    assert (framed(*some) == framed(*others)) == (some == others)
    assert (Pseudonyms(KEY).of(*some) == Pseudonyms(KEY).of(*others)) == (some == others)


def test_where_one_part_ends_matters():
    assert Pseudonyms(KEY).of("a", "bc") != Pseudonyms(KEY).of("ab", "c")


def test_identifiers_stay_the_same_from_release_to_release():
    assert Pseudonyms(KEY).of("north", "Patient/1") == "vtw4wfjepbxb64ytnging7wvduafitua"


def test_another_key_gives_other_identifiers():
    assert Pseudonyms(KEY).of("a") != Pseudonyms(KEY[::-1]).of("a")


def test_a_digest_is_32_bytes_and_independent_of_the_identifier():
    digest = Pseudonyms(KEY).digest("a")
    assert len(digest) == 32
    assert Pseudonyms(KEY).of("a") != b32encode(digest[:20]).decode().lower()


@pytest.mark.parametrize("length", [0, 16, 31])
def test_a_short_key_is_refused(length):
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(bytes(length))
