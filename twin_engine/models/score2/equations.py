"""SCORE2: sub-distribution hazards on centred terms, recalibrated to the region.

Sources: Eur Heart J 2021;42:2439-2454, doi 10.1093/eurheartj/ehab309 (SCORE2, 40 to 69 years);
2021;42:2455-2467, doi 10.1093/eurheartj/ehab312 (SCORE2-OP, from 70 years);
2023;44:2544-2556, doi 10.1093/eurheartj/ehad260 (SCORE2-Diabetes, 40 to 69 years with type 2 diabetes).
Coefficients stand in ``coefficients.toml``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from twin_engine.equations.cholesterol import MMOL_PER_MG_DL
from twin_engine.equations.hba1c import ifcc
from twin_engine.twin import Sex

Region = Literal["low", "moderate", "high", "very-high"]
Variant = Literal["middle", "older", "diabetes"]

REGIONS: tuple[Region, ...] = ("low", "moderate", "high", "very-high")
FIRST_AGE, OLDER, LAST_AGE = 40, 70, 89


@dataclass(frozen=True, slots=True)
class Diabetes:
    """What SCORE2-Diabetes adds: completed years at the diagnosis, HbA1c in %, eGFR in mL/min/{1.73_m2}."""

    diagnosed: int
    hba1c: float
    egfr: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What the equations take: years, mm[Hg] and mg/dL; ``diabetes`` of type 2 where there is one."""

    sex: Sex
    age: int
    systolic: float
    total_cholesterol: float
    hdl_cholesterol: float
    smoking: bool
    diabetes: Diabetes | None = None

    @property
    def variant(self) -> Variant | None:
        """The equation that holds for the person, if there is one."""
        if not FIRST_AGE <= self.age <= LAST_AGE:
            return None
        if self.age < OLDER:
            return "middle" if self.diabetes is None else "diabetes"
        return "older" if self.diabetes is None else None


def terms(profile: Profile) -> dict[str, float]:
    """Return the centred terms; all are 0 for the reference person.

    The reference has total cholesterol 6 and HDL cholesterol 1.3 mmol/L, systolic pressure 120 mm[Hg], is 60
    years old and does not smoke; in SCORE2-OP 73 years, 150 mm[Hg] and HDL cholesterol 1.4 mmol/L.
    """
    older = profile.variant == "older"
    age = float(profile.age - 73) if older else (profile.age - 60) / 5
    sbp = profile.systolic - 150 if older else (profile.systolic - 120) / 20
    total = profile.total_cholesterol * MMOL_PER_MG_DL - 6
    hdl = profile.hdl_cholesterol * MMOL_PER_MG_DL
    hdl = hdl - 1.4 if older else (hdl - 1.3) / 0.5
    smoking = float(profile.smoking)
    return {
        "age": age,
        "smoking": smoking,
        "sbp": sbp,
        "total": total,
        "hdl": hdl,
        "age_smoking": age * smoking,
        "age_sbp": age * sbp,
        "age_total": age * total,
        "age_hdl": age * hdl,
        **({} if profile.diabetes is None else _diabetic(profile.diabetes, age)),
    }


def _diabetic(diabetes: Diabetes, age: float) -> dict[str, float]:
    hba1c = (ifcc(diabetes.hba1c) - 31) / 9.34
    egfr = (math.log(diabetes.egfr) - 4.5) / 0.15
    return {
        "diabetes": 1.0,
        "age_diabetes": age,
        "diagnosis": (diabetes.diagnosed - 50) / 5,
        "hba1c": hba1c,
        "age_hba1c": age * hba1c,
        "egfr": egfr,
        "egfr_squared": egfr**2,
        "age_egfr": age * egfr,
    }


def effects(profile: Profile, region: Region) -> dict[str, float]:
    """Return what each term adds to the logarithm of the recalibrated hazard."""
    table, (_, slope) = _table(profile), _scales(profile, region)
    return {name: slope * table[name] * value for name, value in terms(profile).items()}


def baseline(profile: Profile, region: Region) -> float:
    """Return the logarithm of the recalibrated hazard of the reference person."""
    table, (shift, slope) = _table(profile), _scales(profile, region)
    return shift + slope * (math.log(-math.log(table["survival"])) - table.get("mean", 0.0))


def risk(profile: Profile, region: Region) -> float:
    """Return the probability of a fatal or non-fatal cardiovascular event in 10 years, unrounded.

    Raises
    ------
    ValueError
        If no equation holds for the person: the variant of ``profile`` is None.
    """
    log_hazard = math.fsum((baseline(profile, region), *effects(profile, region).values()))
    return -math.expm1(-math.exp(log_hazard))


@cache
def _read() -> Mapping[str, Any]:
    file = files("twin_engine.models.score2").joinpath("coefficients.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _table(profile: Profile) -> Mapping[str, float]:
    if profile.variant is None:
        raise ValueError("no equation of SCORE2 holds for this person")
    table: Mapping[str, float] = _read()[profile.variant][profile.sex]
    return table


def _scales(profile: Profile, region: Region) -> tuple[float, float]:
    group = "older" if profile.variant == "older" else "middle"
    shift, slope = _read()["scales"][group][profile.sex][region]
    return shift, slope
