"""The filter, the fit and the stored state of people with type 1 diabetes.

``glucose.enkf_vs_ukf`` is what one CGM reading costs, five minutes of the model and the update: our ensemble
of 32 beside the unscented filter of filterpy with the same compiled right-hand side, which with 33 points
estimates 16 of our 19 numbers (p2, kempt and beta stay where they are). ``glucose.map_32_starts`` fits one
made-up day with the published likelihood and priors of ReplayBG, beside as many descents by Powell's method,
which ReplayBG uses. ``glucose.map_objective`` is minus the logarithm of that posterior, up to a constant, at
the best point of either. A stored state is the part of a twin that grows: ensembles, the inputs of the hour
before, digests. Processor time counts, of several rounds the best.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from filterpy.kalman import MerweScaledSigmaPoints, UnscentedKalmanFilter
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import minimize

from consent.keys import FileKeyProvider
from consent.vault import Vault
from tests.bench.figures import Figure, against
from tests.consent.sample import database
from tests.twin_engine.models.glucose import synthetic
from twin_engine.encoding import decode, encode
from twin_engine.estimation import Checkpoint
from twin_engine.models.glucose import fitting
from twin_engine.models.glucose.filtering import Habits, Readings, begun, filtered
from twin_engine.models.glucose.filtering_kernel import Z
from twin_engine.models.glucose.fitting import PUBLISHED, Discrepancy, Record
from twin_engine.models.glucose.following import Followed
from twin_engine.models.glucose.minimal import given
from twin_engine.models.glucose.minimal_kernel import Given, physical, risk, step

Array = NDArray[np.float64]

MEALS = ((470, 0.0, 5.0), (480, 50.0, 0.0), (780, 70.0, 7.0), (1140, 60.0, 6.0))
NOISE = 4.0  # mg/dL
TWINS = 10_000
ROUNDS = 3
FIXED = (Z + 2, Z + 5, Z + 8)


def measure(short: bool) -> tuple[list[Figure], list[str]]:
    """Measure all; ``short`` gives Powell one descent and seals a tenth of the twins."""
    filters, errors = _filters()
    fits, starts = _fits(1 if short else 8)
    stored, size = _stored(TWINS // 10 if short else TWINS)
    return [*filters, *fits, *stored], [
        f"filters: root mean square error of glucose {errors[0]:.2f} (ours), {errors[1]:.2f} mg/dL (theirs)",
        f"fit: {starts} of our 32 descents end within 0.01 of the best",
        f"state: {size:,} bytes a person, ensembles of 64 at three instants",
    ]


@dataclass(frozen=True, slots=True)
class Day:
    """A made-up day: what was given, what was read, and glucose as it was after each minute."""

    inputs: Any
    before: Any
    readings: Readings
    truth: Array


def _day() -> Day:
    rng = np.random.default_rng(3)
    z = synthetic.drawn(rng)[0]
    inputs, before = synthetic.given(1440, MEALS)
    read = synthetic.record(z, inputs, before, rng, Discrepancy(NOISE, 0.0))
    clean = synthetic.record(z, inputs, before, rng, Discrepancy(1e-9, 0.0))
    readings = Readings(read.at + 1, read.glucose, np.full(len(read.at), NOISE**2))
    return Day(inputs, before, readings, clean.glucose)


def _filters() -> tuple[list[Figure], tuple[float, float]]:
    day, habits = _day(), Habits(synthetic.PERSON)
    ensemble = begun(habits, 0, float(day.readings.glucose[0]))
    ours = _best(lambda: filtered(ensemble, habits, day.readings, day.inputs)) / len(day.readings.minutes)
    theirs, estimates = _unscented(day, habits)
    own = []
    for n in range(len(day.readings.minutes)):
        part = slice(5 * n, 5 * n + 5)
        whole = day.inputs
        piece = type(whole)(
            *(one[part] for one in (whole.insulin, whole.carbohydrates, whole.slow, whole.parts))
        )
        read = day.readings
        at = Readings(read.minutes[n : n + 1], read.glucose[n : n + 1], read.variance[n : n + 1])
        ensemble = filtered(ensemble, habits, at, piece)
        own.append(ensemble.glucose.mean())
    errors = tuple(float(np.sqrt(np.mean((np.array(one) - day.truth) ** 2))) for one in (own, estimates))
    return [against("glucose.enkf_vs_ukf", ours * 1000, theirs * 1000, "ms/reading")], (errors[0], errors[1])


@njit(error_model="numpy")
def _carry(member: Array, k: int, whole: Given, theta: Array) -> None:
    physical(member[Z:], theta)
    usual = risk(theta[0])
    for minute in range(k, k + 5):
        step(member, theta, minute, whole, member[Z - 1], usual)


def _unscented(day: Day, habits: Habits) -> tuple[float, list[float]]:
    """Return the peer's seconds a reading, and its estimates of interstitial glucose."""
    free = [i for i in range(Z + 9) if i not in FIXED]
    first = begun(habits, 0, float(day.readings.glucose[0]), members=64).members
    whole, theta, start = given(habits.person, day.before, day.inputs), np.empty(9), first.mean(axis=0)
    stay, drift = np.exp(-5 / habits.flux_minutes), np.exp(-5 / habits.drift)

    def fx(x: Array, dt: float, k: int) -> Array:
        member = start.copy()
        member[free] = x
        member[Z - 1] *= stay
        _carry(member, k, whole, theta)
        return member[free]

    points = MerweScaledSigmaPoints(len(free), alpha=0.5, beta=2.0, kappa=3.0 - len(free))
    ukf = UnscentedKalmanFilter(len(free), 1, 5.0, lambda x: x[2:3], fx, points)
    scatter = np.concatenate(
        (np.full(9, 1e-6), [habits.flux_sd**2 * (1 - stay**2)], habits.sd**2 * (1 - drift**2))
    )
    ukf.x, ukf.Q, ukf.R = start[free], np.diag(scatter[free]), np.array([[NOISE**2]])
    ukf.P = np.cov(first.T)[np.ix_(free, free)] + 1e-6 * np.eye(len(free))
    fx(ukf.x, 5.0, 0)
    found, began = [], time.process_time()
    for n, glucose in enumerate(day.readings.glucose):
        ukf.predict(k=5 * n)
        ukf.update(glucose)
        ukf.P = (ukf.P + ukf.P.T) / 2 + 1e-9 * np.eye(len(free))
        found.append(float(ukf.x[2]))
    return (time.process_time() - began) / len(found), found


