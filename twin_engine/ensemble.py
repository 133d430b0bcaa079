"""Compiled steps of the ensemble filter; imported only where they are run, because numba comes with it.

Noise is counted, not drawn from a stream: the normal deviate of an instant, a member and a component is a
function of these and of a seed (a hash whose mixing is that of SplitMix64, Steele, Lea & Flood 2014,
doi:10.1145/2660193.2660195). A filter that begins again in the middle therefore meets the same noise.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from twin_engine.compilation import compiled

Array = NDArray[np.float64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
S30, S27, S31, S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
SCALE = 2.0**-53


@compiled
def mixed(z: np.uint64) -> np.uint64:
    """Scatter 64 bits."""
    z = (z ^ (z >> S30)) * FIRST
    z = (z ^ (z >> S27)) * SECOND
    return z ^ (z >> S31)


@compiled
def normal(seed: int, time: int, index: int) -> float:
    """Return the normal deviate of ``index`` at ``time``: Box & Muller 1958, doi:10.1214/aoms/1177706645."""
    key = mixed(mixed(mixed(np.uint64(seed) + GOLDEN) + np.uint64(time) * GOLDEN) + np.uint64(index) * GOLDEN)
    one = (np.float64(mixed(key) >> S11) + 1.0) * SCALE
    other = np.float64(mixed(key + GOLDEN) >> S11) * SCALE
    return math.sqrt(-2.0 * math.log(one)) * math.cos(2.0 * math.pi * other)


@compiled
def update(z: Array, h: Array, y: Array, r: Array, inflation: float) -> None:
    """Assimilate ``y`` (m,) of variances ``r`` (m,) into members ``z`` (N, n) that foretell ``h`` (N, m).

    In place, by the square-root filter of Whitaker & Hamill 2002, one observation after another and without
    noise on the observations (doi:10.1175/1520-0493(2002)130<1913:EDAWPO>2.0.CO;2).
    """
    size, n, m = z.shape[0], z.shape[1], h.shape[1]
    inflate(z, inflation)
    inflate(h, inflation)
    for j in range(m):
        mean, variance = moments(h[:, j])
        if variance <= 0.0:
            continue
        root = 1.0 / (1.0 + math.sqrt(r[j] / (variance + r[j])))
        deviation = h[:, j] - mean
        shift = (y[j] - mean) - root * deviation
        gain = 1.0 / ((size - 1) * (variance + r[j]))
        for column in range(n):
            k = gain * covariance(z, column, deviation)
            for i in range(size):
                z[i, column] += k * shift[i]
        for column in range(j, m):
            k = gain * covariance(h, column, deviation)
            for i in range(size):
                h[i, column] += k * shift[i]


@compiled
def covariance(z: Array, column: int, deviation: Array) -> float:
    """Return the sum over members of the products of a column with deviations of mean 0."""
    total = 0.0
    for i in range(z.shape[0]):
        total += z[i, column] * deviation[i]
    return total


@compiled
def moments(values: Array) -> tuple[float, float]:
    """Return mean and variance."""
    mean = 0.0
    for value in values:
        mean += value
    mean /= values.shape[0]
    square = 0.0
    for value in values:
        square += (value - mean) ** 2
    return mean, square / (values.shape[0] - 1)


@compiled
def inflate(z: Array, inflation: float) -> None:
    """Spread members (N, n) about their mean by a factor."""
    if inflation == 1.0:
        return
    for column in range(z.shape[1]):
        mean, _ = moments(z[:, column])
        for i in range(z.shape[0]):
            z[i, column] = mean + inflation * (z[i, column] - mean)


@compiled
def fill(drawn: Array, seed: int, time: int) -> None:
    """Fill ``drawn`` (n,) with the deviates of one instant."""
    for i in range(drawn.shape[0]):
        drawn[i] = normal(seed, time, i)


@compiled
def balanced(drawn: Array, seed: int, time: int, component: int) -> None:
    """Fill ``drawn`` (N,) with deviates of the members whose mean is 0 and whose variance is 1 exactly.

    A small ensemble otherwise takes the accident of a draw for news: second-order exact sampling, Pham 2001,
    doi:10.1175/1520-0493(2001)129<1194:SMFSDA>2.0.CO;2.
    """
    n = drawn.shape[0]
    for i in range(n):
        drawn[i] = normal(seed, time, component * n + i)
    mean, variance = moments(drawn)
    scale = 1.0 / math.sqrt(variance)
    for i in range(n):
        drawn[i] = (drawn[i] - mean) * scale
