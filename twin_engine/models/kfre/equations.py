"""The kidney failure risk equations with four and with eight variables.

Sources: Tangri N et al., JAMA 2011;305:1553-1559, doi 10.1001/jama.2011.451 (hazards and centres);
Tangri N et al., JAMA 2016;315:164-174, doi 10.1001/jama.2015.18202 (baseline survival by continent).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from twin_engine.twin import Sex

Continent = Literal["north-american", "non-north-american"]
Variant = Literal[4, 8]

CONTINENTS: tuple[Continent, ...] = ("north-american", "non-north-american")
YEARS = (2, 5)
# Of each variable the log-hazard a unit and the mean of the cohort that it is centred on.
HAZARDS: Mapping[Variant, Mapping[str, tuple[float, float]]] = {
    4: {
        "age": (-0.2201, 7.036),
        "male": (0.2467, 0.5642),
        "egfr": (-0.5567, 7.222),
        "ln_uacr": (0.4510, 5.137),
    },
    8: {
        "age": (-0.1992, 7.036),
        "male": (0.1602, 0.5642),
        "egfr": (-0.4919, 7.222),
        "ln_uacr": (0.3364, 5.137),
        "albumin": (-0.3441, 3.997),
        "phosphate": (0.2604, 3.916),
        "bicarbonate": (-0.07354, 25.57),
        "calcium": (-0.2228, 9.355),
    },
}
# Baseline survival without kidney failure in 2 and in 5 years.
SURVIVAL: Mapping[tuple[Variant, Continent], tuple[float, float]] = {
    (4, "north-american"): (0.9750, 0.9240),
    (4, "non-north-american"): (0.9832, 0.9365),
    (8, "north-american"): (0.9780, 0.9301),
    (8, "non-north-american"): (0.9827, 0.9245),
}


@dataclass(frozen=True, slots=True)
class Chemistry:
    """Serum albumin in g/dL, phosphate in mg/dL, bicarbonate in mmol/L and calcium in mg/dL."""

    albumin: float
    phosphate: float
    bicarbonate: float
    calcium: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What the equations take: years, mL/min/{1.73_m2}, the urine albumin-creatinine ratio in mg/g."""

    sex: Sex
    age: float
    egfr: float
    uacr: float
    chemistry: Chemistry | None = None

    @property
    def variant(self) -> Variant:
        """The number of variables that are known."""
        return 4 if self.chemistry is None else 8


def effects(profile: Profile) -> dict[str, float]:
    """Return what each variable adds to the logarithm of the hazard."""
    values = {
        "age": profile.age / 10,
        "male": float(profile.sex == "male"),
        "egfr": profile.egfr / 5,
        "ln_uacr": math.log(profile.uacr),
    }
    if profile.chemistry is not None:
        values |= {
            "albumin": profile.chemistry.albumin,
            "phosphate": profile.chemistry.phosphate,
            "bicarbonate": profile.chemistry.bicarbonate,
            "calcium": profile.chemistry.calcium,
        }
    hazards = HAZARDS[profile.variant]
    return {name: hazards[name][0] * (value - hazards[name][1]) for name, value in values.items()}


def risk(profile: Profile, years: int, continent: Continent) -> float:
    """Return the probability of kidney failure within 2 or 5 ``years``, unrounded."""
    survival = SURVIVAL[profile.variant, continent][YEARS.index(years)]
    hazard = math.exp(math.fsum(effects(profile).values()))
    return -math.expm1(math.log(survival) * hazard)
