import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.twin_engine.people import (
    AT,
    MAN,
    WOMAN,
    aged,
    forecast,
    found,
    measured,
    reasons,
    refusal,
    without,
)
from twin_engine.check import check_model
from twin_engine.equations import ckd_epi
from twin_engine.models.score2 import Score2
from twin_engine.models.score2.equations import REGIONS, Profile, baseline
from twin_engine.models.score2.narrative import category
from twin_engine.twin import Condition, Evidence, Plan, Refusal, Trajectory

MODEL = Score2.of("low")
DAY = timedelta(days=1)
MMOL = 1 / 0.02586
ITEMS = (
    measured("systolic-blood-pressure", 140),
    measured("total-cholesterol", 6.3 * MMOL),
    measured("hdl-cholesterol", 1.4 * MMOL),
    found("smoking-status", "current"),
)
ONSET = datetime(2016, 3, 1, tzinfo=UTC)


def diabetes(name="type-2-diabetes", onset=ONSET, active=True, **changes):
    """Return the two records that one diagnosis gives."""
    source = "Condition/1/_history/1"
    return tuple(Condition(each, source, active, onset=onset, **changes) for each in ("diabetes", name))


DIABETIC = (
    *without(ITEMS, "smoking-status"),
    found("smoking-status", "never"),
    measured("hba1c", 7),
    measured("egfr", 80),
    *diabetes(),
)


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_keeps_the_contract(region):
    model = Score2.of(region)
    check_model(model)
    assert model.card.name == f"score2-{region}"


def test_the_published_smoker_gets_the_published_risk_and_reads_it():
    told = forecast(MODEL, MAN, *ITEMS)
    (risk,) = told.risks
    assert (risk.outcome, round(100 * risk.probability, 1)) == ("cardiovascular-event-10y", 6.3)
    assert risk.until == datetime(2036, 3, 15, 12, tzinfo=UTC)
    assert told.rationale.startswith("SCORE2 for a man of 50 years in a low risk region")
    assert "high risk by the guideline" in told.rationale
    assert set(told.basis) == {MAN.source, *(item.source for item in ITEMS)}


def test_contributions_add_up_to_the_logarithm_of_the_hazard():
    told = forecast(MODEL, WOMAN, *DIABETIC)
    profile = MODEL.select(
        MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(WOMAN, DIABETIC), AT), AT
    ).profile
    moved = math.fsum(part.weight for part in told.contributions)
    hazard = math.log(-math.log1p(-told.risks[0].probability))
    assert baseline(profile, "low") + moved == pytest.approx(hazard, abs=1e-9)
    assert {part.signal for part in told.contributions} >= {"type-2-diabetes", "hba1c", "egfr"}


def test_from_70_years_score2_op_holds():
    told = forecast(MODEL, aged(MAN, 75), *ITEMS)
    assert told.rationale.startswith("SCORE2-OP for a man of 75 years")
    assert forecast(MODEL, aged(MAN, 69), *ITEMS).rationale.startswith("SCORE2 for")


@pytest.mark.parametrize(("age", "spoken"), [(39, False), (40, True), (89, True), (90, False)])
def test_ages_40_to_89_are_in_scope(age, spoken):
    state = MODEL.assimilate(MODEL.prior(WOMAN, AT), Evidence.of(aged(WOMAN, age), ITEMS), AT)
    (answer,) = MODEL.forecast(state, AT, np.random.default_rng(1))
    assert isinstance(answer, Refusal) is not spoken


def test_type_2_diabetes_takes_the_age_at_its_onset():
    told = forecast(MODEL, WOMAN, *DIABETIC)
    assert told.rationale.startswith("SCORE2-Diabetes for a woman of 50 years")
    items = tuple(item for item in DIABETIC if not isinstance(item, Condition))
    longer = forecast(MODEL, WOMAN, *items, *diabetes(onset=datetime(2001, 3, 1, tzinfo=UTC)))
    assert longer.risks[0].probability > told.risks[0].probability


def test_creatinine_gives_the_egfr_of_score2_diabetes():
    rest = without(DIABETIC, "egfr")
    told = forecast(MODEL, WOMAN, *rest, measured("creatinine", 0.8))
    same = forecast(MODEL, WOMAN, *rest, measured("egfr", ckd_epi.egfr(0.8, 50, "female")))
    assert told.risks == same.risks
    assert any("CKD-EPI 2021" in note for note in told.notes)


