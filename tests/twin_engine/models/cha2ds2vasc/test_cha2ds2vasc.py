from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations

import numpy as np
import pytest

from tests.twin_engine.people import AT, MAN, WOMAN, aged, forecast, reasons
from twin_engine.check import check_model
from twin_engine.models.cha2ds2vasc import Cha2ds2Vasc
from twin_engine.models.cha2ds2vasc.points import POINTS, Profile, grade, score, without_sex
from twin_engine.twin import UNREAD_MEDICATION, Condition, Evidence, Plan, Refusal, Treatment

MODEL = Cha2ds2Vasc()
DAY = timedelta(days=1)
FIBRILLATION = Condition("atrial-fibrillation", "Condition/af/_history/1", True)


def having(*names: str) -> tuple[Condition, ...]:
    return (FIBRILLATION, *(Condition(name, f"Condition/{name}/_history/1", True) for name in names))


def test_the_worked_example_is_reproduced():
    # MedCalc-Bench (doi 10.48550/arXiv.2406.12036): a man of 62 years after a stroke has 2 points.
    told = forecast(MODEL, aged(MAN, 62), *having("stroke-or-thromboembolism"))
    assert told.score == 2


@pytest.mark.parametrize(("age", "points"), [(64, 0), (65, 1), (74, 1), (75, 2)])
def test_age_gives_its_points_from_65_and_75_years(age, points):
    assert score(Profile("male", age, frozenset())) == points
    assert score(Profile("female", age, frozenset())) == points + 1


def test_every_combination_of_conditions_adds_up():
    every = chain.from_iterable(combinations(POINTS, number) for number in range(len(POINTS) + 1))
    worth = {"stroke-or-thromboembolism": 2}
    for names in every:
        profile = Profile("female", 80, frozenset(names))
        assert score(profile) == 3 + sum(worth.get(name, 1) for name in names)
        assert without_sex(profile) == score(profile) - 1
    assert score(Profile("female", 75, frozenset(POINTS))) == 9


@pytest.mark.parametrize(
    ("sex", "names", "expected"),
    [
        ("male", (), "low"),
        ("female", (), "low"),
        ("male", ("diabetes",), "moderate"),
        ("female", ("diabetes",), "moderate"),
        ("male", ("diabetes", "hypertension"), "high"),
        ("female", ("stroke-or-thromboembolism",), "high"),
    ],
)
def test_the_grade_does_not_turn_on_the_sex(sex, names, expected):
    assert grade(Profile(sex, 50, frozenset(names))) == expected


def test_it_keeps_the_contract():
    check_model(MODEL)


def test_a_clinician_reads_both_scores_and_the_rate():
    told = forecast(MODEL, aged(WOMAN, 70), *having("hypertension", "diabetes"))
    assert told.rationale.startswith("CHA2DS2-VASc 4 of 9, CHA2DS2-VA 3 of 8: high risk")
    assert [(risk.outcome, risk.qualitative, risk.probability) for risk in told.risks] == [
        ("thromboembolism", "high", None),
        ("ischaemic-stroke-1y", None, 0.048),
    ]
    assert sum(part.weight for part in told.contributions) == told.score == 4
    assert "Hypertension yes: 1 point." in {part.text for part in told.contributions}


ANTICOAGULANT = Treatment("anticoagulant", "MedicationRequest/1/_history/1", True)


@pytest.mark.parametrize(
    "taken",
    [
        ANTICOAGULANT,
        replace(ANTICOAGULANT, active=False, confirmed=False),
        Treatment(UNREAD_MEDICATION, "MedicationRequest/1/_history/1", active=False, confirmed=False),
    ],
)
def test_rates_without_anticoagulation_are_left_out_while_one_is_or_may_be_taken(taken):
    told = forecast(MODEL, WOMAN, *having(), taken)
    assert [risk.outcome for risk in told.risks] == ["thromboembolism"]
    assert taken.source in told.basis
    assert any("may be taken" in note for note in told.notes)
    ending = replace(taken, until=AT + DAY)
    assert forecast(MODEL, WOMAN, *having(), ending).expires == AT + DAY


def test_an_anticoagulant_that_was_stopped_does_not_count():
    told = forecast(MODEL, WOMAN, *having(), replace(ANTICOAGULANT, active=False))
    assert len(told.risks) == 2


def test_without_atrial_fibrillation_there_is_no_score():
    assert reasons(MODEL, WOMAN) == {("out-of-scope", "atrial-fibrillation")}
    assert reasons(MODEL, WOMAN, replace(FIBRILLATION, confirmed=False)) == {
        ("unconfirmed", "atrial-fibrillation")
    }


@pytest.mark.parametrize("name", POINTS)
def test_a_condition_that_cannot_be_read_is_neither_yes_nor_no(name):
    doubtful = Condition(name, "Condition/9/_history/1", active=False, confirmed=False)
    assert reasons(MODEL, WOMAN, FIBRILLATION, doubtful) == {("unconfirmed", name)}


def test_the_score_is_followed_over_the_ages_and_has_nothing_to_plan():
    subject = aged(MAN, 64)
    state = MODEL.assimilate(MODEL.prior(subject, AT), Evidence.of(subject, having()), AT)
    rng = np.random.default_rng(1)
    path = MODEL.simulate(state, Plan(), datetime(2027, 4, 1, tzinfo=UTC), rng)
    assert path.values == {"cha2ds2-vasc": (0.0, 1.0)}
    planned = MODEL.simulate(state, Plan({}, {"anticoagulant": True}), AT + DAY, rng)
    assert isinstance(planned, Refusal)
