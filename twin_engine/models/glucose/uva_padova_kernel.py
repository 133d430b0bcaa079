"""The compiled equations of ``uva_padova``; imported only where they are run, because numba comes with it.

Quantity ``i`` of lane ``j`` of a block of people stands at ``i * LANES + j``; the names below are
``i * LANES``. The equations are those of the papers named there, in their symbols.
"""

from __future__ import annotations

import math

import numpy as np

from twin_engine.compilation import compiled, inlined
from twin_engine.integration import LANES, STAGES, Array, rk4
from twin_engine.models.glucose.uva_padova import (
    FSNC,
    KE1,
    KE2,
    MEAL,
    PMOL_A_UNIT,
    STATES,
    F,
    Patients,
    State,
)

QSTO1, QSTO2, QGUT, GP, GT, IP, X, I1, ID, IL, ISC1, ISC2, GS = (LANES * i for i in range(len(STATES)))
PLANNED, QLAST, EATEN, EATING = (LANES * i for i in range(len(MEAL)))
# What a block of people is computed with: some parameters, and what they are always used as.
ROWS = (
    "kmax", "kmin", "kabs", "fkabs/BW", "kp1", "kp2", "kp3", "k1", "k2", "Vm0", "Vmx", "Km0", "m1", "m2",
    "m2+m4", "m1+m30", "1/Vi", "p2u", "Ib", "ki", "ka1", "ka2", "kd", "ka1+kd", "ksc", "b", "d",
    "pmol/kg/U", "1/Vg",
)  # fmt: skip
(
    KMAX, KMIN, KABS, FKABS, KP1, KP2, KP3, K1, K2, VM0, VMX, KM0, M1, M2,
    M24, M130, PER_VI, P2U, IB, KI, KA1, KA2, KD, KA1D, KSC, B, D, PER_UNIT, PER_VG,
) = (LANES * i for i in range(len(ROWS)))  # fmt: skip
# The input of a minute: meal mg/min, insulin pmol/kg/min, and slopes and offsets of the two arguments of
# gastric emptying, which depend on the meal.
RATE, INSULIN, SLOPE_B, OFFSET_B, SLOPE_D, OFFSET_D = (LANES * i for i in range(6))
INPUTS = 6

EAT_RATE = 5.0  # g/min
MG = 1000.0
SATURATED = 36.0  # beyond it tanh(x / 2) is 1 in float64
C2, C3, C4, C5, C6, C7, C8, C9 = (1 / math.factorial(k) for k in range(2, 10))


@inlined
def exponential(x: float) -> float:
    """e**x for |x| <= SATURATED to 1e-13, by additions and multiplications alone.

    So it is computed for several people at once, and to the same bits whatever mathematics library there is.
    """
    y = x * (1 / 256)
    e = 1 + y * (1 + y * (C2 + y * (C3 + y * (C4 + y * (C5 + y * (C6 + y * (C7 + y * (C8 + y * C9))))))))
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    return e


@inlined
def rhs(x: Array, u: Array, p: Array, dx: Array) -> None:
    """The derivative of the states of one block; ``u`` is constant within a minute."""
    for j in range(LANES):
        qsto1, qsto2, qgut = x[QSTO1 + j], x[QSTO2 + j], x[QGUT + j]
        gp, gt, ip, il = x[GP + j], x[GT + j], x[IP + j], x[IL + j]
        i1, i_d, isc1, isc2, gs = x[I1 + j], x[ID + j], x[ISC1 + j], x[ISC2 + j], x[GS + j]
        kmax, kmin = p[KMAX + j], p[KMIN + j]

        # Gastric emptying; tanh(z / 2) is (e**z - 1) / (e**z + 1).
        q = qsto1 + qsto2
        eb = exponential(min(max(u[SLOPE_B + j] * q - u[OFFSET_B + j], -SATURATED), SATURATED))
        ed = exponential(min(max(u[SLOPE_D + j] * q - u[OFFSET_D + j], -SATURATED), SATURATED))
        kgut = kmin + (kmax - kmin) * ((eb - ed) / ((eb + 1) * (ed + 1)) + 1)
        dx[QSTO1 + j] = u[RATE + j] - kmax * qsto1
        dx[QSTO2 + j] = kmax * qsto1 - kgut * qsto2
        dx[QGUT + j] = kgut * qsto2 - p[KABS + j] * qgut

        ra = p[FKABS + j] * qgut
        egp = max(p[KP1 + j] - p[KP2 + j] * gp - p[KP3 + j] * i_d, 0.0)
        e = KE1 * max(gp - KE2, 0.0)
        uid = (p[VM0 + j] + p[VMX + j] * x[X + j]) * gt / (p[KM0 + j] + gt)
        exchanged = p[K1 + j] * gp - p[K2 + j] * gt
        dx[GP + j] = egp + ra - FSNC - e - exchanged if gp >= 0 else 0.0
        dx[GT + j] = exchanged - uid if gt >= 0 else 0.0
        dx[GS + j] = p[KSC + j] * (gp - gs) if gs >= 0 else 0.0

        i = ip * p[PER_VI + j]
        dip = p[M1 + j] * il - p[M24 + j] * ip + p[KA1 + j] * isc1 + p[KA2 + j] * isc2
        dx[IP + j] = dip if ip >= 0 else 0.0
        dx[IL + j] = p[M2 + j] * ip - p[M130 + j] * il if il >= 0 else 0.0
        dx[X + j] = p[P2U + j] * (i - p[IB + j] - x[X + j])
        dx[I1 + j] = p[KI + j] * (i - i1)
        dx[ID + j] = p[KI + j] * (i1 - i_d)
        dx[ISC1 + j] = u[INSULIN + j] - p[KA1D + j] * isc1 if isc1 >= 0 else 0.0
        dx[ISC2 + j] = p[KD + j] * isc1 - p[KA2 + j] * isc2 if isc2 >= 0 else 0.0


