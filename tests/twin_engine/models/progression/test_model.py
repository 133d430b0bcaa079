import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import NormalDist

import numpy as np
import pytest

from fhir_mapping import codes
from tests.twin_engine.people import AT, MAN, WOMAN, aged, forecast, measured, reasons, refusal
from twin_engine.check import check_model
from twin_engine.equations import ckd_epi
from twin_engine.models.progression import GlycaemicProgression, KidneyProgression
from twin_engine.models.progression.parameters import POPULATIONS
from twin_engine.models.progression.series import YEAR, Value, trend
from twin_engine.twin import Condition, Dose, Evidence, Plan, Refusal, Trajectory, Treatment
from twin_engine.years import years_after

KIDNEY, GLYCAEMIA = KidneyProgression(), GlycaemicProgression()
DAY = timedelta(days=1)
DIABETES = Condition("diabetes", "Condition/1/_history/1", True)
TYPE_2 = Condition("type-2-diabetes", "Condition/1/_history/1", True)
SGLT2 = Treatment("sglt2-inhibitor", "MedicationRequest/1/_history/1", True)


def values(signal: str, *told: tuple[float, float]):
    """Measurements of ``signal``: (days ago, value)."""
    return tuple(
        measured(signal, value, ago * DAY, f"Observation/{signal}-{number}/_history/1")
        for number, (ago, value) in enumerate(told)
    )


EGFR = values("egfr", (1460, 62), (1095, 58), (730, 52), (365, 47), (100, 45), (40, 43))
HBA1C = values("hba1c", (720, 7.1), (540, 7.4), (360, 7.2), (180, 7.6), (10, 7.7))


def risks(model, *items, subject=WOMAN) -> dict[str, float]:
    return {risk.outcome: risk.probability for risk in forecast(model, subject, *items).risks}


def simulated(model, plan: Plan, *items, years: int = 5) -> Trajectory | Refusal:
    state = model.assimilate(model.prior(WOMAN, AT), Evidence.of(WOMAN, items), AT)
    return model.simulate(state, plan, years_after(AT, years), np.random.default_rng(1))


@pytest.mark.parametrize("model", [KIDNEY, GLYCAEMIA], ids=lambda model: model.card.name)
def test_it_keeps_every_law_of_the_contract(model):
    check_model(model)


@pytest.mark.parametrize(("model", "items"), [(KIDNEY, EGFR), (GLYCAEMIA, (*HBA1C, TYPE_2))])
def test_every_outcome_is_in_the_table_of_outcomes(model, items):
    assert set(risks(model, *items)) <= set(codes.OUTCOMES)
    assert {name.rsplit("-", 1)[1] for name in risks(model, *items)} == {"1y", "2y", "5y"}


def test_the_course_is_told_in_quantiles_that_widen():
    (course,) = forecast(KIDNEY, WOMAN, *EGFR).courses
    quantiles = dict(course.quantiles)
    assert (course.signal, course.unit, course.start) == ("egfr", "mL/min/{1.73_m2}", AT)
    assert course.times[0] == 0
    assert course.times[-1] == (years_after(AT, 5) - AT).total_seconds()
    assert [quantiles[share][-1] for share in sorted(quantiles)] == sorted(
        each[-1] for each in quantiles.values()
    )
    widths = np.log(quantiles[0.95]) - np.log(quantiles[0.05])
    assert (np.diff(widths) > 0).all()


def test_a_steeper_course_has_a_higher_risk():
    flat = values("egfr", *((ago, 45.0) for ago in (1460, 1095, 730, 365, 100, 40)))
    assert risks(KIDNEY, *EGFR)["egfr-below-30-5y"] > 5 * risks(KIDNEY, *flat)["egfr-below-30-5y"]


def test_more_values_of_a_line_narrow_its_course():
    def width(*items) -> float:
        quantiles = dict(forecast(KIDNEY, WOMAN, *items).courses[0].quantiles)
        return math.log(quantiles[0.95][-1] / quantiles[0.05][-1])

    many = values("egfr", *((40 + 61 * number, 45 * math.exp(0.03 * number / 6)) for number in range(24)))
    assert width(*many) < 0.75 * width(*many[:1])


def test_albuminuria_and_diabetes_choose_the_slopes_of_their_group():
    def foretold(*items) -> float:
        return risks(KIDNEY, EGFR[-1], *items)["egfr-decline-40-5y"]

    ratios = [values("urine-albumin-creatinine-ratio", (30, ratio)) for ratio in (10, 100, 1000)]
    normal, moderate, severe = (foretold(DIABETES, *ratio) for ratio in ratios)
    assert foretold() < foretold(DIABETES) < moderate < severe
    assert foretold(*ratios[0]) == foretold()
    assert foretold(DIABETES) < normal
    assert foretold(*ratios[2]) == severe


