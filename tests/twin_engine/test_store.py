from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import StaticPool

from tests.twin_engine.people import AT, WOMAN, found, measured
from twin_engine.encoding import decode, encode
from twin_engine.models.prevent import Prevent
from twin_engine.store import (
    EvidenceRecord,
    Snapshot,
    append_snapshot,
    code_hash,
    compact,
    current_evidence,
    evidence_body,
    evidence_digest,
    latest_snapshots,
    metadata,
    put_evidence,
    retract,
    snapshot_at,
    snapshots_since,
)
from twin_engine.twin import Condition, Evidence, Genotype, Treatment

TWIN = "abcdefghijklmnopqrstuvwxyz234567"
OTHER = "zbcdefghijklmnopqrstuvwxyz234567"
LATER = AT + timedelta(minutes=1)


class WrongContext(Exception):
    """What a real sealer raises where owner or context are not the ones sealed with."""


@dataclass
class Box:
    """A sealer that hides nothing legible and opens only under the same owner and context."""

    opened: list[tuple[str, ...]] = field(default_factory=list)

    def seal(self, owner: str, context: tuple[str, ...], plaintext: bytes) -> bytes:
        return encode((owner, context, bytes(byte ^ 0xA5 for byte in plaintext)))

    def open(self, owner: str, context: tuple[str, ...], sealed: bytes) -> bytes:
        self.opened.append(context)
        own, sealed_with, hidden = decode(tuple[str, tuple[str, ...], bytes], sealed)
        if (own, sealed_with) != (owner, context):
            raise WrongContext
        return bytes(byte ^ 0xA5 for byte in hidden)


@pytest.fixture
def connection() -> Iterator[Connection]:
    yield from opened()


