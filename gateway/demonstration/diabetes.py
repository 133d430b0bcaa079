"""A life with type 1 diabetes, a pump and a glucose sensor: two weeks of it, and a day to come.

The body is one drawn from the virtual population (UVA/Padova), the sensor's errors are those of Vettoretti
2019. The person counts carbohydrates as people do, sometimes wrongly, and now and then forgets a bolus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from gateway.demonstration import resources as fhir
from gateway.demonstration.resources import Resource
from twin_engine.models.glucose import closed_loop, population
from twin_engine.models.glucose.pump import Pump
from twin_engine.models.glucose.sensor import SPACING, Vettoretti2019
from twin_engine.models.glucose.uva_padova import FAST, MINUTES_A_DAY, Array, basal_state, simulate

DAY = timedelta(days=1)
DAYS = 14
_AHEAD = 2  # days after the midnight before now
_MISCOUNT = 0.35  # standard deviation of the logarithm of a bolus against what the meal needs
_FORGOTTEN = 0.06  # of the boluses
_GAP = (0.3, 0.34)  # of the days, where the sensor was changed
_CHANGED_ON = (3, 13)
TYPE_1 = fhir.concept(fhir.SNOMED, "46635009", "Diabetes mellitus type 1") | {
    "coding": [
        {"system": fhir.SNOMED, "code": "46635009", "display": "Diabetes mellitus type 1"},
        {"system": fhir.ICD10, "code": "E10.9", "display": "Type 1 diabetes mellitus without complications"},
    ]
}


@dataclass(frozen=True, slots=True)
class Meal:
    """``grams`` of carbohydrate and ``units`` of insulin for them; none where it was forgotten."""

    at: datetime
    grams: float
    units: float


@dataclass(frozen=True, slots=True)
class Diary:
    """What sensor, pump and person record from ``start`` on, also of the day that is still to come.

    ``readings`` in mg/dL every five minutes; ``basal`` in U/h; ``ratio`` in g/U.
    """

    start: datetime
    readings: tuple[float, ...]
    meals: tuple[Meal, ...]
    basal: float
    ratio: float

    def reading(self, at: datetime) -> float:
        """Return what the sensor shows at ``at``, in mg/dL."""
        place = (at - self.start) / timedelta(minutes=SPACING)
        return float(np.interp(place, np.arange(len(self.readings)), self.readings))


def lived(now: datetime, rng: np.random.Generator) -> Diary:
    """Return the diary of a person drawn for it: fourteen full days (UTC), today, and the next day."""
    start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAYS * DAY
    days = DAYS + _AHEAD
    person = population.draw(1, "adult", rng)
    pump, basal = Pump(), person.therapy.basal
    eaten = closed_loop.meals(person.people, days, rng)
    # What is still to come is not known to anybody, and so is not eaten.
    eaten[:, int((now - start) / timedelta(minutes=1)) :] = 0.0
    counted = np.exp(rng.normal(0, _MISCOUNT, eaten.shape)) * (rng.uniform(size=eaten.shape) > _FORGOTTEN)
    bolus = pump.bolus(eaten / person.therapy.carbohydrate_ratio[:, None] * counted)
    insulin = bolus + pump.basal(basal)[:, None] / 60
    glucose, _ = simulate(person.people, basal_state(person.people), eaten, insulin, FAST)
    return Diary(
        start=start,
        readings=_shown(glucose[:, ::SPACING], rng),
        meals=tuple(_meals(start, eaten[0], bolus[0])),
        basal=round(float(pump.basal(basal)[0]), 2),
        ratio=float(person.therapy.carbohydrate_ratio[0]),
    )


def _shown(glucose: Array, rng: np.random.Generator) -> tuple[float, ...]:
    sensor = Vettoretti2019()
    errors = sensor.errors(1, glucose.shape[1], rng)
    read = np.clip(errors.gain * glucose + errors.offset, sensor.low, sensor.high)
    return tuple(np.round(read[0]).tolist())


def _meals(start: datetime, eaten: Array, bolus: Array) -> Iterator[Meal]:
    for minute in np.flatnonzero(eaten).tolist():
        at = start + timedelta(minutes=minute)
        yield Meal(at, float(eaten[minute]), round(float(bolus[minute]), 2))


def history(subject: str, diary: Diary, now: datetime) -> Iterator[Resource]:
    """Yield what the hospital holds: traces of days, the single readings of the last one, doses and meals."""
    yield fhir.condition(f"{subject}-diabetes-1", subject, TYPE_1, now - 4000 * DAY)
    for day in range(DAYS):
        start = diary.start + day * DAY
        end = min(start + DAY, now - DAY)
        if start <= end:
            yield fhir.trace(f"{subject}-sensor-{day + 1}", subject, start, _samples(diary, day, end))
        yield basal(f"{subject}-basal-{day + 1}", subject, diary, start, start + DAY)
    today = diary.start + DAYS * DAY
    if now - today > timedelta(minutes=SPACING):
        yield basal(f"{subject}-basal-today", subject, diary, today, now)
    yield from _single(subject, diary, now)
    for number, meal in enumerate(diary.meals):
        yield from eating(f"{subject}-meal-{number + 1}", subject, meal)


def _samples(diary: Diary, day: int, end: datetime) -> list[float | None]:
    """Return the readings of a day up to ``end``; None where a new sensor warmed up."""
    each = MINUTES_A_DAY // SPACING
    taken: list[float | None] = [*diary.readings[day * each : (day + 1) * each]]
    if day in _CHANGED_ON:
        first, last = (int(share * each) for share in _GAP)
        taken[first:last] = [None] * (last - first)
    return taken[: int((end - diary.start - day * DAY) / timedelta(minutes=SPACING)) + 1]


def _single(subject: str, diary: Diary, now: datetime) -> Iterator[Resource]:
    spacing = timedelta(minutes=SPACING)
    last = int((now - diary.start) / spacing)
    for number in range(last - int(DAY / spacing) + 1, last + 1):
        at = diary.start + number * spacing
        yield reading(f"{subject}-reading-{number}", subject, diary, at)


def reading(identity: str, subject: str, diary: Diary, at: datetime) -> Resource:
    """Return one reading of the sensor."""
    return fhir.measurement(identity, subject, fhir.SENSOR_GLUCOSE, diary.reading(at), at)


def basal(identity: str, subject: str, diary: Diary, start: datetime, end: datetime) -> Resource:
    """Return what the pump gave evenly over a time."""
    return fhir.infusion(identity, subject, fhir.LISPRO, diary.basal, start, end)


def eating(stem: str, subject: str, meal: Meal) -> Iterator[Resource]:
    """Yield a meal, and the bolus for it unless it was forgotten."""
    yield fhir.measurement(f"{stem}-food", subject, fhir.CARBOHYDRATES, meal.grams, meal.at)
    if meal.units:
        yield fhir.injection(f"{stem}-bolus", subject, fhir.LISPRO, meal.units, meal.at)
