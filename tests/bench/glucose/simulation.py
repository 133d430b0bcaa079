"""Simulated days of virtual people, beside simglucose 0.2.11 in the same run.

``as published`` is simglucose's own stepping of a patient. ``lean`` is the same with the patient's pandas row
replaced by a plain namespace: most of its time goes into looking parameters up, so that is the peer whose
arithmetic we are compared with. Everybody eats and injects the same: five meals a day, each with its
bolus. Ours is compiled before it is timed, on one core; processor time counts, of several rounds the best.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench.figures import Figure, against
from tests.peers import virtual_people
from twin_engine.models.glucose import closed_loop, population
from twin_engine.models.glucose.pump import Pump
from twin_engine.models.glucose.sensor import Breton2008
from twin_engine.models.glucose.uva_padova import (
    EXACT,
    FAST,
    MINUTES_A_DAY,
    Patients,
    State,
    basal_rate,
    basal_state,
    simulate,
)

Array = NDArray[np.float64]

MEALS = {420: 45.0, 720: 70.0, 960: 15.0, 1080: 80.0, 1380: 10.0}  # minute: g
CROWD = 1000
ROUNDS = 5


def measure(short: bool) -> tuple[list[Figure], list[str]]:
    """Measure the simulation; ``short`` lets simglucose simulate two people instead of thirty."""
    names, people, start = virtual_people.people()
    followed = [10, 26] if short else list(range(len(names)))
    published = followed[:1] if short else [0, 10, 26]
    carbohydrate, insulin = _inputs(people, _ratios(names))
    lean, expected = _peer(names, followed, carbohydrate, insulin, virtual_people.lean)
    whole, _ = _peer(names, published, carbohydrate, insulin, lambda patient: patient)
    exact, fast = (
        _difference(people, start, carbohydrate, insulin, steps, followed, expected)
        for steps in (EXACT, FAST)
    )
    drawn = population.mixed(60 if short else CROWD, np.random.default_rng(1))
    crowd = drawn.people.chosen(np.arange(CROWD) % len(drawn))
    ratios = drawn.therapy.carbohydrate_ratio[np.arange(CROWD) % len(drawn)]
    ours = {steps: _day(crowd, ratios, steps) / CROWD for steps in (EXACT, FAST)}
    loop = _closed_loop(drawn, CROWD)
    peers_loop = CROWD * _peers_loop(names[published[0]], 240 if short else MINUTES_A_DAY)
    unit = "ms a patient-day"
    figures = [
        Figure("glucose.patient_days", 1 / ours[EXACT], "1/s"),
        against("glucose.vs_simglucose_lean", 1e3 * ours[EXACT], 1e3 * lean, unit),
        against("glucose.vs_simglucose_exact", 1e3 * ours[EXACT], 1e3 * whole, unit),
        against("glucose.vs_simglucose_fast", 1e3 * ours[FAST], 1e3 * whole, unit),
        Figure("glucose.exact_difference", 1e3 * exact, "ug/dL"),
        Figure("glucose.fast_difference", 1e3 * fast, "ug/dL"),
        against("glucose.closed_loop_1000_days", loop, peers_loop, "s"),
    ]
    return figures, [
        f"{CROWD} people, {len(drawn)} of them different, 24 h; differences are the greatest over the day of"
        f" {len(followed)} people of simglucose",
        f"simglucose: lean mean of {len(followed)} people, as published of {len(published)}; its closed loop"
        f" (environment, sensor, pump, basal-bolus controller) of one person, times {CROWD}",
    ]


def _ratios(names: Sequence[str]) -> Array:
    table = virtual_people.table("Quest.csv")
    known = dict(zip(table["Name"], map(float, table["CR"]), strict=True))
    return np.array([known[name] for name in names])


def _inputs(people: Patients, ratios: Array) -> tuple[Array, Array]:
    carbohydrate = np.zeros((len(people), MINUTES_A_DAY))
    insulin = np.repeat(basal_rate(people)[:, None], MINUTES_A_DAY, axis=1)
    for minute, grams in MEALS.items():
        carbohydrate[:, minute] = grams
        insulin[:, minute] += grams / ratios
    return carbohydrate, insulin


def _peer(
    names: Sequence[str],
    which: Sequence[int],
    carbohydrate: Array,
    insulin: Array,
    changed: Callable[[Any], Any],
) -> tuple[float, Array]:
    """Return the peer's mean seconds for a patient-day, and its glucose (people, minutes)."""
    bodies = [changed(virtual_people.patient(names[i])) for i in which]
    began = time.process_time()
    days = [
        virtual_people.day_of(*each) for each in zip(bodies, carbohydrate[which], insulin[which], strict=True)
    ]
    return (time.process_time() - began) / len(which), np.array(days)


def _difference(
    people: Patients,
    start: State,
    carbohydrate: Array,
    insulin: Array,
    steps: int,
    which: Sequence[int],
    expected: Array,
) -> float:
    glucose, _ = simulate(people, start, carbohydrate, insulin, steps)
    return float(np.abs(glucose[which] - expected).max())


def _day(people: Patients, ratios: Array, steps: int) -> float:
    carbohydrate, insulin = _inputs(people, ratios)
    start = basal_state(people)
    return _best(lambda: simulate(people, start, carbohydrate, insulin, steps))


def _closed_loop(drawn: population.Population, n: int) -> float:
    """Return seconds for a day of ``n`` people with sensor, pump and controller, all drawing included."""
    which = np.arange(n) % len(drawn)
    people, therapy = drawn.people.chosen(which), drawn.therapy.chosen(which)
    food = closed_loop.meals(people, 1, np.random.default_rng(2))
    controller = closed_loop.BasalBolus(therapy)
    return _best(
        lambda: closed_loop.run(people, controller, Breton2008(), Pump(), food, np.random.default_rng(3))
    )


def _best(work: Callable[[], object]) -> float:
    work()  # compiled now, if it was not before
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def _peers_loop(name: str, minutes: int) -> float:
    """Return simglucose's seconds for a day in its environment with its own sensor, pump and controller."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from simglucose.actuator.pump import InsulinPump
        from simglucose.controller.basal_bolus_ctrller import BBController
        from simglucose.sensor.cgm import CGMSensor
        from simglucose.simulation.env import T1DSimEnv
        from simglucose.simulation.scenario import CustomScenario

        morning = datetime(2026, 1, 1)  # noqa: DTZ001  # simglucose knows no zones
        scenario = CustomScenario(morning, [(minute / 60, grams) for minute, grams in MEALS.items()])
        sensor, pump = CGMSensor.withName("Dexcom", seed=1), InsulinPump.withName("Insulet")
        environment = T1DSimEnv(virtual_people.patient(name), sensor, pump, scenario)
        controller = BBController()
        began = time.process_time()
        step = environment.reset()
        for _ in range(int(minutes // environment.sample_time)):
            order = controller.policy(
                step.observation, step.reward, step.done, patient_name=name, meal=step.info["meal"],
                sample_time=environment.sample_time,
            )  # fmt: skip
            step = environment.step(order)
        return (time.process_time() - began) * MINUTES_A_DAY / minutes
