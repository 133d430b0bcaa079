"""The compiled steps of ``hovorka``; imported only where they are run, because numba comes with it."""

from __future__ import annotations

import numpy as np

from twin_engine.compilation import compiled, inlined
from twin_engine.integration import path
from twin_engine.models.glucose.hovorka import Array


@inlined
def derivative(x: Array, u: Array, p: Array, dx: Array) -> None:
    """Fill ``dx`` (10,) with the derivative under insulin (mU/min) and carbohydrates (mmol/min) ``u``."""
    k12, ka1, ka2, ka3, sit, sid, sie, ke, vi, vg, egp0, f01, tmaxi, tmaxg, ag = (
        p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14],
    )  # fmt: skip
    d1, d2, s1, s2, q1, q2, insulin, x1, x2, x3 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9]
    g = q1 / vg
    used = f01 * min(g / 4.5, 1.0) + 0.003 * max(g - 9.0, 0.0) * vg
    dx[0] = ag * u[1] - d1 / tmaxg
    dx[1] = (d1 - d2) / tmaxg
    dx[2] = u[0] - s1 / tmaxi
    dx[3] = (s1 - s2) / tmaxi
    dx[4] = -used - x1 * q1 + k12 * q2 + d2 / tmaxg + egp0 * (1.0 - x3)
    dx[5] = x1 * q1 - (k12 + x2) * q2
    dx[6] = s2 / (tmaxi * vi) - ke * insulin
    dx[7] = ka1 * (sit * insulin - x1)
    dx[8] = ka2 * (sid * insulin - x2)
    dx[9] = ka3 * (sie * insulin - x3)


@compiled
def run(x: Array, inputs: Array, p: Array) -> Array:
    """Return the states (n, 10) after each minute of ``inputs`` (n, 2)."""
    ends = np.arange(1.0, inputs.shape[0] + 1.0)
    return path(derivative, x, ends, inputs, p, 1.0)


def warm() -> None:
    """Compile or load the kernels."""
    run(np.ones(10), np.zeros((1, 2)), np.ones(15))
