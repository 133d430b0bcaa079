"""A model-predictive proposal of basal rate and bolus, from the patient filter's ensemble.

Candidates are rolled out over versions of the person that agree with the readings. What a path of glucose g
costs grows with the square of its distance from a zone, as in zone model-predictive control of insulin
(Grosman 2010, doi:10.1177/193229681000400428), and faster below it than above (Gondhalekar 2016,
doi:10.1016/j.automatica.2016.04.015)::

    J = mean of ((g - 140)+^2 + 8 (100 - g)+^2 + 60 (85 - g)+^2)  +  change of basal rate, and bolus, squared

Disturbances to come are unknown and taken as none; what has been disturbing lasts as long as the filter says.
A basal rate holds for half an hour, then the usual one goes on. The best candidate is brought within the
limits afterwards, so that no weight of the cost can move them. The weights were chosen on virtual people
(seed 7 of ``trial``), six of them, so that low glucose was no more frequent than under basal-bolus therapy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from twin_engine.models.glucose.filtering import Ensemble, predicted
from twin_engine.models.glucose.following import Followed
from twin_engine.models.glucose.limits import LIMITS, Candidate, Limits, Situation, bounded, suspended
from twin_engine.models.glucose.minimal import Array, Inputs

MEMBERS = 16  # of the ensemble, evenly chosen
HORIZON = 300  # minutes
HELD = 30  # minutes
FACTORS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)  # of the usual basal rate
SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)  # of the largest bolus
FINER = (0.1, 0.05, 0.02)
HIGH, LOW, VERY_LOW = 140.0, 100.0, 85.0  # mg/dL
STEEP, STEEPER = 8.0, 60.0
CHANGE, BOLUS = 5.0, 0.5  # (mg/dL)**2 per squared factor of the basal rate, and per squared U


@dataclass(frozen=True, slots=True)
class Course:
    """Where the person stands and what comes of itself.

    ``slow`` (n,) is what appears of long-acting insulin in U/min, ``eating`` (k,) food in g/min, for the next
    minutes; ``pumped`` tells whether there is a pump.
    """

    here: Followed
    slow: Array
    eating: Array
    pumped: bool

    @property
    def usual(self) -> float:
        """Return the usual rate of the pump in U/min."""
        return self.here.basal if self.pumped else 0.0

    def inputs(self, candidate: Candidate, minutes: int) -> Inputs:
        """Return the inputs of the next minutes under ``candidate``."""
        insulin, food = np.full(minutes, self.usual), np.zeros(minutes)
        if candidate.basal is not None:
            insulin[:HELD] = candidate.basal / 60
        insulin[0] += candidate.bolus
        k = min(len(self.eating), minutes)
        food[:k] = self.eating[:k]
        return Inputs.of(insulin, food, self.slow[:minutes])


def chosen(course: Course, situation: Situation, rng: Generator, limits: Limits = LIMITS) -> Candidate | None:
    """Return the best candidate within ``limits``; None where too little is known to allow anything."""
    idle = Candidate(course.usual * 60 if course.pumped else None, 0.0)
    if bounded(idle, situation, limits) is None or suspended(situation, limits):
        return bounded(idle, situation, limits)
    trial = _Trial(course, _few(course.here), int(rng.integers(2**62)))
    best = idle
    if course.pumped:
        best = trial.best(replace(idle, basal=factor * course.usual * 60) for factor in FACTORS)
    largest = bounded(Candidate(idle.basal, limits.bolus), situation, limits)
    if largest is not None and largest.bolus > 0 and not _less(best, idle):
        best = _dosed(trial, best, idle, largest.bolus)
    return bounded(best, situation, limits)


def _less(best: Candidate, idle: Candidate) -> bool:
    """Tell whether less basal insulin than usual is best: a bolus then is not looked for."""
    return best.basal is not None and idle.basal is not None and best.basal < idle.basal


def _dosed(trial: _Trial, best: Candidate, idle: Candidate, largest: float) -> Candidate:
    """Return the best with a bolus: from coarse steps to fine ones, and with the usual rate as well."""
    basals = dict.fromkeys((best.basal, idle.basal))
    best = trial.best(Candidate(basal, part * largest) for basal in basals for part in SHARES)
    for fine in FINER if best.bolus > 0 else ():
        near = (best.bolus + step * fine * largest for step in (-1, 0, 1))
        best = trial.best([Candidate(best.basal, min(max(each, 0.0), largest)) for each in near])
    return best


def _few(here: Followed) -> Ensemble:
    """Return the ensemble by every so many of its members."""
    every = max(len(here.members) // MEMBERS, 1)
    return Ensemble(here.at, here.members[::every], here.recent)


@dataclass(frozen=True, slots=True)
class _Trial:
    course: Course
    ensemble: Ensemble
    seed: int

    def best(self, candidates: Iterable[Candidate]) -> Candidate:
        return min(candidates, key=self.cost)

    def cost(self, candidate: Candidate) -> float:
        """Return J; every candidate meets the same members with the same noise."""
        habits = replace(self.course.here.habits, flux_sd=0.0)
        inputs = self.course.inputs(candidate, HORIZON)
        paths = predicted(self.ensemble, habits, inputs, np.random.default_rng(self.seed))
        return float(zone_cost(paths[:, 4::5]).mean()) + self._effort(candidate)

    def _effort(self, candidate: Candidate) -> float:
        effort = BOLUS * candidate.bolus**2
        if candidate.basal is not None and self.course.usual > 0:
            effort += CHANGE * (candidate.basal / 60 / self.course.usual - 1) ** 2
        return effort


def zone_cost(glucose: Array) -> Array:
    """Return what each value of glucose costs."""
    high, low, very = (np.maximum(each, 0.0) for each in (glucose - HIGH, LOW - glucose, VERY_LOW - glucose))
    return np.asarray(high**2 + STEEP * low**2 + STEEPER * very**2)


def outlook(course: Course, rng: Generator) -> tuple[float, float]:
    """Return the lowest median within 30 minutes, and the width of the 90 % interval in 60, mg/dL.

    The usual therapy goes on, and what disturbs goes on disturbing.
    """
    inputs = course.inputs(Candidate(None, 0.0), 60)
    paths = predicted(course.here.ensemble, course.here.habits, inputs, rng)
    low, high = np.quantile(paths[:, -1], (0.05, 0.95))
    return float(np.median(paths[:, :30], axis=0).min()), float(high - low)
