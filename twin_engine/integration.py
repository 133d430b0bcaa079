"""Ordinary differential equations whose inputs jump: restarted wherever an input changes.

A solver that carries its step over a change of input can step over a short input altogether: a bolus of
one minute is lost. Here an input is constant within a segment, and every segment is integrated anew.

A right-hand side is a function ``rhs(x, u, p, dx)`` that writes the derivative of the state ``x`` under the
input ``u`` and the parameters ``p`` into ``dx``, all one-dimensional; ``compilation.inlined`` lets it be
compiled into the kernels that integrate it. One that is written for many patients at once keeps quantity
``i`` of lane ``j`` at ``i * LANES + j`` and loops over the lanes: then the processor computes several
patients with one instruction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin_engine.compilation import inlined

Array = NDArray[np.float64]
RightHandSide = Callable[[Array, Array, Array, Array], Any]

# Patients side by side. 16 float64 are two registers of AVX-512 or four of AVX2.
LANES = 16
STAGES = 5


@inlined
def rk4(rhs: RightHandSide, x: Array, u: Array, p: Array, h: float, steps: int, work: Array) -> None:
    """Advance ``x`` in place by ``steps`` steps of ``h`` of the classical Runge-Kutta method.

    ``work`` is scratch of shape (STAGES, x.size). W. Kutta, Z. Math. Phys. 46 (1901) 435-453.
    """
    k1, k2, k3, k4, y = work[0], work[1], work[2], work[3], work[4]
    for _ in range(steps):
        rhs(x, u, p, k1)
        for i in range(x.size):
            y[i] = x[i] + h / 2 * k1[i]
        rhs(y, u, p, k2)
        for i in range(x.size):
            y[i] = x[i] + h / 2 * k2[i]
        rhs(y, u, p, k3)
        for i in range(x.size):
            y[i] = x[i] + h * k3[i]
        rhs(y, u, p, k4)
        for i in range(x.size):
            x[i] += h / 6 * (k1[i] + 2 * (k2[i] + k3[i]) + k4[i])


@inlined
def path(rhs: RightHandSide, x: Array, ends: Array, u: Array, p: Array, longest: float) -> Array:
    """Return the state at the end of every segment; the first begins at time 0.

    Parameters
    ----------
    rhs : the right-hand side
    x : state at time 0, shape (n,)
    ends : where the segments end, ascending, shape (s,)
    u : the input within each segment, shape (s, m)
    p : parameters, shape (k,)
    longest : no step is longer; each segment is divided evenly
    """
    x = x.copy()
    out = np.empty((ends.size, x.size))
    work = np.empty((STAGES, x.size))
    began = 0.0
    for s in range(ends.size):
        length = ends[s] - began
        steps = max(math.ceil(length / longest - 1e-9), 1)
        rk4(rhs, x, u[s], p, length / steps, steps, work)
        out[s] = x
        began = ends[s]
    return out


def adaptive_path(
    rhs: RightHandSide, x: Array, ends: Array, u: Array, p: Array, tolerance: float = 1e-9
) -> Array:
    """Return what ``path`` returns, by an adaptive method of order 8: slow, to check the others by.

    ``tolerance`` is relative, and absolute for states below 1.

    Raises
    ------
    ArithmeticError
        The method found no step that keeps the tolerance.
    """
    from scipy.integrate import solve_ivp

    def derivative(_: float, y: Array, held: Array) -> Array:
        dx = np.empty_like(y)
        rhs(np.ascontiguousarray(y), held, p, dx)
        return dx

    out = np.empty((len(ends), len(x)))
    for s, (began, end) in enumerate(zip((0.0, *ends), ends, strict=False)):
        solved = solve_ivp(
            derivative, (began, end), x, method="DOP853", args=(u[s],), rtol=tolerance, atol=tolerance
        )
        if not solved.success:
            raise ArithmeticError("no step keeps the tolerance")
        out[s] = x = solved.y[:, -1]
    return out
