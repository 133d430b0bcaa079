"""Closed loop in silico: people, sensor, controller and pump over days.

Every five minutes the sensor is read, the controller orders, the device delivers, and the bodies move on.
A controller is any function of what has been seen so far, for all people at once; it keeps nothing from
one call to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from twin_engine.models.glucose.pump import Device
from twin_engine.models.glucose.sensor import SPACING, Sensor, read
from twin_engine.models.glucose.therapy import Therapy
from twin_engine.models.glucose.uva_padova import EXACT, MINUTES_A_DAY, Array, Patients, basal_state

# Minute of the day, its standard deviation, g, its standard deviation, probability: three meals and snacks
# between them, as simglucose 0.2.11 draws them. Amounts are those of an adult.
MEALS = (
    (420, 60, 45.0, 10.0, 0.95),
    (570, 30, 10.0, 5.0, 0.3),
    (720, 60, 70.0, 10.0, 0.95),
    (900, 30, 10.0, 5.0, 0.3),
    (1080, 60, 80.0, 10.0, 0.95),
    (1290, 30, 10.0, 5.0, 0.3),
)
ADULT = 60.0  # kg; who is lighter eats as much less


@dataclass(frozen=True, slots=True)
class Seen:
    """What a controller knows at ``minute``: readings, meals announced now, and what was delivered.

    ``readings`` (n, k) mg/dL, the newest last; ``carbohydrate`` (n,) g announced for the coming five minutes;
    ``delivered`` (n, minute) U/min.
    """

    minute: int
    readings: Array
    carbohydrate: Array
    delivered: Array


@dataclass(frozen=True, slots=True)
class Order:
    """Basal rate, U/h, and bolus, U, both (n,), for the coming five minutes."""

    basal: Array
    bolus: Array


Controller = Callable[[Seen], Order]


@dataclass(frozen=True, slots=True)
class Course:
    """What came of it: ``glucose`` and ``insulin`` (n, minutes), mg/dL and U/min; ``readings`` (n, k)."""

    glucose: Array
    readings: Array
    insulin: Array


@dataclass(frozen=True, slots=True)
class BasalBolus:
    """Constant basal insulin, and with each meal a bolus for it and for glucose beyond 150 mg/dL.

    The rule of simglucose's controller of that name, with our therapy settings.
    """

    therapy: Therapy
    target: float = 140.0  # mg/dL
    corrects_above: float = 150.0

    def __call__(self, seen: Seen) -> Order:
        glucose = seen.readings[:, -1]
        excess = np.where(glucose > self.corrects_above, glucose - self.target, 0.0)
        needed = seen.carbohydrate / self.therapy.carbohydrate_ratio + excess / self.therapy.correction_factor
        return Order(self.therapy.basal, np.where(seen.carbohydrate > 0, needed, 0.0))


def meals(people: Patients, days: int, rng: Generator) -> Array:
    """Draw what people announce in each minute, g, shape (n, minutes)."""
    n = len(people)
    eaten = np.zeros((n, days * MINUTES_A_DAY))
    share = np.minimum(people["BW"] / ADULT, 1.0)
    for day in range(days):
        for minute, apart, amount, spread, probability in MEALS:
            at = np.clip(np.round(rng.normal(minute, apart, n)), 0, MINUTES_A_DAY - 1).astype(int)
            grams = np.maximum(np.round(share * rng.normal(amount, spread, n)), 0.0)
            takes = rng.uniform(size=n) < probability
            eaten[np.arange(n), day * MINUTES_A_DAY + at] += np.where(takes, grams, 0.0)
    return eaten


def run(
    people: Patients,
    controller: Controller,
    sensor: Sensor,
    device: Device,
    carbohydrate: Array,
    rng: Generator,
    steps: int = EXACT,
) -> Course:
    """Return the course of n people from their basal state on.

    Parameters
    ----------
    carbohydrate : announced in each minute, g, shape (n, minutes), minutes a multiple of five
    rng : for the errors of the sensors
    steps : integration steps a minute

    Raises
    ------
    ValueError
        The minutes are no multiple of five.
    """
    from twin_engine.models.glucose.uva_padova_kernel import Running

    n, minutes = carbohydrate.shape
    if minutes % SPACING:
        raise ValueError(f"the course must be a multiple of {SPACING} minutes")
    running = Running(people, basal_state(people), steps)
    count = minutes // SPACING
    errors = sensor.errors(n, count, rng)
    glucose, insulin, readings = np.empty((n, minutes)), np.empty((n, minutes)), np.empty((n, count))
    now = people["Gb"]
    for k in range(count):
        span = slice(k * SPACING, (k + 1) * SPACING)
        announced = carbohydrate[:, span]
        readings[:, k] = read(sensor, errors, k, now)
        seen = Seen(span.start, readings[:, : k + 1], announced.sum(axis=1), insulin[:, : span.start])
        order = controller(seen)
        insulin[:, span] = device.basal(order.basal)[:, None] / 60
        insulin[:, span.start] += device.bolus(order.bolus)
        glucose[:, span] = running.advance(announced, insulin[:, span])
        now = glucose[:, span.stop - 1]
    return Course(glucose, readings, insulin)