def opened() -> Iterator[Connection]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    metadata.create_all(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


RECORD = EvidenceRecord(
    reference="Observation/17",
    version="3",
    last_updated=AT,
    content_hash="ab" * 32,
    items=(
        measured("systolic-blood-pressure", 160.25),
        found("smoking-status", "never"),
        Condition("diabetes", "Condition/1/_history/1", True, AT),
        Treatment("statin", "MedicationRequest/1/_history/1", False),
        Genotype("CYP2C19", "Observation/5/_history/1", "*1/*2", "heterozygous", None),
    ),
    labels=frozenset({"R", "HIV"}),
    reasons=("unit not known",),
    code=("8480-6", "8462-4"),
    body=b'{"resourceType": "Observation"}',
)
PERSON = EvidenceRecord("Patient/1", "1", None, "cd" * 32, subject=WOMAN)


def put(connection, record, key="k1", known=AT, twin=TWIN):
    put_evidence(connection, Box(), twin, record, key=key, known=known)


def test_a_record_comes_back_as_it_was_but_for_its_body(connection):
    put(connection, RECORD)
    put(connection, PERSON, "k2")
    box = Box()
    assert current_evidence(connection, box, TWIN) == (replace(RECORD, body=b""), PERSON)
    assert not any("body" in context[0] for context in box.opened)


def test_the_body_is_opened_only_when_asked_for(connection):
    put(connection, RECORD)
    assert evidence_body(connection, Box(), TWIN, "k1") == RECORD.body
    assert evidence_body(connection, Box(), TWIN, "k9") is None


def test_the_last_version_of_each_key_is_current_and_twins_are_apart(connection):
    newer = replace(RECORD, version="4", items=())
    put(connection, RECORD)
    put(connection, newer, known=LATER)
    put(connection, RECORD, twin=OTHER)
    assert [record.version for record in current_evidence(connection, Box(), TWIN)] == ["4"]
    assert [record.version for record in current_evidence(connection, Box(), OTHER)] == ["3"]


def test_what_is_withdrawn_is_no_longer_known_until_it_returns(connection):
    put(connection, RECORD)
    retract(connection, TWIN, key="k1", known=LATER)
    assert current_evidence(connection, Box(), TWIN) == ()
    assert evidence_body(connection, Box(), TWIN, "k1") is None
    put(connection, replace(RECORD, version="5"), known=LATER)
    assert [record.version for record in current_evidence(connection, Box(), TWIN)] == ["5"]


def test_nothing_is_ever_changed_or_removed(connection):
    put(connection, RECORD)
    put(connection, replace(RECORD, version="4"), known=LATER)
    retract(connection, TWIN, key="k1", known=LATER)
    rows = connection.execute(text("SELECT version, retracted FROM twin_evidence ORDER BY entry")).all()
    assert [tuple(row) for row in rows] == [("3", 0), ("4", 0), (None, 1)]


def test_content_stands_nowhere_in_the_clear(connection):
    put(connection, RECORD)
    append_snapshot(connection, Box(), TWIN, snapshot())
    dump = "\n".join(str(row) for row in connection.connection.iterdump())
    blobs = b"".join(
        value
        for table in ("twin_evidence", "twin_snapshot")
        for row in connection.execute(text(f"SELECT * FROM {table}"))
        for value in row
        if isinstance(value, bytes)
    )
    for secret in ("Observation/17", "smoking", "CYP2C19", "diabetes", "Patient/1", "1975"):
        assert secret not in dump
        assert secret.encode() not in blobs


@pytest.mark.parametrize("column", ["key = 'k2'", "version = '9'", "known = known + 1", "twin = 'other'"])
def test_a_row_passed_off_as_another_is_not_opened(connection, column):
    put(connection, RECORD)
    connection.execute(text(f"UPDATE twin_evidence SET {column}"))
    with pytest.raises(WrongContext):
        current_evidence(connection, Box(), "other" if "twin" in column else TWIN)


MODEL = Prevent()
EVIDENCE = Evidence.of(WOMAN, RECORD.items)


def snapshot(**changed) -> Snapshot:
    state = MODEL.assimilate(MODEL.prior(WOMAN, AT), EVIDENCE, AT)
    plain = Snapshot(
        model=MODEL.card.name,
        version=MODEL.card.version,
        code=code_hash(MODEL),
        seq=1,
        valid=AT,
        known=LATER,
        digest=evidence_digest(EVIDENCE, MODEL),
        state=encode(state),
        answers=MODEL.forecast(state, AT, np.random.default_rng(1)),
    )
    return replace(plain, **changed)


def test_the_last_snapshot_of_each_model_comes_back_and_resumes(connection):
    for one in (snapshot(), snapshot(seq=2), snapshot(model="another", seq=1)):
        append_snapshot(connection, Box(), TWIN, one)
    append_snapshot(connection, Box(), OTHER, snapshot(seq=7))
    assert latest_snapshots(connection, Box(), TWIN) == (snapshot(model="another"), snapshot(seq=2))
    (_, last) = latest_snapshots(connection, Box(), TWIN)
    resumed = decode(MODEL.state_type, last.state)
    assert MODEL.forecast(resumed, AT, np.random.default_rng(1)) == last.answers


def test_the_same_update_may_be_computed_again_when_time_alone_has_passed(connection):
    append_snapshot(connection, Box(), TWIN, snapshot())
    append_snapshot(connection, Box(), TWIN, snapshot(valid=LATER))
    (last,) = latest_snapshots(connection, Box(), TWIN)
    assert last.valid == LATER


@pytest.mark.parametrize(
    "column", ["digest = 'x'", "valid = valid + 1", "seq = 2", "code = 'x'", "version = '0'"]
)
def test_a_snapshot_passed_off_as_another_is_not_opened(connection, column):
    append_snapshot(connection, Box(), TWIN, snapshot())
    connection.execute(text(f"UPDATE twin_snapshot SET {column}"))
    with pytest.raises(WrongContext):
        latest_snapshots(connection, Box(), TWIN)


def test_what_was_known_at_an_instant_stays_askable(connection):
    put(connection, RECORD)
    put(connection, replace(RECORD, version="4"), known=LATER)
    retract(connection, TWIN, key="k1", known=LATER + timedelta(minutes=1))

    def versions(known):
        return [record.version for record in current_evidence(connection, Box(), TWIN, known)]

    assert versions(AT - timedelta(seconds=1)) == []
    assert versions(AT) == ["3"]
    assert versions(LATER) == ["4"]
    assert versions(LATER + timedelta(hours=1)) == []


def test_a_snapshot_is_found_by_what_it_speaks_of_and_by_when_it_was_known(connection):
    later = snapshot(seq=2, valid=LATER, known=LATER + timedelta(hours=1))
    for one in (snapshot(), later):
        append_snapshot(connection, Box(), TWIN, one)

    def found(valid, known):
        return snapshot_at(connection, Box(), TWIN, "prevent", valid, known)

    assert found(AT, AT) is None
    assert found(LATER, LATER) == snapshot()
    assert found(LATER, LATER + timedelta(hours=1)) == later
    assert found(AT, LATER + timedelta(hours=1)) == snapshot()


def test_answers_come_back_in_order_without_states(connection):
    for number in range(3):
        append_snapshot(connection, Box(), TWIN, snapshot(seq=number, valid=AT + timedelta(hours=number)))
    box = Box()
    told = snapshots_since(connection, box, TWIN, "prevent", AT + timedelta(hours=1))
    assert [one.seq for one in told] == [1, 2]
    assert told[0].answers == snapshot().answers
    assert not any("state" in context[0] for context in box.opened)


def test_compaction_keeps_the_last_of_each_day_and_what_predictions_were_based_on(connection):
    for number in range(10):
        known = AT + timedelta(hours=6 * number)  # AT is at noon: two on the first day, then four a day
        append_snapshot(connection, Box(), TWIN, snapshot(seq=number, known=known))
    append_snapshot(connection, Box(), OTHER, snapshot(seq=1))
    assert compact(connection, TWIN, AT + timedelta(hours=54), based=[0, 3]) == 5
    kept = [one.seq for one in snapshots_since(connection, Box(), TWIN, "prevent", AT)]
    assert kept == [0, 1, 3, 5, 9]
    assert latest_snapshots(connection, Box(), OTHER) != ()


def test_instants_of_any_zone_come_back_exact(connection):
    there = datetime(2026, 3, 15, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=13)))
    put(connection, replace(RECORD, last_updated=there), known=there)
    append_snapshot(connection, Box(), TWIN, snapshot(known=there))
    assert current_evidence(connection, Box(), TWIN)[0].last_updated == there
    assert latest_snapshots(connection, Box(), TWIN)[0].known == there


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "retract"])), max_size=12)


@settings(max_examples=30)
@given(STEPS)
def test_what_is_current_is_what_was_last_said_of_each_key(steps):
    source = opened()
    connection = next(source)
    expected: dict[str, str] = {}
    for number, (key, act) in enumerate(steps):
        if act == "put":
            put(connection, replace(RECORD, version=str(number)), key)
            expected[key] = str(number)
        else:
            retract(connection, TWIN, key=key, known=AT)
            expected.pop(key, None)
    told = [record.version for record in current_evidence(connection, Box(), TWIN)]
    assert told == [expected[key] for key in sorted(expected)]
    next(source, None)
