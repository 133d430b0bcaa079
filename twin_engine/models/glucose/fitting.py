"""The small model fitted to a stretch of one person's data: the most probable parameters and their posterior.

As in ReplayBG (Cappon et al. 2023, doi:10.1109/TBME.2023.3286856) with three parts of the day, or with one.
The published likelihood takes what the model leaves unexplained for white noise of 5 mg/dL; whoever has
many readings is then far too sure. ``Discrepancy`` adds to the noise of the sensor a difference between
model and person that lasts (Kennedy & O'Hagan 2001, doi:10.1111/1467-9868.00294); at 0 mg/dL it is the
published one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin_engine import identification
from twin_engine.models.glucose.minimal import Array, Inputs, Person, names, simulated, steady_state
from twin_engine.models.glucose.priors import (
    GB,
    GB_BOUNDS,
    KA2,
    KABS,
    KD,
    KEMPT,
    SG,
    SI_VG,
    parameters,
    violation,
)

REACH = 4.0  # standard deviations of the prior within which parameters are looked for
STIFFNESS = 100.0  # how hard the order of two parameters is kept in least squares


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Standard deviations in mg/dL of the sensor's noise and of a lasting difference, and its duration."""

    white: float = 5.0
    lasting: float = 10.0
    minutes: float = 60.0


PUBLISHED = Discrepancy(lasting=0.0)


@dataclass(frozen=True, slots=True)
class Record:
    """What one fit is made of: readings ``glucose`` (k,) in mg/dL at minutes ``at`` (k,) of ``inputs``.

    A reading at minute 0 is of the end of the first minute. ``before`` are the inputs of the hour before;
    the person is taken to be in a steady state with glucose ``start`` (mg/dL). ``blocks`` is 1 or 3.
    """

    person: Person
    inputs: Inputs
    before: Inputs
    at: NDArray[np.int64]
    glucose: Array
    start: float
    blocks: int = 3
    discrepancy: Discrepancy = Discrepancy()


def fit(record: Record, rng: np.random.Generator, starts: int = 32) -> identification.Fit:
    """Return the parameters of the highest published density, as deviates of the prior, from many starts."""
    p = len(names(record.blocks))
    high = np.full(p, REACH)
    high[0] = (GB_BOUNDS[1] - GB[0]) / GB[1]
    first = np.vstack((np.zeros((1, p)), rng.normal(size=(starts - 1, p))))

    return identification.fitted(
        lambda z: residuals(record, z), np.minimum(-high, -REACH), high, np.clip(first, -3, 3)
    )


def residuals(record: Record, z: Array) -> Array:
    """Return residuals (N, k) whose half sum of squares is minus the published log posterior density."""
    prior = np.column_stack((published_prior(z), STIFFNESS * violation(z)))
    return np.hstack((unexplained(record, z), prior))


def posterior(
    record: Record, starts: Array, rng: np.random.Generator, *, steps: int, burn: int
) -> identification.Posterior:
    """Return draws of the deviates; ``starts`` (chains, p) is where the chains begin."""
    return identification.sampled(lambda z: log_density(record, z), starts, steps, rng, burn)


def log_density(record: Record, z: Array) -> Array:
    """Return the logarithm of the posterior density (N,) over deviates ``z`` (N, p), up to a constant."""
    found = -0.5 * (np.sum(unexplained(record, z) ** 2, axis=1) + np.sum(z**2, axis=1))
    impossible = (violation(z) > 0) | np.any(np.abs(z) > 2 * REACH, axis=1)
    return np.where(impossible, -np.inf, found)


def unexplained(record: Record, z: Array) -> Array:
    """Return what the model with deviates ``z`` (N, p) leaves of the readings, whitened: (N, k)."""
    from twin_engine.models.glucose.fitting_kernel import whiten

    theta = parameters(z)
    x = steady_state(record.person, theta, record.start)
    path, _ = simulated(record.person, theta, x, record.inputs, record.before)
    found, noise = np.empty((len(z), len(record.at))), record.discrepancy
    whiten(path, record.at, record.glucose, noise.white, noise.lasting, noise.minutes, found)
    return found


def published_prior(z: Array) -> Array:
    """Return residuals (N, p) whose half sum of squares is minus the log density of the parameters.

    That is the density over the parameters themselves, as published, not over their deviates: that of a
    lognormal one has its summit at -sd, and a uniform one weighs nothing.
    """
    residuals = z.copy()
    for column, (_, sd) in ((1, SG), (3, KA2), (4, KD), (5, KEMPT)):
        residuals[:, column] += sd
    for first in range(6, z.shape[1], 3):
        residuals[:, first] = _of_gamma(z[:, first])
        residuals[:, first + 1] += KABS[1]
        residuals[:, first + 2] = 0.0
    return residuals


def _of_gamma(z: Array) -> Array:
    shape = SI_VG[0]
    root = np.maximum(1 - 1 / (9 * shape) + z / (3 * np.sqrt(shape)), 0.01)
    summit = np.cbrt((shape - 1) / shape)
    excess = _potential(root, shape) - _potential(summit, shape)
    return np.asarray(np.sign(root - summit) * np.sqrt(2 * np.maximum(excess, 0.0)), np.float64)


def _potential(root: Array | float, shape: float) -> Array | float:
    return shape * root**3 - 3 * (shape - 1) * np.log(root)
