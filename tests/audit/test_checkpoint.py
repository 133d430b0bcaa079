from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import BadNote, Checkpoint, Signer, verify_checkpoint, verify_note

SIGNER = Signer.from_seed("example.org/log", bytes(32))
OTHER = Signer.from_seed("example.org/log", bytes([1]) * 32)
NOTE = SIGNER.checkpoint(7, b"\x05" * 32)

# The example of golang.org/x/mod/sumdb/note, from which C2SP's signed-note comes.
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_LINE = (
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_published_note_is_verified():
    assert verify_note(f"{GO_TEXT}\n{GO_LINE}".encode(), GO_VKEY) == GO_TEXT


def test_checkpoint_survives_being_signed_and_read():
    assert verify_checkpoint(NOTE, SIGNER.vkey) == Checkpoint("example.org/log", 7, b"\x05" * 32)
    assert NOTE.decode().startswith("example.org/log\n7\nBQUFBQUF")


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_any_altered_bit_is_refused(bit):
    altered = bytearray(NOTE)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadNote):
        verify_checkpoint(bytes(altered), SIGNER.vkey)


@pytest.mark.parametrize("cut", range(1, 40))
def test_shortened_note_is_refused(cut):
    with pytest.raises(BadNote):
        verify_checkpoint(NOTE[:-cut], SIGNER.vkey)


def test_note_of_another_key_of_the_same_name_is_refused():
    with pytest.raises(BadNote, match="not signed by this key"):
        verify_checkpoint(NOTE, OTHER.vkey)


def test_signature_of_another_key_beside_ours_is_ignored():
    line = OTHER.sign(Checkpoint("example.org/log", 7, b"\x05" * 32).text).decode().rpartition("\n\n")[2]
    assert verify_checkpoint(NOTE + line.encode(), SIGNER.vkey).size == 7


def test_one_false_signature_of_ours_condemns_the_note():
    line = SIGNER.sign("something else\n").decode().rpartition("\n\n")[2]
    with pytest.raises(BadNote, match="does not hold"):
        verify_checkpoint(NOTE + line.encode(), SIGNER.vkey)


@pytest.mark.parametrize(
    "text",
    [
        "example.org/log\n07\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n",
        "example.org/log\n-7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n",
        "example.org/log\n7\nBQUF\n",
        "example.org/log\n7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\nextension\n",
        "example.org/other\n7\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n",
        "only a line\n",
    ],
)
def test_signed_text_that_is_no_checkpoint_of_this_log_is_refused(text):
    with pytest.raises(BadNote):
        verify_checkpoint(SIGNER.sign(text), SIGNER.vkey)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        "PeterNeumann+c74f20a3+AR",
        GO_VKEY.replace("Peter", "Paul"),
    ],
)
def test_false_public_key_is_refused(vkey):
    with pytest.raises(BadNote):
        verify_note(NOTE, vkey)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_name_that_would_break_the_note_is_refused(name):
    with pytest.raises(ValueError, match="key name"):
        Signer.from_seed(name, bytes(32))
