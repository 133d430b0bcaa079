"""The patient filter: an ensemble Kalman filter over the small model, fed with CGM readings.

Each member carries the states of ``minimal`` with one block of parameters, a flux of glucose of unknown
origin (a meal that nobody announced, exercise, stress), and the parameters in standard deviations of their
published prior. Flux and parameters wander (Ornstein-Uhlenbeck), so insulin sensitivity may drift and an
ensemble never becomes sure of itself. Minutes are whole and count from 1970 UTC.

    ensemble = begun(habits, at=minute, glucose=first)
    ensemble = filtered(ensemble, habits, readings, inputs)      # to the end of the inputs
    glucose = predicted(ensemble, habits, inputs, rng)           # (N, minutes)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin_engine.models.glucose.minimal import (
    LONGEST_DELAY,
    Array,
    Inputs,
    Person,
    given,
    names,
    size,
    steady_state,
)
from twin_engine.models.glucose.priors import parameters

PARAMETERS = names(1)
FIRST_SPREAD = 10.0  # mg/dL: how far the members of a new ensemble lie apart


@dataclass(frozen=True, slots=True)
class Habits:
    """The person, and what the filter takes for granted of how things wander.

    ``mean`` and ``sd`` (9,) are of the person's parameters in standard deviations of the published prior;
    ``drift`` is how many minutes they keep a departure from that. The flux has a standard deviation in
    mg/dL/min and lasts ``flux_minutes``. A reading further off than ``limit`` standard deviations counts for
    less. ``seed`` chooses the noise.

    The published priors are of simulated adults who are at rest at 119 mg/dL. What is set otherwise here was
    chosen on the first 60 % of the days of 11 people of T1D-UOM (Alsuhaymi et al. 2025), for the error of
    forecasts of 30 and 60 minutes.
    """

    person: Person
    mean: Array = field(default_factory=lambda: _with(np.zeros(len(PARAMETERS)), Gb=2.0, SG=-2.0))
    sd: Array = field(default_factory=lambda: _with(np.ones(len(PARAMETERS)), Gb=4.0))
    drift: float = 14 * 1440.0
    flux_sd: float = 1.3
    flux_minutes: float = 18.0
    limit: float = 3.0
    seed: int = 1


def _with(values: Array, **chosen: float) -> Array:
    for name, value in chosen.items():
        values[PARAMETERS.index(name)] = value
    return values


@dataclass(frozen=True, slots=True)
class Readings:
    """CGM readings in rising order: minutes (k,) since 1970, mg/dL (k,), and their variances (k,)."""

    minutes: NDArray[np.int64]
    glucose: Array
    variance: Array


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What is known at minute ``at``: ``members`` (N, 19), and the inputs of the hour before (2, 60).

    Those are insulin in U/min and carbohydrates in g/min. A member is 9 states of ``minimal``, the flux in
    mg/dL/min and 9 standardised parameters.
    """

    at: int
    members: Array
    recent: Array

    @property
    def glucose(self) -> Array:
        """Interstitial glucose of each member (N,) in mg/dL."""
        return self.members[:, 2]


def begun(habits: Habits, at: int, glucose: float, members: int = 32) -> Ensemble:
    """Return an ensemble that knows nothing but about what glucose (mg/dL) is at minute ``at``."""
    from twin_engine.models.glucose.filtering_kernel import begin

    person, p = habits.person, len(PARAMETERS)
    drawn = np.zeros((members, size(1) + 1 + p))
    begin(drawn, at, glucose, FIRST_SPREAD, _wander(habits, habits.seed))
    drawn[:, 3:6] = steady_state(person, parameters(drawn[:, -p:]), glucose)[:, 3:6]
    recent = np.zeros((2, LONGEST_DELAY))
    recent[0] = person.basal
    return Ensemble(at, drawn, recent)


def filtered(ensemble: Ensemble, habits: Habits, readings: Readings, inputs: Inputs) -> Ensemble:
    """Return the ensemble at the end of ``inputs``, which begin at ``ensemble.at``, having met ``readings``.

    Raises
    ------
    ValueError
        If readings are not in order, or lie outside the minutes of the inputs.
    """
    from twin_engine.models.glucose.filtering_kernel import follow

    end, at = ensemble.at + len(inputs.insulin), readings.minutes
    if len(at) and (np.any(np.diff(at) < 0) or at[0] < ensemble.at or at[-1] > end):
        raise ValueError("readings are in order and within the minutes of the inputs")
    members, whole = ensemble.members.copy(), given(habits.person, Inputs.of(*ensemble.recent), inputs)
    wander = _wander(habits, habits.seed)
    follow(members, ensemble.at, whole, wander, at, readings.glucose, readings.variance, habits.limit)
    recent = np.stack((whole.fast, whole.food))[:, -LONGEST_DELAY:]
    return Ensemble(end, members, recent)


def predicted(ensemble: Ensemble, habits: Habits, inputs: Inputs, rng: np.random.Generator) -> Array:
    """Return interstitial glucose (N, n) in mg/dL after each minute of ``inputs`` from ``ensemble.at`` on."""
    from twin_engine.models.glucose.filtering_kernel import advance

    members = ensemble.members.copy()
    path = np.empty((len(members), len(inputs.insulin)))
    wander = _wander(habits, int(rng.integers(2**62)))
    whole = given(habits.person, Inputs.of(*ensemble.recent), inputs)
    advance(members, ensemble.at, 0, path.shape[1], whole, wander, path)
    return path


def _wander(habits: Habits, seed: int) -> Any:  # a tuple of the compiled module
    from twin_engine.models.glucose.filtering_kernel import Wander

    return Wander(seed, habits.mean, habits.sd, habits.drift, habits.flux_sd, habits.flux_minutes)
