"""The closed loop: what is delivered is what the bodies get, and a controller sees only what was."""

from __future__ import annotations

import numpy as np
import pytest

from twin_engine.models.glucose import closed_loop, population
from twin_engine.models.glucose.closed_loop import BasalBolus, Order, Seen, run
from twin_engine.models.glucose.pump import Pen, Pump
from twin_engine.models.glucose.sensor import Breton2008, Perfect, Vettoretti2019
from twin_engine.models.glucose.uva_padova import basal_state, simulate


@pytest.fixture(scope="module")
def cohort():
    return population.mixed(30, np.random.default_rng(11))


@pytest.fixture(scope="module")
def food(cohort):
    return closed_loop.meals(cohort.people, 1, np.random.default_rng(12))


@pytest.mark.parametrize("sensor", [Perfect(), Breton2008(), Vettoretti2019()])
def test_the_loop_is_the_simulation_of_what_it_delivered_to_the_bit(cohort, food, sensor):
    course = run(cohort.people, BasalBolus(cohort.therapy), sensor, Pump(), food, np.random.default_rng(1))
    glucose, _ = simulate(cohort.people, basal_state(cohort.people), food, course.insulin)
    assert np.array_equal(course.glucose, glucose)


def test_a_perfect_sensor_shows_glucose_at_the_time_of_each_reading(cohort, food):
    course = run(cohort.people, BasalBolus(cohort.therapy), Perfect(), Pump(), food, np.random.default_rng(1))
    assert np.array_equal(course.readings[:, 1:], course.glucose[:, 4:-1:5])
    assert course.readings[:, 0] == pytest.approx(cohort.people["Gb"])


def test_basal_bolus_keeps_most_of_the_cohort_in_range_most_of_the_day(cohort, food):
    """Between 70 and 180 mg/dL: with meals that are all announced, and nothing that upsets the bodies."""
    course = run(
        cohort.people, BasalBolus(cohort.therapy), Vettoretti2019(), Pump(), food, np.random.default_rng(1)
    )
    idle = run(
        cohort.people,
        lambda seen: Order(cohort.therapy.basal, np.zeros(len(cohort))),
        Vettoretti2019(),
        Pump(),
        food,
        np.random.default_rng(1),
    )

    def in_range(each):
        return ((each.glucose >= 70) & (each.glucose <= 180)).mean()

    assert in_range(course) > 0.7 > in_range(idle) + 0.2


def test_a_controller_sees_the_past_and_the_meal_that_is_announced_now(cohort):
    calls: list[Seen] = []

    def controller(seen: Seen) -> Order:
        calls.append(seen)
        return Order(np.ones(30), np.full(30, float(seen.minute == 10)))

    carbohydrate = np.zeros((30, 20))
    carbohydrate[:, 7] = 20.0
    course = run(cohort.people, controller, Perfect(), Pump(), carbohydrate, np.random.default_rng(0))
    assert [seen.minute for seen in calls] == [0, 5, 10, 15]
    assert [seen.readings.shape[1] for seen in calls] == [1, 2, 3, 4]
    assert [seen.carbohydrate[0] for seen in calls] == [0, 20, 0, 0]
    assert [seen.delivered.shape[1] for seen in calls] == [0, 5, 10, 15]
    assert course.insulin[0, 10] == pytest.approx(1 + 1 / 60)
    assert course.insulin[0, 11] == pytest.approx(1 / 60)


def test_a_bolus_covers_the_meal_and_corrects_only_what_is_high(cohort):
    rule, n = BasalBolus(cohort.therapy), len(cohort)
    ratio, factor = cohort.therapy.carbohydrate_ratio, cohort.therapy.correction_factor

    def bolus(glucose: float, grams: float) -> np.ndarray:
        return rule(Seen(0, np.full((n, 1), glucose), np.full(n, grams), np.zeros((n, 0)))).bolus

    assert bolus(150.0, 40.0) == pytest.approx(40 / ratio)
    assert bolus(240.0, 40.0) == pytest.approx(40 / ratio + 100 / factor)
    assert bolus(240.0, 0.0) == pytest.approx(np.zeros(n))


def test_a_course_that_does_not_end_with_a_reading_is_refused(cohort):
    with pytest.raises(ValueError, match="multiple of 5"):
        run(
            cohort.people,
            BasalBolus(cohort.therapy),
            Perfect(),
            Pump(),
            np.zeros((30, 7)),
            np.random.default_rng(0),
        )


def test_meals_are_in_the_day_they_belong_to_and_lighter_people_eat_less(cohort):
    food = closed_loop.meals(cohort.people, 3, np.random.default_rng(5))
    assert food.shape == (30, 3 * 1440)
    for day in np.split(food, 3, axis=1):
        assert (np.count_nonzero(day, axis=1) <= len(closed_loop.MEALS)).all()
        assert (day.sum(axis=1) > 0).all()
    light, heavy = cohort.people["BW"] < 45, cohort.people["BW"] > 60
    assert food[light].sum(axis=1).mean() < food[heavy].sum(axis=1).mean()


def test_a_pump_gives_steps_of_what_is_ordered_and_never_more_than_it_can():
    pump = Pump()
    assert pump.bolus(np.array([0.0, 1.02, 1.04, 99.0, -1.0])) == pytest.approx([0, 1, 1.05, 30, 0])
    assert pump.basal(np.array([0.874, 50.0])) == pytest.approx([0.85, 30])


def test_a_pen_gives_half_units_and_its_long_acting_insulin_by_the_day():
    pen = Pen()
    assert pen.bolus(np.array([1.3, 100.0])) == pytest.approx([1.5, 60])
    assert 24 * pen.basal(np.array([0.9, 9.0])) == pytest.approx([22, 80])
