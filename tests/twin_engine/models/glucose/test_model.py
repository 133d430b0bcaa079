"""The type 1 diabetes twin keeps the contract, foretells what it should and refuses whom it must."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.twin_engine.models.glucose.test_following import AT, DIAGNOSED, ITEMS, MODEL, days, state
from tests.twin_engine.people import WOMAN, aged
from twin_engine.calibration import Limited, Scored
from twin_engine.check import check_model
from twin_engine.models.glucose.record import FAST, FOOD, SENSOR
from twin_engine.twin import Condition, Dose, Evidence, Forecast, Measurement, Plan, Refusal


@pytest.fixture(scope="module")
def fortnight():
    return days(24 * 15)


def answers(items, at=AT, subject=WOMAN):
    known = MODEL.assimilate(MODEL.prior(subject, at), Evidence.of(subject, items), at)
    return {answer.family: answer for answer in MODEL.forecast(known, at, np.random.default_rng(1))}


def probability(answer, outcome):
    return next(risk.probability for risk in answer.risks if risk.outcome == outcome)


def test_it_keeps_the_contract_of_a_twin_model():
    check_model(MODEL)
    assert isinstance(MODEL, Limited)
    assert isinstance(MODEL, Scored)


def test_the_models_are_listed_without_loading_the_compiler():
    program = "import sys, twin_engine.models; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def falling(rate):
    """Return half an hour of readings that fall by ``rate`` mg/dL a minute to 85, with a whole day before."""
    flat = [
        Measurement(
            SENSOR,
            AT - timedelta(minutes=5 * n),
            f"Observation/f{n}/_history/1",
            85.0 + max(0.0, rate * 5 * (min(n, 9))),
        )
        for n in range(200)
    ]
    return [DIAGNOSED, *flat]


def test_the_faster_glucose_falls_the_likelier_is_a_low():
    steady, fast = (answers(falling(rate))["hypoglycaemia"] for rate in (0.0, 2.5))
    outcome = "glucose-below-70-60min"
    assert probability(fast, outcome) > probability(steady, outcome) + 0.2


def test_a_longer_or_milder_event_is_never_less_likely(fortnight):
    for family in ("hypoglycaemia", "hyperglycaemia"):
        found = answers(fortnight)[family]
        for mild, grave in ((70, 54), (180, 250)):
            chances = [
                [risk.probability for risk in found.risks if f"-{limit}-" in risk.outcome]
                for limit in (mild, grave)
            ]
            for row in chances:
                assert row == sorted(row, reverse=True)
            assert all(a >= b for a, b in zip(*chances, strict=True))


def test_a_bolus_just_given_raises_the_chance_of_a_low():
    more = [*ITEMS, Dose(FAST, AT - timedelta(minutes=10), "MedicationAdministration/extra/_history/1", 12)]
    outcome = "glucose-below-70-8h"
    assert probability(answers(more)["hypoglycaemia"], outcome) > probability(
        answers(ITEMS)["hypoglycaemia"], outcome
    )


def test_the_fan_widens_with_time(fortnight):
    (fan,) = answers(fortnight)["hypoglycaemia"].courses
    low, high = dict(fan.quantiles)[0.05], dict(fan.quantiles)[0.95]
    widths = np.subtract(high, low)
    assert widths[-1] > 2 * widths[0]
    assert fan.times[-1] == 8 * 3600


def test_control_is_graded_from_two_weeks_and_left_open_before(fortnight):
    found = answers(fortnight)["glucose-control"]
    assert found.risks[0].qualitative in {"minimal", "low", "moderate", "high"}
    shares = {one.name: one.value for one in found.summaries}
    ranges = ("time-below-54", "time-below-70", "time-in-range", "time-above-180", "time-above-250")
    assert sum(shares[name] for name in ranges) == pytest.approx(100)
    assert isinstance(answers(ITEMS)["glucose-control"], Refusal)


def test_the_need_of_insulin_comes_with_its_interval(fortnight):
    needs = {one.name: one for one in answers(fortnight)["hyperglycaemia"].summaries}
    assert set(needs) == {"basal-insulin", "correction-factor", "carbohydrate-ratio"}
    assert all(0 < one.low < one.value < one.high for one in needs.values())


@pytest.mark.parametrize(
    ("items", "subject", "signal"),
    [
        (ITEMS[1:], WOMAN, "type-1-diabetes"),
        ([*ITEMS, Condition("pregnancy", "Condition/2/_history/1", True)], WOMAN, "pregnancy"),
        (ITEMS, aged(WOMAN, 17), "age"),
        (
            [
                *ITEMS,
                Dose("mixed-insulin", AT - timedelta(hours=3), "MedicationAdministration/m/_history/1", 8),
            ],
            WOMAN,
            "intermediate-acting-insulin",
        ),
        ([*ITEMS, Measurement("body-weight", AT, "Observation/w/_history/1", 12.0)], WOMAN, "body-weight"),
    ],
)
def test_whom_the_equations_do_not_fit_is_refused_with_the_reason(items, subject, signal):
    found = answers(items, subject=subject).values()
    assert all(isinstance(one, Refusal) for one in found)
    assert signal in {reason.signal for reason in next(iter(found)).reasons}


def test_how_glucose_was_controlled_is_told_once_a_day_whatever_the_sensor_does(fortnight):
    now, later = (
        answers(fortnight)["glucose-control"],
        answers(fortnight, AT + timedelta(hours=3))["glucose-control"],
    )
    assert isinstance(answers(fortnight, AT + timedelta(hours=3))["hypoglycaemia"], Refusal)
    assert (now.risks[0].qualitative, now.basis, now.expires) == (
        later.risks[0].qualitative,
        later.basis,
        later.expires,
    )


def test_a_forecast_ends_half_an_hour_after_the_last_reading():
    last = max(item.time for item in ITEMS if getattr(item, "signal", "") == SENSOR)
    assert answers(ITEMS)["hypoglycaemia"].expires == last + timedelta(minutes=30)
    assert all(isinstance(one, Refusal) for one in answers(ITEMS, AT + timedelta(hours=1)).values())


def test_every_forecast_says_that_it_is_not_for_treatment(fortnight):
    found = answers(fortnight).values()
    assert all(isinstance(one, Forecast) and "Not for treatment" in " ".join(one.notes) for one in found)


def path(plan, hours=4):
    known = state(ITEMS)
    return MODEL.simulate(known, plan, AT + timedelta(hours=hours), np.random.default_rng(3))


def test_a_meal_raises_glucose_and_its_bolus_lowers_it_again():
    meal = Dose(FOOD, AT + timedelta(minutes=5), "", 60)
    bolus = Dose(FAST, AT, "", 8)
    fasting, eating, covered = (path(Plan(doses=doses)) for doses in ((), (meal,), (meal, bolus)))
    ends = [one.values[SENSOR][-1] for one in (fasting, eating, covered)]
    assert ends[1] > ends[0] + 10
    assert ends[2] < ends[1] - 5


def test_a_trial_shows_its_uncertainty():
    (fan,) = path(Plan()).courses
    assert [level for level, _ in fan.quantiles] == [0.05, 0.25, 0.5, 0.75, 0.95]


@pytest.mark.parametrize(
    "plan",
    [
        Plan(signals={SENSOR: 100}),
        Plan(treatments={"statin": True}),
        Plan(doses=(Dose(FAST, AT, "", 51),)),
        Plan(doses=(Dose(FAST, AT, "", -1),)),
        Plan(doses=(Dose("vitamin-c", AT, "", 1),)),
        Plan(doses=(Dose(FAST, AT - timedelta(hours=1), "", 1),)),
        Plan(scaled={FAST: 4}),
        Plan(scaled={FAST: float("nan")}),
        Plan(scaled={FOOD: 0.5}),
    ],
)
def test_a_plan_beyond_the_model_or_reason_is_refused(plan):
    assert isinstance(path(plan), Refusal)


def test_a_trial_looks_no_further_than_it_can():
    assert isinstance(path(Plan(), hours=9), Refusal)


def test_what_was_foretold_is_told_apart_once_it_is_over():
    forecast = answers(ITEMS)["hypoglycaemia"]
    later = AT + timedelta(minutes=61)
    low = [
        Measurement(
            SENSOR, AT + timedelta(minutes=5 * n), f"Observation/l{n}/_history/1", 60.0 if n < 4 else 90.0
        )
        for n in range(1, 13)
    ]
    told = MODEL.outcomes(Evidence.of(WOMAN, [*ITEMS, *low]), forecast, later)
    by_name = {risk.outcome: happened for risk, happened in told.items()}
    assert by_name["glucose-below-70-30min"]
    assert by_name["glucose-below-70-60min"]
    assert not by_name["glucose-below-54-60min"]
    assert "glucose-below-70-120min" not in by_name


def test_nothing_follows_from_an_hour_that_nobody_saw():
    forecast = answers(ITEMS)["hypoglycaemia"]
    told = MODEL.outcomes(Evidence.of(WOMAN, ITEMS), forecast, AT + timedelta(minutes=61))
    assert told == {}


def test_the_deceased_are_refused():
    found = answers(ITEMS, subject=replace(WOMAN, deceased=True))
    assert all(isinstance(one, Refusal) and one.retry is None for one in found.values())
