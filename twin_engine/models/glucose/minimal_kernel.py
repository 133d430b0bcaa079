"""The compiled steps of ``minimal``; imported only where they are run, because numba comes with it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin_engine.compilation import compiled
from twin_engine.models.glucose import priors
from twin_engine.models.glucose.minimal import DELAY_OF_INSULIN, KE, LONGEST_DELAY, R1, R2, VG, VI, Array

Minutes = NDArray[np.int64]

ALPHA = 7.0  # min
F = 0.9
G_TH = 60.0  # mg/dL

GB, GB_SD = priors.GB
GB_LOW, GB_HIGH = priors.GB_BOUNDS
ROOT_P2, ROOT_P2_SD = priors.ROOT_P2
RATES = ((1, *priors.SG), (3, *priors.KA2), (4, *priors.KD), (5, *priors.KEMPT))
KABS, KABS_SD = priors.KABS
SHAPE, SCALE = priors.SI_VG


class Given(NamedTuple):
    """What is the same for all members: weight (kg), basal rate (U/min), inputs as ``step`` takes them."""

    weight: float
    basal: float
    fast: Array
    slow: Array
    food: Array
    part: Minutes


@compiled
def physical(z: Array, theta: Array) -> None:
    """Turn deviates ``z`` (p,) into parameters: see ``priors``."""
    theta[0] = min(max(GB + GB_SD * z[0], GB_LOW), GB_HIGH)
    theta[2] = (ROOT_P2 + ROOT_P2_SD * z[2]) ** 2
    for column, mean, sd in RATES:
        theta[column] = math.exp(mean + sd * z[column])
    for i in range(6, theta.shape[0], 3):
        theta[i] = gamma(z[i], SHAPE) * SCALE / VG
        theta[i + 1] = math.exp(KABS + KABS_SD * z[i + 1])
        theta[i + 2] = LONGEST_DELAY * 0.5 * math.erfc(-z[i + 2] / math.sqrt(2.0))


@compiled
def gamma(z: float, shape: float) -> float:
    """Return a gamma variate at the deviate: Wilson & Hilferty 1931, doi:10.1073/pnas.17.12.684."""
    root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * math.sqrt(shape))
    return shape * max(root, 0.01) ** 3


@compiled
def all_physical(z: Array, theta: Array) -> None:
    """Turn deviates (N, p) into parameters (N, p)."""
    for i in range(z.shape[0]):
        physical(z[i], theta[i])


@compiled
def delayed(u: Array, k: int, delay: float) -> float:
    """Return the input ``delay`` minutes before minute ``k``, whose index in ``u`` is k + LONGEST_DELAY."""
    whole = int(delay)
    share = delay - whole
    at = k + LONGEST_DELAY - whole
    if share == 0.0:
        return float(u[at])
    return float((1.0 - share) * u[at] + share * u[at - 1])


@compiled
def eaten(food: Array, part: Minutes, m: int, k: int, delay: float) -> float:
    """Return the same of the meals of part ``m``."""
    whole = int(delay)
    share = delay - whole
    at = k + LONGEST_DELAY - whole
    amount = (1.0 - share) * food[at] if part[at] == m else 0.0
    if share > 0.0 and part[at - 1] == m:
        amount += share * food[at - 1]
    return float(amount)


@compiled
def risk(g: float) -> float:
    """Return the scale on which insulin action grows below basal glucose."""
    return float(math.log(g) ** R2)


@compiled
def step(x: Array, theta: Array, k: int, given: Given, d: float, usual: float) -> None:
    """Carry a member ``x`` (size,) over minute ``k``, in place, by backward Euler; ``usual`` is risk(Gb)."""
    entry = 1000.0 / (given.weight * VI)
    gb, sg, p2, ka2, kd, kempt = theta[0], theta[1], theta[2], theta[3], theta[4], theta[5]
    now = given.part[k + LONGEST_DELAY]
    x[3] = (x[3] + entry * delayed(given.fast, k, DELAY_OF_INSULIN)) / (1.0 + kd)
    x[4] = (x[4] + kd * x[3]) / (1.0 + ka2)
    x[5] = (x[5] + ka2 * x[4] + entry * given.slow[k]) / (1.0 + KE)
    ra = 0.0
    for m in range((theta.shape[0] - 6) // 3):
        kabs, beta = theta[7 + 3 * m], theta[8 + 3 * m]
        cho = eaten(given.food, given.part, m, k, beta) * 1000.0 / given.weight
        i = 6 + 3 * m
        x[i] = (x[i] + cho) / (1.0 + kempt)
        x[i + 1] = (x[i + 1] + kempt * x[i]) / (1.0 + kempt)
        x[i + 2] = (x[i + 2] + kempt * x[i + 1]) / (1.0 + kabs)
        ra += F * kabs * x[i + 2]
    x[1] = (x[1] + p2 * theta[6 + 3 * now] * (x[5] - entry * given.basal / KE)) / (1.0 + p2)
    flux, clearance = (d, 0.0) if d > 0.0 else (0.0, -d / gb)
    rho = 1.0
    if x[0] < gb:
        rho += 10.0 * R1 * (risk(max(x[0], G_TH)) - usual) ** 2
    x[0] = (x[0] + sg * gb + ra / VG + flux) / (1.0 + sg + clearance + rho * x[1])
    x[2] = (x[2] + x[0] / ALPHA) / (1.0 + 1.0 / ALPHA)


@compiled
def run(x: Array, theta: Array, given: Given, path: Array) -> None:
    """Carry members ``x`` (N, size) over all minutes, in place; ``path`` (N, n) takes IG after each."""
    for i in range(x.shape[0]):
        usual = risk(theta[i, 0])
        for k in range(given.slow.shape[0]):
            step(x[i], theta[i], k, given, 0.0, usual)
            path[i, k] = x[i, 2]


def warm() -> None:
    """Compile or load the kernels."""
    n = LONGEST_DELAY + 1
    theta, part = np.ones((1, 9)), np.zeros(n, np.int64)
    all_physical(np.zeros((1, 9)), theta)
    given = Given(70.0, 0.0, np.zeros(n), np.zeros(1), np.zeros(n), part)
    run(np.ones((1, 9)), theta, given, np.empty((1, 1)))
