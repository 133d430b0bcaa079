"""The controller on virtual people against basal-bolus therapy, in the same days with the same sensors.

Until the controller takes over, and where it will not propose, people are on basal-bolus therapy: its basal
rate, and boluses for meals that are announced. Of a person it is told weight and basal rate; everything else
it learns from sensor, pump and announced meals, as the twin of a real person does. The bodies are of
the UVA/Padova model, of which the controller knows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf

import numpy as np

from twin_engine.models.glucose import closed_loop, controller, population, underway
from twin_engine.models.glucose.checking import violations
from twin_engine.models.glucose.closed_loop import BasalBolus, Order, Seen
from twin_engine.models.glucose.filtering import Ensemble, Habits, Readings, begun, filtered
from twin_engine.models.glucose.following import Followed
from twin_engine.models.glucose.limits import LIMITS, Candidate, Limits, Situation
from twin_engine.models.glucose.minimal import Array, Inputs, Person
from twin_engine.models.glucose.proposing import said
from twin_engine.models.glucose.pump import Pump
from twin_engine.models.glucose.record import EATEN_IN
from twin_engine.models.glucose.sensor import SPACING, Sensor, Vettoretti2019
from twin_engine.models.glucose.uva_padova import FAST, MINUTES_A_DAY

MEMBERS = 64
NOISE = 100.0  # (mg/dL)**2: of a reading
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Setting:
    """A trial of ``hours`` on people drawn by ``seed``, after ``before`` hours of basal-bolus therapy.

    Where meals are not ``announced`` neither therapy knows of any.
    """

    people: int = 30
    hours: int = 24
    before: int = 24
    announced: bool = True
    seed: int = 1
    sensor: Sensor = field(default_factory=Vettoretti2019)
    limits: Limits = LIMITS


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of time in percent, mean glucose in mg/dL and insulin in U a day, each of shape (n,)."""

    in_range: Array
    below_70: Array
    below_54: Array
    above_180: Array
    mean: Array
    insulin: Array


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of both therapies; ``broken`` are limits that orders broke, ``refused`` the share refused."""

    controlled: Outcome
    basal_bolus: Outcome
    broken: tuple[str, ...]
    refused: float


def compared(setting: Setting) -> Compared:
    """Return the outcomes of the same people under both therapies."""
    rng = np.random.default_rng(setting.seed)
    group = population.draw(setting.people, "adult", rng)
    days = -(-(setting.hours + setting.before) // 24)
    minutes, begins = (setting.hours + setting.before) * 60, setting.before * 60
    food = closed_loop.meals(group.people, days, rng)[:, :minutes]
    usual = BasalBolus(group.therapy)
    twins = Twinned(group, usual, begins, setting)

    def outcome(therapy: Callable[[Seen], Order]) -> Outcome:
        heard = therapy if setting.announced else _deaf(therapy)
        errors = np.random.default_rng(setting.seed + 1)
        course = closed_loop.run(group.people, heard, setting.sensor, Pump(), food, errors, FAST)
        return _outcome(course.glucose[:, begins:], course.insulin[:, begins:])

    controlled = outcome(twins)
    return Compared(controlled, outcome(usual), tuple(twins.broken), twins.refused / max(twins.asked, 1))


def difference(
    one: Array, other: Array, rng: np.random.Generator, draws: int = 2000
) -> tuple[float, float, float]:
    """Return the mean paired difference with its 95 % interval, by bootstrap over people."""
    paired = one - other
    means = paired[rng.integers(len(paired), size=(draws, len(paired)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(paired.mean()), float(low), float(high)


def _deaf(therapy: Callable[[Seen], Order]) -> Callable[[Seen], Order]:
    return lambda seen: therapy(replace(seen, carbohydrate=np.zeros_like(seen.carbohydrate)))


def _outcome(glucose: Array, insulin: Array) -> Outcome:
    def share(where: np.ndarray) -> Array:
        return np.asarray(100 * where.mean(axis=1))

    return Outcome(
        in_range=share((glucose >= 70) & (glucose <= 180)),
        below_70=share(glucose < 70),
        below_54=share(glucose < 54),
        above_180=share(glucose > 180),
        mean=glucose.mean(axis=1),
        insulin=insulin.mean(axis=1) * MINUTES_A_DAY,
    )


@dataclass(slots=True)
class Twinned:
    """A controller of n people by their twins, which follow them from call to call: one for each run."""

    group: population.Population
    usual: BasalBolus
    begins: int
    setting: Setting
    broken: list[str] = field(default_factory=list)
    asked: int = 0
    refused: int = 0
    _twins: list[Ensemble] = field(default_factory=list)
    _food: Array = field(default_factory=lambda: np.zeros((0, 0)))

    def __call__(self, seen: Seen) -> Order:
        self._hear(seen)
        known = self.usual(seen)
        order = Order(known.basal.copy(), known.bolus.copy())
        self._twins = [self._followed(i, seen) for i in range(len(self.group))]
        if seen.minute < self.begins:
            return order
        for i in range(len(self.group)):
            found = self._chosen(i, seen)
            self.asked += 1
            if found is None or found.basal is None:
                self.refused += 1
            else:
                order.basal[i], order.bolus[i] = found.basal, found.bolus
        return order

    def _hear(self, seen: Seen) -> None:
        """Add what was announced: a meal is eaten in some minutes from now on."""
        n, ends = len(self.group), seen.minute + SPACING + EATEN_IN
        longer = np.zeros((n, ends))
        if self._food.size:
            longer[:, : self._food.shape[1]] = self._food
        longer[:, seen.minute : seen.minute + EATEN_IN] += seen.carbohydrate[:, None] / EATEN_IN
        self._food = longer

    def _habits(self, i: int) -> Habits:
        return Habits(
            Person(float(self.group.people["BW"][i]), float(self.group.therapy.basal[i]) / 60), seed=i + 1
        )

    def _followed(self, i: int, seen: Seen) -> Ensemble:
        habits, glucose = self._habits(i), float(seen.readings[i, -1])
        if seen.minute == 0:
            return begun(habits, 0, glucose, MEMBERS)
        last = slice(seen.minute - SPACING, seen.minute)
        inputs = Inputs.of(seen.delivered[i, last], self._food[i, last])
        reading = Readings(np.array([seen.minute]), np.array([glucose]), np.array([NOISE]))
        return filtered(self._twins[i], habits, reading, inputs)

    def _chosen(self, i: int, seen: Seen) -> Candidate | None:
        rng = np.random.default_rng((self.setting.seed, i, seen.minute))
        ensemble, person, limits = self._twins[i], self._habits(i).person, self.setting.limits
        here = Followed(ensemble.at, ensemble.members, ensemble.recent, person.weight, person.basal, ())
        course = controller.Course(
            here, np.zeros(controller.HORIZON), self._food[i, seen.minute :], pumped=True
        )
        situation = self._situation(i, seen, course, controller.outlook(course, rng))
        found = controller.chosen(course, situation, rng, limits)
        if found is not None:
            at = _START + timedelta(minutes=seen.minute)
            self.broken += violations(said(found, situation, at, limits), situation, limits)
        return found

    def _situation(
        self, i: int, seen: Seen, course: controller.Course, outlook: tuple[float, float]
    ) -> Situation:
        day = seen.delivered[i, -underway.DAY :]
        basal = course.here.basal
        # Of the first minute of each five, what exceeds the others is a bolus.
        rate = np.repeat(day[SPACING - 1 :: SPACING], SPACING)
        bolus = day - rate
        given = np.flatnonzero(bolus > 1e-9)
        return Situation(
            glucose=float(seen.readings[i, -1]),
            age=0.0,
            foretold=outlook[0],
            width=outlook[1],
            on_board=underway.on_board(bolus, rate, basal),
            day=float(day.sum()),
            weight=course.here.weight,
            usual=basal * 60,
            running=float(rate[-1]) * 60,
            since_bolus=float(len(day) - given[-1]) if len(given) else inf,
        )
