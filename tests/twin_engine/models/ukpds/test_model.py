from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from fhir_mapping import codes
from tests.twin_engine.models.ukpds.people import DIABETES, ITEMS, profile
from tests.twin_engine.people import AT, MAN, WOMAN, aged, forecast, measured, reasons, refusal, without
from twin_engine.check import check_model
from twin_engine.models.ukpds import Ukpds
from twin_engine.models.ukpds.card import HISTORIES
from twin_engine.models.ukpds.multistate import OUTCOMES, course
from twin_engine.twin import Condition, Dose, Evidence, Plan, Refusal, Trajectory, Treatment
from twin_engine.years import years_after

MODEL = Ukpds()
SIXTY = aged(WOMAN, 60)
STATIN = Treatment("statin", "MedicationRequest/1/_history/1", True)


def risks(*items, subject=SIXTY) -> dict[str, float]:
    return {risk.outcome: risk.probability for risk in forecast(MODEL, subject, *items).risks}


def simulated(plan: Plan, *items, subject=SIXTY, years: int = 10) -> Trajectory | Refusal:
    state = MODEL.assimilate(MODEL.prior(subject, AT), Evidence.of(subject, items), AT)
    return MODEL.simulate(state, plan, years_after(AT, years), np.random.default_rng(1))


def test_it_keeps_the_contract():
    check_model(MODEL)


def test_the_person_of_the_record_is_the_person_of_the_equations():
    told = risks(*ITEMS)
    born = replace(SIXTY, birth_date=date(1966, 1, 1)).birth_date
    age = (AT - datetime(born.year, born.month, born.day, tzinfo=UTC)) / timedelta(days=365.25)
    row = course(profile("female", age=age), (0,) * 8, 10)
    for years in (1, 10):
        assert [told[f"{outcome}-{years}y"] for outcome in OUTCOMES] == pytest.approx(row[years], rel=1e-9)


def test_every_outcome_is_in_the_table_of_outcomes():
    assert set(risks(*ITEMS)) == {f"{outcome}-{years}y" for outcome in OUTCOMES for years in (1, 10)}
    assert set(risks(*ITEMS)) <= set(codes.OUTCOMES)


def test_an_earlier_infarction_makes_the_next_the_second():
    had = Condition("myocardial-infarction", "Condition/2/_history/1", False)
    told = risks(*ITEMS, had)
    assert told["myocardial-infarction-1y"] == pytest.approx(0.0285, abs=0.0005)
    assert told["death-10y"] > risks(*ITEMS)["death-10y"]


def test_what_can_come_but_once_is_not_foretold_again():
    told = risks(*ITEMS, Condition("heart-failure", "Condition/2/_history/1", True))
    assert "heart-failure-10y" not in told
    told = risks(*ITEMS, Condition("foot-ulcer", "Condition/2/_history/1", False))
    assert not {"foot-ulcer-10y", "amputation-10y"} & set(told)


def test_without_the_date_of_the_diagnosis_there_is_no_forecast():
    undated = (*(item for item in ITEMS if item is not DIABETES), replace(DIABETES, onset=None))
    assert reasons(MODEL, SIXTY, *undated) == {("missing-input", "type-2-diabetes")}


def test_the_earliest_dated_record_of_the_diagnosis_counts():
    later = replace(DIABETES, source="Condition/9/_history/1", onset=AT - timedelta(days=30))
    assert risks(*ITEMS, later) == risks(*ITEMS)


def test_people_with_type_1_diabetes_are_refused():
    other = Condition("type-1-diabetes", "Condition/2/_history/1", True)
    assert ("out-of-scope", "type-1-diabetes") in reasons(MODEL, SIXTY, *ITEMS, other)
    assert ("out-of-scope", "type-2-diabetes") in reasons(MODEL, SIXTY, *without_diabetes())


def without_diabetes():
    return tuple(item for item in ITEMS if item is not DIABETES)


def test_a_cardiovascular_disease_must_be_one_that_the_model_knows():
    unspecific = Condition("cardiovascular-disease", "Condition/2/_history/1", True)
    assert reasons(MODEL, SIXTY, *ITEMS, unspecific) == {("unconfirmed", "cardiovascular-disease")}
    stroke = replace(unspecific, name="stroke")
    assert risks(*ITEMS, unspecific, stroke) == risks(*ITEMS, stroke)