def test_an_old_albumin_ratio_says_nothing_and_one_out_of_range_is_refused():
    old = values("urine-albumin-creatinine-ratio", (800, 1000))
    assert risks(KIDNEY, *EGFR, *old) == risks(KIDNEY, *EGFR)
    wrong = values("urine-albumin-creatinine-ratio", (30, 30000))
    assert reasons(KIDNEY, WOMAN, *EGFR, *wrong) == {("out-of-range", "urine-albumin-creatinine-ratio")}


def test_creatinine_is_read_as_the_egfr_of_the_age_at_the_sample():
    samples = ((1460, 1.1), (730, 1.2), (40, 1.4))
    same = values(
        "egfr",
        *((ago, ckd_epi.egfr(value, WOMAN.age_at(AT - ago * DAY), "female")) for ago, value in samples),
    )
    assert risks(KIDNEY, *values("creatinine", *samples)) == pytest.approx(risks(KIDNEY, *same))


def test_reported_and_computed_egfr_are_not_mixed():
    creatinine = values("creatinine", (500, 1.0), (20, 1.5))
    told = forecast(KIDNEY, WOMAN, *EGFR, *creatinine)
    assert {name for name in told.basis if "egfr" in name} == set()
    newer = values("egfr", (5, 44))
    told = forecast(KIDNEY, WOMAN, *newer, *creatinine)
    assert {name for name in told.basis if "creatinine" in name} == set()


def test_of_one_month_the_middle_value_stands_for_all():
    month = datetime(2026, 2, 3, tzinfo=UTC)
    many = tuple(
        replace_time(value, month + number * DAY)
        for number, value in enumerate(values("egfr", (1, 30), (2, 44), (3, 60)))
    )
    told = forecast(KIDNEY, WOMAN, *many)
    assert [name for name in told.basis if "Observation" in name] == [many[1].source]


def replace_time(item, time):
    return measured(item.signal, item.value, AT - time, item.source)


def test_the_twin_finds_the_slope_of_a_synthetic_person():
    rng, population = np.random.default_rng(8), POPULATIONS["egfr"]
    inside = 0
    for _ in range(100):
        level, slope = math.log(70), rng.normal(-0.0258, 0.0313)
        times = np.arange(-6, 0, 0.5)
        series = [
            Value(AT + time * YEAR, level + slope * time + rng.normal(0, population.error), "")
            for time in times.tolist()
        ]
        known = trend(series, population, "normal", AT)
        inside += abs(known.slope - slope) < 1.645 * math.sqrt(known.covariance[1, 1])
    assert 82 <= inside <= 98


def test_the_published_variability_of_hba1c_is_made_of_its_parts():
    """Within-person variance over three years: error, wandering (a sixth of q T) and drift (s^2 T^2 / 12)."""
    population = POPULATIONS["hba1c"]
    spread = population.slopes["type-2-diabetes"][1]
    variance = population.error**2 + population.noise.level * 3 / 6 + spread**2 * 9 / 12
    assert math.sqrt(variance) / 7.5 == pytest.approx(0.083, abs=0.0005)


def test_the_published_spread_of_rising_hba1c_is_met():
    """Of those diagnosed over 70 66 % rise less than 1.1, 1.5 % more than 4.4 mmol/mol a year: SD 1.88."""
    normal = NormalDist()
    spread = (4.4 - 1.1) / (normal.inv_cdf(0.985) - normal.inv_cdf(0.66))
    assert POPULATIONS["hba1c"].slopes["type-2-diabetes"] == pytest.approx(
        (1.4 * 0.09148, spread * 0.09148), abs=0.003
    )


def test_an_sglt2_inhibitor_dips_and_then_slows_the_course():
    plain, planned = (
        simulated(KIDNEY, plan, *EGFR) for plan in (Plan(), Plan(treatments={"sglt2-inhibitor": True}))
    )
    assert planned.values["egfr"][1] < plain.values["egfr"][1]
    assert planned.values["egfr"][-1] > plain.values["egfr"][-1]
    risk = "egfr-below-30"
    assert planned.values[f"{risk}-low"][-1] < planned.values[risk][-1] < planned.values[f"{risk}-high"][-1]
    assert planned.values[f"{risk}-high"][-1] < plain.values[risk][-1]
    assert f"{risk}-low" not in plain.values


