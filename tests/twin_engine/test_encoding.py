from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tests.twin_engine.people import AT, WOMAN, measured
from twin_engine.encoding import (
    Items,
    canonical,
    decode,
    decode_forecasts,
    encode,
    encode_forecasts,
    instant,
    microseconds,
)
from twin_engine.twin import Condition, Evidence, Forecast, Reason, Refusal, Risk, Treatment


@dataclass(frozen=True, slots=True)
class Field:
    x: NDArray[np.float64]
    names: dict[str, float]


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, min_side=0), elements=st.floats()))
def test_an_array_comes_back_bit_for_bit(array):
    back = decode(Field, encode(Field(array, {})))
    assert back.x.shape == array.shape
    assert back.x.tobytes() == array.tobytes()
    assert back.x.flags.writeable


def test_an_array_in_another_memory_order_is_the_same_value():
    array = np.arange(6.0).reshape(2, 3)
    assert encode(Field(np.asfortranarray(array), {})) == encode(Field(array, {}))


def test_the_order_of_a_mapping_is_not_part_of_its_value():
    one, other = {"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}
    assert encode(Field(np.zeros(1), one)) == encode(Field(np.zeros(1), other))


@pytest.mark.parametrize("alien", [np.arange(3), np.zeros(2, dtype=np.float32), object(), 1j])
def test_what_a_state_may_not_hold_is_an_error(alien):
    with pytest.raises(TypeError, match="a state cannot hold"):
        encode(alien)


def test_other_bytes_are_an_error():
    with pytest.raises(ValueError, match="Expected"):
        decode(Field, encode([1, 2]))


def test_answers_come_back_in_their_order():
    risk = Risk("ascvd-10y", AT, 0.1)
    told = Forecast("a", AT, AT + timedelta(1), (risk,), ("Patient/1",), "Because.", score=1.0)
    refused = Refusal("b", AT, (Reason("missing-input", "egfr", "None."),), retry=AT)
    for answers in ((told, refused), (refused, told), ()):
        assert decode_forecasts(encode_forecasts(answers)) == answers


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001  # a bound
def test_microseconds_name_an_instant_exactly(at):
    assert instant(microseconds(at)) == at


def test_records_stored_before_they_had_ends_are_read_as_confirmed_and_open():
    for kind in (Condition, Treatment):
        stored = encode({"name": "diabetes", "source": "Condition/1", "active": True})
        assert decode(kind, stored) == kind("diabetes", "Condition/1", True, None, None, True)


def test_a_record_comes_back_with_its_end_and_its_doubt():
    items = (
        Condition("diabetes", "Condition/1", False, until=AT, confirmed=False),
        Treatment("statin", "MedicationRequest/1", True, AT, AT),
    )
    assert decode(Items, encode(Items.of(items))).all() == items


def test_canonical_evidence_forgets_order_repetition_and_zone():
    one, other = measured("egfr", 90), measured("creatinine", 1)
    zone = timezone(timedelta(hours=5))
    moved = measured("egfr", 90)
    moved = type(moved)(moved.signal, moved.time.astimezone(zone), moved.source, moved.value)
    expected = canonical(Evidence(WOMAN, (one, other)))
    assert canonical(Evidence(WOMAN, (other, moved, other))) == expected
    assert canonical(Evidence(WOMAN, (one,))) != expected
