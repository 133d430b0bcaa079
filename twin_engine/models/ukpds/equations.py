"""The annual equations of the UKPDS Outcomes Model 2.

Source: Hayes AJ et al., Diabetologia 2013;56:1925-1933, doi 10.1007/s00125-013-2940-y. The coefficients, and
what is left out of them, stand in ``coefficients.toml``. With t the years since diagnosis and eta the linear
predictor, H is the cumulative hazard and the probability of the year 1 - exp(H(t) - H(t + 1)):

    Weibull   H(t) = exp(eta) t^rho
    Gompertz  H(a) = exp(eta) (exp(phi a) - 1) / phi, with a the age
    logistic  p = 1 / (1 + exp(-eta))

The splines are continuous: eGFR below 60 is min(eGFR, 60), above 60 max(eGFR - 60, 0), LDL above 3.5 mmol/L
max(LDL - 3.5, 0).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from twin_engine.twin import Sex

CONSTANT, SHAPE = "constant", "shape"
HAD, NOW = "had_", "now_"


@dataclass(frozen=True, slots=True)
class Profile:
    """Risk factors: years, kg/m2, mL/min/{1.73_m2}, %, mmol/L (``ldl``, ``hdl``), mm[Hg], /min, 10*9/L, g/dL.

    ``age`` and ``duration``, the years since diagnosis, are those at the start.
    """

    sex: Sex
    age: float
    duration: float
    body_mass_index: float
    egfr: float
    hba1c: float
    hdl: float
    ldl: float
    systolic: float
    heart_rate: float
    leukocytes: float
    haemoglobin: float
    albuminuria: bool
    peripheral_disease: bool
    atrial_fibrillation: bool
    smoking: bool


def risk_factors(profile: Profile, year: int = 0) -> dict[str, float]:
    """Return the terms that depend on the person, ``year`` years after the start, as the equations take them.

    Pressure, heart rate and eGFR are per 10, cholesterol per 0.1 mmol/L.
    """
    return {
        CONSTANT: 1.0,
        "at_diagnosis": profile.age - profile.duration,
        "age": profile.age + year,
        "duration": profile.duration + year,
        "female": float(profile.sex == "female"),
        "atrial_fibrillation": float(profile.atrial_fibrillation),
        "body_mass_index": profile.body_mass_index,
        "bmi_below_18_5": float(profile.body_mass_index < 18.5),
        "bmi_from_25": float(profile.body_mass_index >= 25),
        "egfr": profile.egfr / 10,
        "egfr_below_60": min(profile.egfr, 60) / 10,
        "egfr_above_60": max(profile.egfr - 60, 0) / 10,
        "hba1c": profile.hba1c,
        "hdl": profile.hdl * 10,
        "ldl": profile.ldl * 10,
        "ldl_above_35": max(profile.ldl * 10 - 35, 0),
        "albuminuria": float(profile.albuminuria),
        "peripheral_disease": float(profile.peripheral_disease),
        "systolic": profile.systolic / 10,
        "smoking": float(profile.smoking),
        "heart_rate": profile.heart_rate / 10,
        "leukocytes": profile.leukocytes,
        "haemoglobin": profile.haemoglobin,
    }


def split(equation: str, factors: Mapping[str, float]) -> tuple[float, dict[str, float], dict[str, float]]:
    """Return the part of the linear predictor that ``factors`` make up, and what histories and events add.

    The latter are by the name of the event.
    """
    terms = {name: value for name, value in COEFFICIENTS[equation].items() if name != SHAPE}
    own = math.fsum(value * factors[name] for name, value in terms.items() if not name.startswith((HAD, NOW)))
    had = {name.removeprefix(HAD): value for name, value in terms.items() if name.startswith(HAD)}
    now = {name.removeprefix(NOW): value for name, value in terms.items() if name.startswith(NOW)}
    return own, had, now


def exposure(equation: str, factors: Mapping[str, float]) -> float:
    """Return H(t + 1) - H(t) of the year for a linear predictor of 0; the equation has a hazard."""
    shape = COEFFICIENTS[equation][SHAPE]
    if equation.startswith("death"):
        age = factors["age"]
        return math.exp(shape * age) * math.expm1(shape) / shape
    duration = factors["duration"]
    return float((duration + 1) ** shape - duration**shape)


def hazardous(equation: str) -> bool:
    """Tell whether the equation has a hazard; otherwise it is logistic."""
    return SHAPE in COEFFICIENTS[equation]


def _read() -> dict[str, dict[str, float]]:
    text = files("twin_engine.models.ukpds").joinpath("coefficients.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


COEFFICIENTS = _read()
