"""The compiled steps of ``fitting``; imported only where they are run, because numba comes with it."""

from __future__ import annotations

import math

import numpy as np

from twin_engine.compilation import compiled
from twin_engine.models.glucose.minimal import Array
from twin_engine.models.glucose.minimal_kernel import Minutes


@compiled
def whiten(
    path: Array, at: Minutes, y: Array, white: float, drift: float, minutes: float, residuals: Array
) -> None:
    """Fill ``residuals`` (N, k) with the innovations of y - path at ``at`` (k,), in standard deviations.

    The difference is white noise plus an Ornstein-Uhlenbeck process, whose Kalman filter gives innovations
    that are independent and of variance 1.
    """
    for i in range(path.shape[0]):
        mean, variance = 0.0, drift * drift
        for j in range(at.shape[0]):
            if j > 0:
                kept = math.exp(-(at[j] - at[j - 1]) / minutes)
                mean *= kept
                variance = kept * kept * variance + drift * drift * (1.0 - kept * kept)
            total = variance + white * white
            surprise = y[j] - path[i, at[j]] - mean
            residuals[i, j] = surprise / math.sqrt(total)
            mean += variance / total * surprise
            variance *= 1.0 - variance / total


def warm() -> None:
    """Compile or load the kernels."""
    whiten(np.ones((1, 1)), np.zeros(1, np.int64), np.ones(1), 1.0, 1.0, 1.0, np.empty((1, 1)))
