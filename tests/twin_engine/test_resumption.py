from dataclasses import replace
from datetime import timedelta

import pytest

from tests.twin_engine.glucose import GlucoseDecay
from tests.twin_engine.people import AT, WOMAN, measured
from twin_engine.encoding import encode
from twin_engine.fingerprint import code_hash
from twin_engine.resumption import resume, state_at
from twin_engine.store import EvidenceRecord, Snapshot
from twin_engine.twin import Evidence

MODEL = GlucoseDecay()
LATER = AT + timedelta(hours=1)
STATE = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, [measured("glucose", 150)]), AT)
STORED = Snapshot(
    "glucose-decay",
    "1",
    code_hash(MODEL),
    seq=1,
    valid=AT,
    known=AT,
    digest="",
    state=encode(STATE),
    answers=(),
)


def test_an_update_begins_at_the_stored_state_bit_for_bit():
    assert encode(resume(MODEL, STORED, WOMAN, LATER)) == encode(STATE)


@pytest.mark.parametrize(
    "snapshot",
    [None, replace(STORED, model="other"), replace(STORED, version="2"), replace(STORED, code="other")],
)
def test_a_state_of_another_model_version_or_code_is_not_interpreted(snapshot):
    stored = snapshot and replace(snapshot, state=b"of another shape")
    assert encode(resume(MODEL, stored, WOMAN, LATER)) == encode(MODEL.prior(WOMAN, LATER))


def test_a_twin_is_shown_as_it_was_known_before_late_data_and_a_withdrawal():
    early = measured("glucose", 150)
    late = measured("glucose", 90, timedelta(minutes=20), "Observation/late/_history/1")
    records = [EvidenceRecord("Patient/1", "1", None, "", subject=WOMAN)]
    before = state_at(MODEL, [*records, record(early)], None, AT)
    after = state_at(MODEL, [*records, record(early), record(late)], STORED, AT)
    expected = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, [early, late]), AT)
    assert encode(before) == encode(STATE)
    assert encode(after) == encode(expected)


def test_nothing_is_known_of_a_person_before_the_first_reading():
    assert state_at(MODEL, [], None, AT) is None


def record(item):
    return EvidenceRecord(item.source.split("/_history")[0], "1", None, "", items=(item,))