@inlined
def eat(x: Array, meal: Array, u: Array, j: int, announced: float) -> bool:
    """Let lane ``j`` eat for a minute of what is announced; return whether there was anything."""
    planned = meal[PLANNED + j] + announced
    eaten = min(EAT_RATE, planned)
    if eaten > 0 and meal[EATING + j] <= 0:
        meal[QLAST + j] = x[QSTO1 + j] + x[QSTO2 + j]
        meal[EATEN + j] = 0.0
    meal[PLANNED + j] = planned - eaten
    meal[EATEN + j] += eaten
    meal[EATING + j] = eaten
    u[RATE + j] = MG * eaten
    return bool(eaten > 0)


@inlined
def empty(meal: Array, p: Array, u: Array, j: int) -> None:
    """Set the part of the input of lane ``j`` by which its stomach empties."""
    b, d = p[B + j], p[D + j]
    dbar = meal[QLAST + j] + MG * meal[EATEN + j]
    if dbar > 0:
        u[SLOPE_B + j], u[OFFSET_B + j] = 5 / (dbar * (1 - b)), 5 * b / (1 - b)
        u[SLOPE_D + j], u[OFFSET_D + j] = 5 / (dbar * d), 5.0
    else:  # no meal yet: kgut = kmax
        u[SLOPE_B + j] = u[OFFSET_B + j] = u[SLOPE_D + j] = u[OFFSET_D + j] = 0.0


@compiled
def advance(
    x: Array, meal: Array, p: Array, carbohydrate: Array, insulin: Array, steps: int, out: Array
) -> None:
    """Advance all blocks in place through the minutes of the inputs; write glucose at their ends.

    ``x``, ``meal`` and ``p`` have a row for each block, inputs and ``out`` a row for each person.
    """
    u = np.empty(INPUTS * LANES)
    work = np.empty((STAGES, x.shape[1]))
    for block in range(x.shape[0]):
        y, m, q = x[block], meal[block], p[block]
        first = block * LANES
        for minute in range(out.shape[1]):
            for j in range(LANES):
                if eat(y, m, u, j, carbohydrate[first + j, minute]) or minute == 0:
                    empty(m, q, u, j)
                u[INSULIN + j] = insulin[first + j, minute] * q[PER_UNIT + j]
            rk4(rhs, y, u, q, 1.0 / steps, steps, work)
            for j in range(LANES):
                out[first + j, minute] = y[GS + j] * q[PER_VG + j]


def in_blocks(rows: Array) -> Array:
    """Return (blocks, quantities * LANES) of (quantities, n); the last person fills what is left over."""
    filled = np.pad(rows, ((0, 0), (0, -rows.shape[1] % LANES)), mode="edge")
    quantities, n = filled.shape
    blocks = filled.reshape(quantities, n // LANES, LANES).swapaxes(0, 1)
    return np.ascontiguousarray(blocks).reshape(n // LANES, quantities * LANES)


def out_of_blocks(blocks: Array, n: int) -> Array:
    """Return (quantities, n) of what ``in_blocks`` made."""
    count, width = blocks.shape
    rows = blocks.reshape(count, width // LANES, LANES).swapaxes(0, 1)
    return np.ascontiguousarray(rows.reshape(width // LANES, count * LANES)[:, :n])


def parameters(people: Patients) -> Array:
    """Return the parameters of ``people`` as ``advance`` wants them."""
    p = people
    combined = {
        "fkabs/BW": F * p["kabs"] / p["BW"],
        "m2+m4": p["m2"] + p["m4"],
        "m1+m30": p["m1"] + p["m30"],
        "1/Vi": 1 / p["Vi"],
        "ka1+kd": p["ka1"] + p["kd"],
        "pmol/kg/U": PMOL_A_UNIT / p["BW"],
        "1/Vg": 1 / p["Vg"],
    }
    return in_blocks(np.array([combined[row] if row in combined else p[row] for row in ROWS]))


class Running:
    """People whose state is carried on in place, a few minutes at a time."""

    def __init__(self, people: Patients, state: State, steps: int) -> None:
        self._n = len(people)
        self._p = parameters(people)
        self._x, self._meal = in_blocks(state.body), in_blocks(state.meal)
        self._steps = steps

    def advance(self, carbohydrate: Array, insulin: Array) -> Array:
        """Return glucose at the end of every minute of the inputs, all (n, minutes)."""
        eaten, infused = self._filled(carbohydrate), self._filled(insulin)
        out = np.empty(eaten.shape)
        advance(self._x, self._meal, self._p, eaten, infused, self._steps, out)
        return out[: self._n]

    def state(self) -> State:
        return State(out_of_blocks(self._x, self._n), out_of_blocks(self._meal, self._n))

    def _filled(self, rows: Array) -> Array:
        filled = np.zeros((len(self._x) * LANES, rows.shape[1]))
        filled[: self._n] = rows
        return filled


def warm() -> None:
    """Compile or load the kernels."""
    lanes = np.ones((1, LANES))
    x, meal, p = (np.tile(lanes, count) for count in (len(STATES), len(MEAL), len(ROWS)))
    advance(x, meal, p, lanes.T, lanes.T, 1, lanes.T.copy())
