"""The PREVENT equations: logistic regressions on centred terms.

Source: Khan SS et al., Circulation 2024;149:430-449, doi 10.1161/CIRCULATIONAHA.123.067626.
Coefficients stand in ``coefficients``, a file a variant: of each horizon one row a term, of each row one
column for each of ``COLUMNS``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, Literal

from twin_engine.equations.cholesterol import MMOL_PER_MG_DL
from twin_engine.twin import Sex

Horizon = Literal["10y", "30y"]
Outcome = Literal["total-cvd", "ascvd", "heart-failure", "chd", "stroke"]
Variant = Literal["base", "uacr", "hba1c", "sdi", "full"]

HORIZONS: tuple[Horizon, ...] = ("10y", "30y")
OUTCOMES: tuple[Outcome, ...] = ("total-cvd", "ascvd", "heart-failure", "chd", "stroke")
VARIANTS: tuple[Variant, ...] = ("base", "uacr", "hba1c", "sdi", "full")
SEXES: tuple[Sex, ...] = ("female", "male")
COLUMNS: tuple[tuple[Outcome, Sex], ...] = tuple(product(OUTCOMES, SEXES))
CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the equations take: years, mm[Hg], mg/dL, kg/m2 and mL/min/{1.73_m2}.

    Where known: ``uacr`` the urine albumin-creatinine ratio in mg/g, ``hba1c`` in %, ``sdi`` the decile of
    the social deprivation index.
    """

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
    uacr: float | None = None
    hba1c: float | None = None
    sdi: float | None = None

    @property
    def variant(self) -> Variant:
        """The fullest equations: those with the one optional predictor known, or with all if two are."""
        optional: dict[Variant, float | None] = {"uacr": self.uacr, "hba1c": self.hba1c, "sdi": self.sdi}
        known = [name for name, value in optional.items() if value is not None]
        return "base" if not known else known[0] if len(known) == 1 else "full"


def terms(profile: Profile) -> dict[str, float]:
    """Return the centred terms of all variants; all but the constant are 0 for the reference person.

    The reference is 55 years old with non-HDL cholesterol 3.5 and HDL cholesterol 1.3 mmol/L, systolic
    pressure 130 mm[Hg], body-mass index under 30 kg/m2 (25), eGFR 90, without diabetes, smoking or treatment;
    with an albumin-creatinine ratio of 1 mg/g, HbA1c 5.3 % and a social deprivation index of 1 to 3.
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
        **_optional(profile),
        CONSTANT: 1.0,
    }


def _optional(profile: Profile) -> dict[str, float]:
    """Return the terms of the optional predictors; one that is not known has a term of its own."""
    excess = 0.0 if profile.hba1c is None else profile.hba1c - 5.3
    decile = 0.0 if profile.sdi is None else profile.sdi
    return {
        "ln_uacr": 0.0 if profile.uacr is None else math.log(profile.uacr),
        "no_uacr": float(profile.uacr is None),
        "hba1c_diabetes": excess * profile.diabetes,
        "hba1c_no_diabetes": excess * (not profile.diabetes),
        "no_hba1c": float(profile.hba1c is None),
        "sdi_4_to_6": float(4 <= decile < 7),
        "sdi_7_to_10": float(decile >= 7),
        "no_sdi": float(profile.sdi is None),
    }


def effects(profile: Profile, horizon: Horizon, outcome: Outcome) -> dict[str, float]:
    """Return the log-odds that each term of the profile's variant adds."""
    values = terms(profile)
    table = coefficients(profile.variant)[horizon, profile.sex, outcome]
    return {name: coefficient * values[name] for name, coefficient in table.items()}


def risk(profile: Profile, horizon: Horizon, outcome: Outcome) -> float:
    """Return the probability of ``outcome`` within ``horizon``, unrounded."""
    log_odds = math.fsum(effects(profile, horizon, outcome).values())
    return 1 / (1 + math.exp(-log_odds))


@cache
def coefficients(variant: Variant) -> Mapping[tuple[Horizon, Sex, Outcome], Mapping[str, float]]:
    """Return the coefficients of a variant, log-odds a unit of the term."""
    folder = files("twin_engine.models.prevent").joinpath("coefficients")
    tables: dict[str, Any] = tomllib.loads(folder.joinpath(f"{variant}.toml").read_text(encoding="utf-8"))
    return {
        (horizon, sex, outcome): {name: row[column] for name, row in tables[horizon].items()}
        for horizon in HORIZONS
        for column, (outcome, sex) in enumerate(COLUMNS)
    }
