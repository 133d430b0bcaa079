from __future__ import annotations

from datetime import datetime
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record import (
    ACTIONS,
    KINDS,
    OUTCOMES,
    Action,
    Kind,
    Leaf,
    Outcome,
    bodies,
    commitment,
    decode_operational,
    decode_personal,
)
from tests.audit.ground import AT, an_event

LEAVES = st.builds(
    Leaf,
    st.uuids(),
    st.integers(0, 2**63 - 1),
    st.sampled_from(get_args(Kind)),
    st.sampled_from(get_args(Action)),
    st.sampled_from(get_args(Outcome)),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=32, max_size=32),
)


@given(LEAVES)
def test_leaf_survives_its_encoding_in_93_bytes(leaf):
    assert len(leaf.encode()) == 93
    assert Leaf.decode(leaf.encode()) == leaf


@pytest.mark.parametrize(
    ("at", "value"), [(0, b"\x02"), (25, b"\x7f\xff"), (27, b"X"), (28, b"\x01"), (93, b"more"), (0, b"")]
)
def test_bytes_that_are_no_leaf_are_refused(at, value):
    leaf = Leaf(UUID(int=1), 0, "pull", "read", "success", bytes(32), bytes(32)).encode()
    altered = leaf[:at] + value + leaf[at + len(value) :] if value else leaf[:-1]
    with pytest.raises(ValueError, match="leaf"):
        Leaf.decode(altered)


def test_every_kind_action_and_outcome_has_its_number():
    assert set(KINDS.values()) == set(get_args(Kind))
    assert set(ACTIONS.values()) == set(get_args(Action))
    assert set(OUTCOMES.values()) == set(get_args(Outcome))


def test_what_names_the_patient_is_in_the_personal_body_only():
    personal, operational = bodies(an_event(7, "twin-a", resources=("Patient/jane/_history/1",)))
    assert b"jane" in personal
    assert b"twin-a" in personal
    assert b"jane" not in operational
    assert b"twin-a" not in operational
    assert decode_personal(personal).resources == ("Patient/jane/_history/1",)
    assert decode_operational(operational).names_subject
    assert decode_operational(operational).at == AT


def test_length_of_a_body_tells_little():
    assert {len(body) % 64 for number in range(50) for body in bodies(an_event(10**number))} == {0}


def test_equal_bodies_have_different_commitments():
    body = bodies(an_event())[0]
    assert commitment(b"\x01" * 32, body) != commitment(b"\x02" * 32, body)


def test_event_without_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        an_event(at=datetime(2026, 1, 1))  # noqa: DTZ001  that is the point
