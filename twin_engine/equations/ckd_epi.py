"""CKD-EPI 2021: glomerular filtration rate from creatinine, without race.

Source: Inker LA et al., N Engl J Med 2021;385:1737-1749, doi 10.1056/NEJMoa2102953.
"""

from __future__ import annotations

from collections.abc import Mapping

from twin_engine.twin import Sex

KAPPA: Mapping[Sex, float] = {"female": 0.7, "male": 0.9}
ALPHA: Mapping[Sex, float] = {"female": -0.241, "male": -0.302}
FEMALE = 1.012
ADULT = 18


def egfr(creatinine: float, age: float, sex: Sex) -> float:
    """Return eGFR in mL/min/1.73 m2 from serum creatinine in mg/dL (IDMS-traceable) and age in years.

    Valid from 18 years on.

    Raises
    ------
    ValueError
        If ``creatinine`` is not positive or ``age`` is under 18.
    """
    if not creatinine > 0 or not age >= ADULT:
        raise ValueError("CKD-EPI 2021 takes a positive creatinine and an age of 18 years or more")
    ratio = creatinine / KAPPA[sex]
    rate: float = 142 * min(ratio, 1.0) ** ALPHA[sex] * max(ratio, 1.0) ** -1.200 * 0.9938**age
    return rate * FEMALE if sex == "female" else rate