def test_the_interval_of_the_effect_is_in_the_course():
    plan = Plan(treatments={"glp1-agonist": True})
    planned = simulated(GLYCAEMIA, plan, *HBA1C, TYPE_2)
    plain = simulated(GLYCAEMIA, Plan(), *HBA1C, TYPE_2)
    widths = [
        np.subtract(dict(each.courses[0].quantiles)[0.95], dict(each.courses[0].quantiles)[0.05])
        for each in (plain, planned)
    ]
    assert (widths[1][4:] > widths[0][4:]).all()
    assert planned.values["hba1c"][4] == pytest.approx(plain.values["hba1c"][4] - 0.88)
    assert planned.values["hba1c"][0] == plain.values["hba1c"][0]


def test_a_treatment_that_is_taken_is_not_counted_twice():
    plan = Plan(treatments={"sglt2-inhibitor": True})
    assert simulated(KIDNEY, plan, *EGFR, SGLT2) == simulated(KIDNEY, Plan(), *EGFR, SGLT2)
    told = forecast(KIDNEY, WOMAN, *EGFR, SGLT2)
    assert any("inhibitor is taken" in note for note in told.notes)
    assert SGLT2.source in told.basis


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (Plan({"egfr": 60.0}), "out-of-scope"),
        (Plan(treatments={"statin": True}), "out-of-scope"),
        (Plan(treatments={"sglt2-inhibitor": False}), "out-of-scope"),
        (Plan(doses=(Dose("insulin", AT, "", 5.0),)), "out-of-scope"),
        (Plan(scaled={"insulin": 0.0}), "out-of-scope"),
    ],
)
def test_a_plan_beyond_the_model_is_refused(plan, code):
    planned = simulated(KIDNEY, plan, *EGFR, SGLT2)
    assert isinstance(planned, Refusal)
    assert {reason.code for reason in planned.reasons} == {code}


def test_a_treatment_in_doubt_leaves_the_forecast_but_not_a_plan_of_it():
    doubtful = replace(SGLT2, confirmed=False)
    assert risks(KIDNEY, *EGFR, doubtful) == risks(KIDNEY, *EGFR)
    planned = simulated(KIDNEY, Plan(treatments={"sglt2-inhibitor": True}), *EGFR, doubtful)
    assert isinstance(planned, Refusal)
    assert {reason.code for reason in planned.reasons} == {"unconfirmed"}


@pytest.mark.parametrize("name", ["dialysis", "kidney-transplant"])
def test_people_on_dialysis_or_transplanted_are_out_of_scope(name):
    record = Condition(name, "Condition/2/_history/1", False)
    assert reasons(KIDNEY, WOMAN, *EGFR, record) == {("out-of-scope", name)}
    doubtful = replace(record, active=True, confirmed=False)
    assert reasons(KIDNEY, WOMAN, *EGFR, doubtful) == {("unconfirmed", name)}


def test_hba1c_is_followed_in_type_2_diabetes_only():
    assert reasons(GLYCAEMIA, WOMAN, *HBA1C) == {("out-of-scope", "type-2-diabetes")}
    type_1 = Condition("type-1-diabetes", "Condition/2/_history/1", True)
    assert reasons(GLYCAEMIA, WOMAN, *HBA1C, TYPE_2, type_1) == {("out-of-scope", "type-1-diabetes")}
    doubtful = replace(TYPE_2, confirmed=False)
    assert reasons(GLYCAEMIA, WOMAN, *HBA1C, doubtful) == {("unconfirmed", "type-2-diabetes")}


def test_creatinine_without_sex_or_of_a_minor_gives_no_egfr():
    nobody = replace(WOMAN, sex=None)
    assert reasons(KIDNEY, nobody, *values("creatinine", (40, 1.1))) == {("missing-input", "sex")}
    assert forecast(KIDNEY, nobody, *EGFR)
    young = replace(MAN, birth_date=datetime(2008, 1, 1, tzinfo=UTC).date())
    assert reasons(KIDNEY, young, *values("creatinine", (200, 1.1))) == {("missing-input", "egfr")}


def test_a_person_too_young_is_told_when_to_ask_again():
    assert refusal(KIDNEY, aged(WOMAN, 15), *EGFR).retry is not None


def test_the_rationale_says_what_it_rests_on():
    told = forecast(GLYCAEMIA, WOMAN, *HBA1C, TYPE_2)
    assert told.rationale.startswith("HbA1c about 7.6 % now, moving by +0.1")
    assert "From 5 monthly values" in told.rationale
    assert told.expires <= AT + 366 * DAY - 10 * DAY + DAY