@pytest.mark.parametrize("signal", ["hba1c", "egfr"])
def test_in_diabetes_what_score2_diabetes_adds_is_needed(signal):
    assert reasons(MODEL, WOMAN, *without(DIABETIC, signal)) == {("missing-input", signal)}
    assert forecast(MODEL, WOMAN, *ITEMS)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (diabetes(onset=None), ("missing-input", "type-2-diabetes")),
        (diabetes(onset=datetime(1970, 1, 1, tzinfo=UTC)), ("missing-input", "type-2-diabetes")),
        (diabetes()[:1], ("out-of-scope", "type-2-diabetes")),
        (diabetes(confirmed=False), ("unconfirmed", "diabetes")),
    ],
)
def test_a_diabetes_of_unknown_type_or_onset_is_refused(records, reason):
    items = tuple(item for item in DIABETIC if not isinstance(item, Condition))
    assert reasons(MODEL, WOMAN, *items, *records) == {reason}


def test_type_1_diabetes_and_type_2_from_70_years_are_out_of_scope():
    items = tuple(item for item in DIABETIC if not isinstance(item, Condition))
    assert ("out-of-scope", "type-1-diabetes") in reasons(MODEL, WOMAN, *items, *diabetes("type-1-diabetes"))
    assert reasons(MODEL, aged(WOMAN, 70), *DIABETIC) == {("out-of-scope", "birth-date")}


def test_an_ended_diabetes_counts_as_none():
    ended = forecast(MODEL, WOMAN, *ITEMS, *diabetes(active=False))
    assert ended.risks == forecast(MODEL, WOMAN, *ITEMS).risks


@pytest.mark.parametrize(
    "name", ["cardiovascular-disease", "heart-failure", "familial-hypercholesterolaemia"]
)
@pytest.mark.parametrize("active", [True, False])
def test_known_disease_active_or_past_is_out_of_scope(name, active):
    record = Condition(name, "Condition/9/_history/1", active)
    assert reasons(MODEL, WOMAN, *ITEMS, record) == {("out-of-scope", name)}
    assert reasons(MODEL, WOMAN, *ITEMS, replace(record, confirmed=False)) == {("unconfirmed", name)}


def test_who_is_too_young_may_ask_again_at_40():
    assert refusal(MODEL, aged(WOMAN, 39), *ITEMS).retry == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "diabetic", "percent", "expected"),
    [
        (49, False, 2.4, "low to moderate"),
        (49, False, 2.5, "high"),
        (49, False, 7.5, "very high"),
        (50, False, 4.9, "low to moderate"),
        (69, False, 10, "very high"),
        (70, False, 7.4, "low to moderate"),
        (70, False, 15, "very high"),
        (60, True, 4.9, "low"),
        (60, True, 5, "moderate"),
        (60, True, 10, "high"),
        (60, True, 20, "very high"),
    ],
)
def test_the_category_is_the_guidelines_for_the_age(age, diabetic, percent, expected):
    profile = Profile("male", age, 140, 200, 50, smoking=False, diabetes=object() if diabetic else None)
    assert category(profile, percent / 100) == expected


def test_the_path_of_a_plan_goes_on_through_70_years_and_ends_in_diabetes():
    until = datetime(2036, 3, 15, 12, tzinfo=UTC)
    rng = np.random.default_rng(1)

    def path(items, plan) -> Trajectory:
        subject = aged(WOMAN, 65)
        state = MODEL.assimilate(MODEL.prior(subject, AT), Evidence.of(subject, items), AT)
        return MODEL.simulate(state, plan, until, rng)

    as_is, lower = path(ITEMS, Plan()), path(ITEMS, Plan({"systolic-blood-pressure": 120}))
    assert len(as_is.times) == 11
    pairs = zip(*(each.values["cardiovascular-event-10y"] for each in (lower, as_is)), strict=True)
    assert all(less < more for less, more in pairs)
    assert len(path(DIABETIC, Plan()).times) == 5
    assert isinstance(path(ITEMS, Plan({}, {"statin": True})), Refusal)
