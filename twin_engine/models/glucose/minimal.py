"""A small model of glucose in type 1 diabetes that one person's data can identify.

Written from the published equations of ReplayBG (Cappon et al. 2023, doi:10.1109/TBME.2023.3286856), whose
core is the minimal model of glucose kinetics (Bergman et al. 1979, doi:10.1152/ajpendo.1979.236.6.E667)
with insulin action that grows in hypoglycaemia (Dalla Man et al. 2014, doi:10.1177/1932296813514502). G is
plasma and IG interstitial glucose (mg/dL), X insulin action (1/min), I insulin (mU/L), Q glucose in the gut
(mg/kg)::

    G'    = -(SG + rho(G) X) G + SG Gb + Ra / VG + d        Ra = f sum_m kabs_m Qgut_m
    X'    = -p2 (X - SI (Ip - Ipb))                         IG' = -(IG - G) / alpha
    Isc1' = -kd Isc1 + u(t - 8 min) / VI                    Isc2' = kd Isc1 - ka2 Isc2
    Ip'   = ka2 Isc2 - ke Ip + s / VI
    Qsto1_m' = -kempt Qsto1_m + cho_m(t - beta_m)           Qsto2_m' = kempt (Qsto1_m - Qsto2_m)
    Qgut_m'  = kempt Qsto2_m - kabs_m Qgut_m

As published, time goes in steps of one minute by backward Euler. Three things are added here. ``s`` is what a
depot of long-acting insulin releases. ``d`` is a flux of glucose of unknown origin (mg/dL/min), of which a
negative one clears in proportion to glucose, so that glucose stays positive. And a delay that is no whole
number of minutes shares an input between two.

SI, kabs and beta are those of the part of the day: SI of the minute, kabs and beta of the minute of the
meal. The published model has three parts; with one there is a single block of the three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STATES = ("G", "X", "IG", "Isc1", "Isc2", "Ip")
GUT = ("Qsto1", "Qsto2", "Qgut")
SHARED = ("Gb", "SG", "p2", "ka2", "kd", "kempt")
OF_A_PART = ("SI", "kabs", "beta")

VG = 1.45  # dL/kg
VI = 0.126  # L/kg
KE = 0.127  # 1/min
R1, R2 = 1.4407, 0.8124  # of rho
DELAY_OF_INSULIN = 8  # min
LONGEST_DELAY = 60  # min: the upper end of the prior of beta

# Published day parts by the local hour at which they begin: 4-11 h, 11-17 h, 17-4 h.
PART_BEGINS = (4, 11, 17)

# The two rates of a depot of long-acting insulin, 1/min: a declared shape in place of a product's own. Half
# of a dose has appeared after 10.4 h, and the rate falls by half in 8.3 h.
LONG_ACTING_RATES = (1 / 120, 1 / 720)


@dataclass(frozen=True, slots=True)
class Person:
    """What the model is told of a person: ``weight`` in kg, and the usual rate of all ``basal`` insulin.

    That rate (U/min), slow or pumped, is the one at which insulin neither lowers nor raises glucose.
    """

    weight: float
    basal: float


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was given, minute by minute (n,): fast-acting ``insulin`` in U/min, ``carbohydrates`` in g/min.

    ``slow`` is what appears of long-acting insulin (U/min), see ``appearance``. ``parts`` is the block of
    parameters of each minute, all 0 where there is one.
    """

    insulin: Array
    carbohydrates: Array
    slow: Array
    parts: NDArray[np.int64]

    @classmethod
    def of(cls, insulin: Array, carbohydrates: Array, slow: Array | None = None) -> Inputs:
        """Return inputs of a model with a single block of parameters."""
        n = len(insulin)
        return cls(insulin, carbohydrates, np.zeros(n) if slow is None else slow, np.zeros(n, np.int64))


def names(blocks: int) -> tuple[str, ...]:
    """Return the names of the parameters of a model with ``blocks`` parts of the day."""
    if blocks == 1:
        return (*SHARED, *OF_A_PART)
    return (*SHARED, *(f"{name}_{m}" for m in range(blocks) for name in OF_A_PART))


def size(blocks: int) -> int:
    """Return how many numbers the state has."""
    return len(STATES) + blocks * len(GUT)


def part_of_day(minutes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the published part of the day (0, 1 or 2) of local ``minutes`` since midnight."""
    hour = minutes // 60 % 24
    return np.where(hour < PART_BEGINS[0], 2, np.searchsorted(PART_BEGINS, hour, side="right") - 1)


def appearance(doses: Array, times: Array, minutes: int) -> Array:
    """Return what of long-acting ``doses`` (k,) in U reaches plasma in each minute, U/min, shape (minutes,).

    ``times`` (k,) are in minutes from the first minute, negative for what was given before.
    """
    fast, slow = LONG_ACTING_RATES
    since = np.maximum(np.arange(minutes + 1)[:, None] - times[None, :], 0.0)
    left = (fast * np.exp(-slow * since) - slow * np.exp(-fast * since)) / (fast - slow)
    return np.asarray(-np.diff(left, axis=0) @ doses, np.float64)


def steady_state(person: Person, theta: Array, glucose: float) -> Array:
    """Return the states (N, size) at usual basal insulin given under the skin, no food, and ``glucose``."""
    blocks = (theta.shape[1] - len(SHARED)) // len(OF_A_PART)
    entry = person.basal * 1000 / person.weight / VI
    x = np.zeros((len(theta), size(blocks)))
    x[:, 0] = x[:, 2] = glucose
    x[:, 3], x[:, 4], x[:, 5] = entry / theta[:, 4], entry / theta[:, 3], entry / KE
    return x


def simulated(
    person: Person, theta: Array, x: Array, inputs: Inputs, before: Inputs | None = None
) -> tuple[Array, Array]:
    """Return interstitial glucose (N, n) after each minute in mg/dL, and the last states (N, size).

    ``theta`` (N, p) holds the parameters of each member in the order of ``names``, ``x`` (N, size) where it
    starts; ``before`` are the inputs of the hour before, none where it is not given.
    """
    from twin_engine.models.glucose.minimal_kernel import run

    last = np.array(x, np.float64)
    path = np.empty((len(theta), len(inputs.insulin)))
    run(last, np.ascontiguousarray(theta), given(person, before or quiet(LONGEST_DELAY), inputs), path)
    return path, last


def quiet(minutes: int) -> Inputs:
    """Return inputs of nothing."""
    return Inputs.of(np.zeros(minutes), np.zeros(minutes))


def given(person: Person, before: Inputs, inputs: Inputs) -> Any:  # a tuple of the compiled module
    """Return what the compiled steps take: the inputs from an hour before on.

    Raises
    ------
    ValueError
        If ``before`` is not an hour.
    """
    from twin_engine.models.glucose.minimal_kernel import Given

    if len(before.insulin) != LONGEST_DELAY:
        raise ValueError("the inputs before the first minute are those of an hour")
    names = ("insulin", "carbohydrates", "parts")
    fast, food, part = (np.concatenate((getattr(before, name), getattr(inputs, name))) for name in names)
    return Given(float(person.weight), float(person.basal), fast, inputs.slow, food, part)
