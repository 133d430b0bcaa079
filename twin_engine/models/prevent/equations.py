"""The PREVENT base equations: logistic regressions on centred terms.

Source: Khan SS et al., Circulation 2024;149:430-449, doi 10.1161/CIRCULATIONAHA.123.067626.
Coefficients stand in ``coefficients.toml``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from twin_engine.twin import Sex

Horizon = Literal["10y", "30y"]
Outcome = Literal["total-cvd", "ascvd", "heart-failure"]

HORIZONS: tuple[Horizon, ...] = ("10y", "30y")
OUTCOMES: tuple[Outcome, ...] = ("total-cvd", "ascvd", "heart-failure")
MMOL_PER_MG_DL = 0.02586  # cholesterol, as published
CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the equations take: years, mm[Hg], mg/dL, kg/m2 and mL/min/{1.73_m2}."""

    sex: Sex
    age: int
    systolic: float
    total_cholesterol: float
    hdl_cholesterol: float
    body_mass_index: float
    egfr: float
    diabetes: bool
    smoking: bool
    antihypertensive: bool
    statin: bool


def terms(profile: Profile) -> dict[str, float]:
    """Return the centred terms; all but the constant are 0 for the reference person.

    The reference is 55 years old with non-HDL cholesterol 3.5 and HDL cholesterol 1.3 mmol/L, systolic
    pressure 130 mm[Hg], body-mass index under 30 kg/m2 (25), eGFR 90, without diabetes, smoking or treatment.
    """
    age = (profile.age - 55) / 10
    hdl_mmol = profile.hdl_cholesterol * MMOL_PER_MG_DL
    non_hdl = profile.total_cholesterol * MMOL_PER_MG_DL - hdl_mmol - 3.5
    hdl = (hdl_mmol - 1.3) / 0.3
    sbp = (max(profile.systolic, 110) - 130) / 20
    bmi = (max(profile.body_mass_index, 30) - 30) / 5
    egfr = (min(profile.egfr, 60) - 60) / -15
    diabetes, smoking = float(profile.diabetes), float(profile.smoking)
    return {
        "age": age,
        "age_squared": age**2,
        "non_hdl": non_hdl,
        "hdl": hdl,
        "sbp_below_110": (min(profile.systolic, 110) - 110) / 20,
        "sbp_from_110": sbp,
        "diabetes": diabetes,
        "smoking": smoking,
        "bmi_below_30": (min(profile.body_mass_index, 30) - 25) / 5,
        "bmi_from_30": bmi,
        "egfr_below_60": egfr,
        "egfr_from_60": (max(profile.egfr, 60) - 90) / -15,
        "antihypertensive": float(profile.antihypertensive),
        "statin": float(profile.statin),
        "treated_sbp": sbp * profile.antihypertensive,
        "treated_non_hdl": non_hdl * profile.statin,
        "age_non_hdl": age * non_hdl,
        "age_hdl": age * hdl,
        "age_sbp": age * sbp,
        "age_diabetes": age * diabetes,
        "age_smoking": age * smoking,
        "age_bmi": age * bmi,
        "age_egfr": age * egfr,
        CONSTANT: 1.0,
    }


def effects(profile: Profile, horizon: Horizon, outcome: Outcome) -> dict[str, float]:
    """Return the log-odds that each term adds."""
    values = terms(profile)
    table = COEFFICIENTS[horizon, profile.sex, outcome]
    return {name: coefficient * values[name] for name, coefficient in table.items()}


def risk(profile: Profile, horizon: Horizon, outcome: Outcome) -> float:
    """Return the probability of ``outcome`` within ``horizon``, unrounded."""
    log_odds = math.fsum(effects(profile, horizon, outcome).values())
    return 1 / (1 + math.exp(-log_odds))


def _read() -> dict[tuple[Horizon, Sex, Outcome], Mapping[str, float]]:
    text = files("twin_engine.models.prevent").joinpath("coefficients.toml").read_text(encoding="utf-8")
    tables: dict[str, Any] = tomllib.loads(text)
    sexes: tuple[Sex, ...] = ("female", "male")
    return {
        (horizon, sex, outcome): {
            name: row[tables["columns"].index(f"{sex}.{outcome}")] for name, row in tables[horizon].items()
        }
        for horizon in HORIZONS
        for sex in sexes
        for outcome in OUTCOMES
    }


COEFFICIENTS = _read()
