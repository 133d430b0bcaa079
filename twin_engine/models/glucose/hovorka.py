"""A second opinion: the model of Hovorka et al. 2004 (doi:10.1088/0967-3334/25/4/010).

Built by others on other data than the small model, with insulin acting on transport, on disposal and on the
liver. Where both agree, the answer does not hang on the form of the model. Q is glucose in mmol, S insulin
under the skin in mU, I plasma insulin in mU/L, D carbohydrates in mmol, x the three actions of insulin::

    Q1' = -F01c - FR - x1 Q1 + k12 Q2 + UG + EGP0 (1 - x3)        G = Q1 / VG
    Q2' = x1 Q1 - (k12 + x2) Q2                                   F01c = F01 min(G / 4.5, 1)
    S1' = u - S1 / tmaxI      S2' = (S1 - S2) / tmaxI             FR = 0.003 (G - 9) VG above 9 mmol/L
    I'  = S2 / (tmaxI VI) - ke I                                  UG = D2 / tmaxG
    x1' = ka1 (SIT I - x1)    x2' = ka2 (SID I - x2)              x3' = ka3 (SIE I - x3)
    D1' = AG d - D1 / tmaxG   D2' = (D1 - D2) / tmaxG

The published uptake AG d t exp(-t / tmaxG) / tmaxG^2 of a meal is what the two D pass on. Not in it: the
delay of the sensor, exercise, illness, the time of day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STATES = ("D1", "D2", "S1", "S2", "Q1", "Q2", "I", "x1", "x2", "x3")
MG_PER_DL = 18.0156  # in one mmol/L of glucose, 180.156 g/mol


class Parameters(NamedTuple):
    """The published values; those of the whole body are per kg of body weight."""

    k12: float = 0.066  # 1/min
    ka1: float = 0.006  # 1/min
    ka2: float = 0.06  # 1/min
    ka3: float = 0.03  # 1/min
    SIT: float = 51.2e-4  # 1/min per mU/L
    SID: float = 8.2e-4  # 1/min per mU/L
    SIE: float = 520e-4  # per mU/L
    ke: float = 0.138  # 1/min
    VI: float = 0.12  # L/kg
    VG: float = 0.16  # L/kg
    EGP0: float = 0.0161  # mmol/kg/min
    F01: float = 0.0097  # mmol/kg/min
    tmax_i: float = 55.0  # min
    tmax_g: float = 40.0  # min
    AG: float = 0.8


PUBLISHED = Parameters()


@dataclass(frozen=True, slots=True)
class Body:
    """A person of ``weight`` kg; ``sensitivity`` multiplies all three actions of insulin."""

    weight: float
    sensitivity: float = 1.0
    published: Parameters = PUBLISHED

    @property
    def parameters(self) -> Parameters:
        """Return the parameters of this body: volumes in L and fluxes in mmol/min."""
        p, s = self.published, self.sensitivity
        whole = {name: getattr(p, name) * self.weight for name in ("VI", "VG", "EGP0", "F01")}
        return p._replace(SIT=p.SIT * s, SID=p.SID * s, SIE=p.SIE * s, **whole)


def basal(body: Body, glucose: float) -> float:
    """Return the insulin in U/min that holds ``glucose`` (mg/dL) without food.

    Raises
    ------
    ValueError
        If glucose is so high that no insulin at all leaves it lower.
    """
    return _insulin(body.parameters, glucose) * body.parameters.ke * body.parameters.VI / 1000


def _insulin(p: Parameters, glucose: float) -> float:
    """Return the plasma insulin (mU/L) of the steady state: the positive root of its quadratic equation."""
    g = glucose / MG_PER_DL
    used = p.F01 * min(g / 4.5, 1.0) + 0.003 * max(g - 9.0, 0.0) * p.VG
    a = p.EGP0 * p.SIE * p.SID + p.SIT * p.SID * g * p.VG
    b = p.EGP0 * p.SIE * p.k12 - (p.EGP0 - used) * p.SID
    c = (used - p.EGP0) * p.k12
    if c > 0:
        raise ValueError("glucose is above what this body holds without insulin")
    return float((-b + np.sqrt(b * b - 4 * a * c)) / (2 * a))


def steady_state(body: Body, glucose: float) -> Array:
    """Return the states (10,) at which ``basal`` holds ``glucose`` (mg/dL)."""
    p, q1 = body.parameters, glucose / MG_PER_DL * body.parameters.VG
    insulin = _insulin(p, glucose)
    depot = insulin * p.ke * p.VI * p.tmax_i
    x1, x2, x3 = p.SIT * insulin, p.SID * insulin, p.SIE * insulin
    return np.array([0.0, 0.0, depot, depot, q1, x1 * q1 / (p.k12 + x2), insulin, x1, x2, x3])


def suited(body: Body, rate: float, glucose: float) -> Body:
    """Return ``body`` with the sensitivity at which ``rate`` (U/min) holds ``glucose`` (mg/dL)."""
    from scipy.optimize import brentq

    def excess(logarithm: float) -> float:
        return basal(replace(body, sensitivity=float(np.exp(logarithm))), glucose) - rate

    return replace(body, sensitivity=float(np.exp(brentq(excess, np.log(0.01), np.log(100.0)))))


def simulated(body: Body, x: Array, insulin: Array, carbohydrates: Array) -> tuple[Array, Array]:
    """Return plasma glucose (n,) after each minute in mg/dL, and the last states (10,).

    ``insulin`` (n,) is fast-acting insulin in U/min and ``carbohydrates`` (n,) are in g/min. Long-acting
    insulin is to be given as if pumped, at the rate at which it appears.
    """
    from twin_engine.models.glucose.hovorka_kernel import run

    inputs = np.column_stack((1000 * insulin, carbohydrates * 1000 / (10 * MG_PER_DL)))
    states = run(np.array(x, np.float64), inputs, np.array(body.parameters))
    return states[:, 4] / body.parameters.VG * MG_PER_DL, states[-1] if len(states) else np.array(x)
