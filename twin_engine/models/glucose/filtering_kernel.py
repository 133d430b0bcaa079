"""The compiled steps of ``filtering``; imported only where they are run, because numba comes with it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from twin_engine.compilation import compiled
from twin_engine.ensemble import balanced, moments, update
from twin_engine.models.glucose.minimal import LONGEST_DELAY, Array
from twin_engine.models.glucose.minimal_kernel import Given, Minutes, physical, risk, step

SIZE, FLUX, Z = 9, 9, 10  # states, where the flux stands, where the standardised parameters begin
BLOCK = 5  # min: how long the noise is held
LOW = 10.0  # mg/dL: glucose is not taken below it


class Wander(NamedTuple):
    """How flux and parameters (p,) wander: see ``filtering.Habits``."""

    seed: int
    mean: Array
    sd: Array
    drift: float
    flux_sd: float
    flux_minutes: float


@compiled
def begin(members: Array, at: int, glucose: float, spread: float, wander: Wander) -> None:
    """Draw flux, glucose and parameters of members whose other states are set, in place."""
    noise = np.empty(members.shape[0])
    balanced(noise, wander.seed, at, 0)
    roam(members, FLUX, 0.0, 0.0, wander.flux_sd, noise)
    balanced(noise, wander.seed, at, 1)
    for i in range(members.shape[0]):
        members[i, 0] = members[i, 2] = max(glucose + spread * noise[i], LOW)
    for j in range(wander.mean.shape[0]):
        balanced(noise, wander.seed, at, 2 + j)
        roam(members, Z + j, wander.mean[j], 0.0, wander.sd[j], noise)


@compiled
def disturb(members: Array, at: int, wander: Wander) -> None:
    """Let flux and parameters wander for one block, in place: Ornstein-Uhlenbeck, exact over the block."""
    noise = np.empty(members.shape[0])
    stay = math.exp(-BLOCK / wander.flux_minutes)
    balanced(noise, wander.seed, at, 0)
    roam(members, FLUX, 0.0, stay, wander.flux_sd, noise)
    stay = math.exp(-BLOCK / wander.drift)
    for j in range(wander.mean.shape[0]):
        balanced(noise, wander.seed, at, 1 + j)
        roam(members, Z + j, wander.mean[j], stay, wander.sd[j], noise)


@compiled
def roam(members: Array, column: int, mean: float, stay: float, sd: float, noise: Array) -> None:
    """Let one component return to its mean by the factor ``stay`` and scatter so that its variance stays."""
    fresh = sd * math.sqrt(1.0 - stay * stay)
    for i in range(members.shape[0]):
        members[i, column] = mean + stay * (members[i, column] - mean) + fresh * noise[i]


@compiled
def advance(
    members: Array, start: int, k: int, until: int, given: Given, wander: Wander, path: Array
) -> None:
    """Carry members over minutes ``k``..``until``, in place; ``path`` (N, n) takes IG after each."""
    theta = np.empty(wander.mean.shape[0])
    while k < until:
        if (start + k) % BLOCK == 0:
            disturb(members, start + k, wander)
        end = min(until, k + BLOCK - (start + k) % BLOCK)
        for i in range(members.shape[0]):
            physical(members[i, Z:], theta)
            x, d, usual = members[i], members[i, FLUX], risk(theta[0])
            for j in range(k, end):
                step(x, theta, j, given, d, usual)
                path[i, j] = x[2]
        k = end


@compiled
def follow(
    members: Array, start: int, given: Given, wander: Wander, at: Minutes, y: Array, r: Array, limit: float
) -> None:
    """Carry members to the end of the inputs and assimilate readings on the way, in place."""
    path = np.empty((members.shape[0], given.slow.shape[0]))
    h = np.empty((members.shape[0], 1))
    k = 0
    for j in range(at.shape[0]):
        advance(members, start, k, at[j] - start, given, wander, path)
        k = at[j] - start
        h[:, 0] = members[:, 2]
        update(members, h, y[j : j + 1], np.full(1, trusted(h[:, 0], y[j], r[j], limit)), 1.0)
        bound(members)
    advance(members, start, k, given.slow.shape[0], given, wander, path)


@compiled
def trusted(h: Array, y: float, r: float, limit: float) -> float:
    """Return the variance at which a reading is taken: Huber's weight beyond ``limit`` deviations."""
    mean, variance = moments(h)
    surprise = abs(y - mean) / math.sqrt(variance + r)
    return r if surprise <= limit else (variance + r) * surprise / limit - variance


@compiled
def bound(members: Array) -> None:
    """Keep amounts and concentrations positive: a linear update does not know that they are."""
    for i in range(members.shape[0]):
        for j in range(SIZE):
            low = LOW if j == 0 or j == 2 else 0.0
            if j != 1 and members[i, j] < low:
                members[i, j] = low


def warm() -> None:
    """Compile or load the kernels."""
    p, n = 9, LONGEST_DELAY + 1
    members = np.ones((3, Z + p))
    wander = Wander(1, np.zeros(p), np.ones(p), 1.0, 1.0, 1.0)
    given = Given(70.0, 0.0, np.zeros(n), np.zeros(1), np.zeros(n), np.zeros(n, np.int64))
    begin(members, 0, 120.0, 1.0, wander)
    follow(members, 0, given, wander, np.ones(1, np.int64), np.full(1, 120.0), np.ones(1), 3.0)