def _fits(descents: int) -> tuple[list[Figure], int]:
    rng = np.random.default_rng(5)
    z = synthetic.drawn(rng, blocks=3)[0]
    day = synthetic.record(z, *synthetic.given(1440, MEALS, blocks=3), rng, PUBLISHED)
    fitting.fit(day, np.random.default_rng(1), 1)
    began = time.process_time()
    fit = fitting.fit(day, np.random.default_rng(1))
    ours = time.process_time() - began
    began = time.process_time()
    powell = min(_descent(day, start) for start in synthetic.drawn(rng, blocks=3, size=descents))
    theirs = (time.process_time() - began) / descents * 32
    near = int(np.sum(fit.objectives < fit.objective + 0.01))
    return [
        against("glucose.map_32_starts", ours, theirs, "s"),
        Figure("glucose.map_objective", fit.objective, "nats", powell),
    ], near


def _descent(day: Record, start: Array) -> float:
    """Return where Powell's method ends."""

    def objective(z: Array) -> float:
        return 0.5 * float(np.sum(fitting.residuals(day, z[None]) ** 2))

    bounds = [(-fitting.REACH, fitting.REACH)] * len(start)
    inside = np.clip(start, -fitting.REACH, fitting.REACH)
    return float(minimize(objective, inside, method="Powell", bounds=bounds).fun)


def _stored(twins: int) -> tuple[list[Figure], int]:
    state = _state()
    plain = encode(state)
    owners = [f"twin/{n:032x}" for n in range(twins)]
    with TemporaryDirectory() as folder:
        provider = FileKeyProvider.create(Path(folder) / "keys" / "root.json")
        vault = Vault(provider, database(Path(folder) / "vault.sqlite"), "north", capacity=2 * twins)
        sealed = [vault.seal(owner, ("snapshot", "1"), plain) for owner in owners]
        seal = _best(lambda: [vault.seal(owner, ("snapshot", "2"), encode(state)) for owner in owners])
        opened = _best(
            lambda: [
                decode(Followed, vault.open(owner, ("snapshot", "1"), one))
                for owner, one in zip(owners, sealed, strict=True)
            ]
        )
    scale = TWINS / twins
    return [
        Figure("glucose.state_10000", TWINS * len(sealed[0]) / 2**20, "MiB"),
        Figure("glucose.seal_10000", seal * scale, "s"),
        Figure("glucose.open_10000", opened * scale, "s"),
    ], len(plain)


def _state() -> Followed:
    habits = Habits(synthetic.PERSON)
    one = begun(habits, 0, 120.0, members=64)
    points = tuple(Checkpoint(one.at, "0" * 64, one.members) for _ in range(2))
    return Followed(one.at, one.members, one.recent, habits.person.weight, habits.person.basal, points)


def _best(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)