@pytest.mark.parametrize("name", [*HISTORIES, "atrial-fibrillation", "peripheral-arterial-disease"])
def test_an_unconfirmed_record_is_neither_a_yes_nor_a_no(name):
    doubtful = Condition(name, "Condition/2/_history/1", True, confirmed=False)
    assert reasons(MODEL, SIXTY, *ITEMS, doubtful) == {("unconfirmed", name)}


@pytest.mark.parametrize("signal", ["hba1c", "leukocytes", "hemoglobin", "heart-rate", "ldl-cholesterol"])
def test_nothing_is_imputed(signal):
    assert reasons(MODEL, SIXTY, *without(ITEMS, signal)) == {("missing-input", signal)}


def test_creatinine_newer_than_egfr_gives_the_egfr():
    newer = measured("creatinine", 2.4, timedelta(minutes=5))
    assert risks(*ITEMS, newer)["kidney-failure-10y"] > 5 * risks(*ITEMS)["kidney-failure-10y"]


def test_albuminuria_begins_at_thirty():
    rest = without(ITEMS, "urine-albumin-creatinine-ratio")
    below, above = (risks(*rest, measured("urine-albumin-creatinine-ratio", value)) for value in (29.9, 30))
    assert below["heart-failure-1y"] < above["heart-failure-1y"]


def test_a_plan_that_lowers_hba1c_lowers_the_course():
    plain, planned = simulated(Plan(), *ITEMS), simulated(Plan({"hba1c": 6.0}), *ITEMS)
    assert planned.values["blindness"][10] < plain.values["blindness"][10]
    assert plain.values["death"][0] == 0
    assert len(plain.times) == 11


def test_a_treatment_that_is_begun_lowers_its_outcomes_with_its_interval():
    plain, planned = simulated(Plan(), *ITEMS), simulated(Plan(treatments={"statin": True}), *ITEMS)
    ten = {name: path[10] for name, path in planned.values.items()}
    infarction = "myocardial-infarction"
    assert ten[f"{infarction}-low"] < ten[infarction] < ten[f"{infarction}-high"]
    assert ten[infarction] == pytest.approx(plain.values[infarction][10] * 0.77, rel=0.03)
    # No effect of a statin on heart failure is published here; fewer infarctions leave a little more of it.
    assert ten["heart-failure"] == pytest.approx(plain.values["heart-failure"][10], rel=0.03)


def test_a_treatment_that_is_taken_is_not_counted_twice():
    planned = simulated(Plan(treatments={"statin": True}), *ITEMS, STATIN)
    assert planned == simulated(Plan(), *ITEMS, STATIN)
    told = forecast(MODEL, SIXTY, *ITEMS, STATIN)
    assert any("statin is taken" in note for note in told.notes)
    assert STATIN.source in told.basis


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (Plan({"hba1c": 3.0}), "out-of-range"),
        (Plan({"glucose": 100.0}), "out-of-scope"),
        (Plan(treatments={"insulin": True}), "out-of-scope"),
        (Plan(treatments={"statin": False}), "out-of-scope"),
        (Plan(doses=(Dose("insulin", AT, "", 5.0),)), "out-of-scope"),
        (Plan(scaled={"insulin": 0.0}), "out-of-scope"),
    ],
)
def test_a_plan_beyond_the_model_is_refused(plan, code):
    planned = simulated(plan, *ITEMS, STATIN)
    assert isinstance(planned, Refusal)
    assert {reason.code for reason in planned.reasons} == {code}


def test_a_treatment_in_doubt_leaves_the_forecast_but_not_a_plan_of_it():
    doubtful = replace(STATIN, confirmed=False)
    assert risks(*ITEMS, doubtful) == risks(*ITEMS)
    planned = simulated(Plan(treatments={"statin": True}), *ITEMS, doubtful)
    assert isinstance(planned, Refusal)
    assert {reason.code for reason in planned.reasons} == {"unconfirmed"}


def test_the_rationale_names_the_person_and_the_outcomes():
    told = forecast(MODEL, replace(SIXTY, sex="male"), *ITEMS)
    assert told.rationale.startswith("UKPDS Outcomes Model 2 for a man of 60 years, 8.0 years after")
    assert "myocardial infarction" in told.rationale
    assert told.expires <= AT + timedelta(days=365)


def test_a_person_too_young_is_told_when_to_ask_again():
    assert refusal(MODEL, aged(MAN, 20), *ITEMS).retry is not None
