from dataclasses import replace
from datetime import timedelta

import pytest

from tests.twin_engine.people import AT, found, measured
from twin_engine.model import Signal
from twin_engine.screening import CLOCK_SKEW, doubt, known, lasting, newest, turns
from twin_engine.twin import Absence, Condition

SIGNAL = Signal("egfr", "mL/min/{1.73_m2}", 15, 140, timedelta(days=1))
ANSWER = Signal("smoking-status", "", max_age=timedelta(days=1), values=("never", "current"))


def test_the_newest_value_is_taken_and_at_a_tie_the_largest_source():
    old, new = (
        measured("egfr", 1, timedelta(hours=2)),
        measured("egfr", 2, timedelta(hours=1), "Observation/a"),
    )
    tied = measured("egfr", 1, timedelta(hours=1), "Observation/b")
    assert newest([new, old], "egfr") == new
    assert newest([tied, new], "egfr") == newest([new, tied], "egfr") == tied
    assert newest([new], "creatinine") is None


def test_a_value_of_the_future_is_unknown_beyond_the_skew_of_a_clock():
    near, far = measured("egfr", 1, -CLOCK_SKEW), measured("egfr", 1, -2 * CLOCK_SKEW)
    assert known([near, far], AT) == [near]


@pytest.mark.parametrize(
    ("signal", "item", "code"),
    [
        (SIGNAL, None, "missing-input"),
        (SIGNAL, measured("egfr", 15), None),
        (SIGNAL, measured("egfr", 140), None),
        (SIGNAL, measured("egfr", 14.9), "out-of-range"),
        (SIGNAL, measured("egfr", 140.1), "out-of-range"),
        (SIGNAL, measured("egfr", float("nan")), "out-of-range"),
        (SIGNAL, measured("egfr", 90, timedelta(days=1)), "stale-input"),
        (ANSWER, found("smoking-status", "current"), None),
        (ANSWER, found("smoking-status", "unknown"), "unconfirmed"),
        (ANSWER, found("smoking-status", "never", timedelta(days=1)), "stale-input"),
    ],
)
def test_what_cannot_be_used_has_its_reason(signal, item, code):
    reason = doubt(signal, item, AT)
    assert (reason.code if reason else None) == code


def test_a_reason_names_the_range_and_never_the_value():
    reason = doubt(SIGNAL, measured("egfr", 777), AT)
    assert reason.text == "The newest eGFR is outside 15 to 140 mL/min/{1.73_m2}."
    assert "777" not in reason.text


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("hdl-cholesterol", "HDL cholesterol"),
        ("egfr", "eGFR"),
        ("spo2-scale", "SpO2 scale"),
        ("heart-rate", "heart rate"),
    ],
)
def test_a_reason_writes_names_as_a_clinician_does(name, written):
    assert doubt(replace(SIGNAL, name=name), None, AT).text == f"No {written} is known."


def absent(reason, ago=timedelta(hours=1)):
    return Absence("smoking-status", AT - ago, "Observation/absent/_history/1", reason)


def test_a_reason_says_why_the_record_has_no_value():
    reason = doubt(ANSWER, None, AT, [absent("unknown", timedelta(days=9)), absent("not-asked")])
    assert reason.text == "No smoking status is known; the record says it was not asked."
    assert reason.code == "missing-input"


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(days=2000), "5 years"),
        (timedelta(days=366), "1 year"),
        (timedelta(days=70), "2 months"),
        (timedelta(days=1), "1 day"),
    ],
)
def test_a_stale_value_was_seen_so_long_ago(ago, said):
    reason = doubt(ANSWER, found("smoking-status", "never", ago), AT)
    assert reason.text == f"The newest smoking status is too old (last seen {said} ago)."


def test_only_what_the_record_said_since_explains_a_stale_value():
    old = found("smoking-status", "never", timedelta(hours=50))
    later, earlier = absent("asked-declined"), absent("asked-declined", timedelta(hours=60))
    assert doubt(ANSWER, old, AT, [later]).text.endswith(
        " ago); the record says it was asked and not answered."
    )
    assert doubt(ANSWER, old, AT, [earlier]).text.endswith("(last seen 2 days ago).")
    assert doubt(SIGNAL, None, AT, [later]).text == "No eGFR is known."


def test_an_absence_does_not_take_away_a_value_that_is_young_enough():
    assert doubt(ANSWER, found("smoking-status", "never", timedelta(hours=2)), AT, [absent("masked")]) is None


def test_records_change_what_they_say_at_their_ends_still_to_come():
    ends = [None, AT, AT + timedelta(1)]
    records = [Condition("diabetes", "Condition/1", True, until=end) for end in ends]
    assert turns(records, AT) == [AT + timedelta(1)]
    assert [record.active_at(AT) for record in records] == [True, False, True]


def test_records_of_a_condition_come_in_the_order_of_their_sources():
    one, other = Condition("diabetes", "Condition/1", False), Condition("diabetes", "Condition/2", True)
    assert lasting([other, Condition("asthma", "Condition/0", True), one], "diabetes") == (one, other)
