"""Therapies to try on the type 1 diabetes twin: doses, meals, a basal rate scaled, a bolus missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain

import numpy as np
from numpy.random import Generator

from twin_engine.models.glucose.foretelling import eaten, fanned
from twin_engine.models.glucose.minimal import Array, Inputs, appearance
from twin_engine.models.glucose.record import EATEN_IN, FAST, FOOD, LONG, SENSOR
from twin_engine.models.glucose.state import Ahead, State
from twin_engine.twin import Dose, Plan, Reason, Trajectory

HOURS = 8
# More than these at once is a slip of the finger, not a therapy (U, g).
MOST = {FAST: 50.0, LONG: 100.0, FOOD: 300.0}
MOST_SCALED = 3.0


def plan_doubts(state: State, plan: Plan, until: datetime) -> Iterator[Reason]:
    """Yield why the twin cannot try ``plan``."""
    for name in sorted({*plan.signals, *plan.treatments, *(plan.scaled.keys() - {FAST})}):
        yield Reason("out-of-scope", name, "The twin has no such input to plan.")
    for factor in plan.scaled.values():
        if not 0 <= factor <= MOST_SCALED:
            yield Reason("out-of-range", FAST, f"Basal insulin is scaled by 0 to {MOST_SCALED:g}.")
    for dose in plan.doses:
        yield from _dose_doubts(state, dose, until)
    if not timedelta() < until - state.at <= timedelta(hours=HOURS):
        yield Reason("out-of-range", "until", f"The twin looks at most {HOURS} hours ahead.")


def _dose_doubts(state: State, dose: Dose, until: datetime) -> Iterator[Reason]:
    if dose.substance not in MOST:
        yield Reason("out-of-scope", dose.substance, "The twin has no such input to plan.")
    elif not 0 <= dose.amount <= MOST[dose.substance]:
        yield Reason("out-of-range", dose.substance, "The dose is more than anybody takes at once.")
    if not state.at <= dose.time <= until:
        yield Reason("out-of-range", dose.substance, "A planned dose lies between now and the end.")


def explored(state: State, plan: Plan, until: datetime, rng: Generator) -> Trajectory:
    """Return the course of glucose under ``plan``, which raises no doubts."""
    here, ahead = state.filter, state.ahead
    if here is None or ahead is None or state.newest is None:
        raise ValueError("a state without readings has no future to explore")
    fan = fanned(here, _inputs(state, ahead, plan, until), state.at, rng)
    course = fan.course()
    first = float(np.median(here.ensemble.glucose))
    times = (0.0, *course.times)
    values = tuple(chain((first,), course.median()))
    return Trajectory(state.at, times, {SENSOR: values}, until - state.at, (course,))


def _inputs(state: State, ahead: Ahead, plan: Plan, until: datetime) -> Inputs:
    start = state.at
    n = int((until - start) / timedelta(minutes=1))
    insulin = ahead.insulin[:n] * plan.scaled.get(FAST, 1.0)
    food, slow = eaten(state, n), ahead.slow[:n].copy()
    for dose in plan.doses:
        minute = min(int((dose.time - start) / timedelta(minutes=1)), n - 1)
        if dose.substance == LONG:
            slow += appearance(np.array([dose.amount]), np.array([float(minute)]), n)
        else:
            _add(food if dose.substance == FOOD else insulin, dose, start, minute)
    return Inputs.of(insulin, food, slow)


def _add(rate: Array, dose: Dose, start: datetime, minute: int) -> None:
    """Add a dose: over its own time, or at once; a meal without an end takes minutes to eat."""
    length = EATEN_IN if dose.substance == FOOD else 1
    if dose.until is not None:
        length = max(int((dose.until - start) / timedelta(minutes=1)) - minute, 1)
    rate[minute : minute + length] += dose.amount / length
