"""The FIB-4 index and its cut-offs.

Sources: Sterling RK et al., Hepatology 2006;43:1317-1325, doi 10.1002/hep.21178 (index);
Shah AG et al., Clin Gastroenterol Hepatol 2009;7:1104-1112, doi 10.1016/j.cgh.2009.05.033 (cut-offs);
McPherson S et al., Am J Gastroenterol 2017;112:740-751, doi 10.1038/ajg.2016.453 (that from 65 years).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LOWER, LOWER_FROM_65, UPPER = 1.30, 2.0, 2.67


@dataclass(frozen=True, slots=True)
class Profile:
    """What the index takes: years, aspartate and alanine aminotransferase in U/L, platelets in 10*3/uL."""

    age: int
    aspartate: float
    alanine: float
    platelets: float


def index(profile: Profile) -> float:
    """Return the FIB-4 index, unrounded."""
    return profile.age * profile.aspartate / (profile.platelets * math.sqrt(profile.alanine))


def lower(age: int) -> float:
    """Return the cut-off under which advanced fibrosis is unlikely."""
    return LOWER if age < 65 else LOWER_FROM_65


def grade(profile: Profile) -> str:
    """Return how likely advanced fibrosis is: low, indeterminate or high."""
    value = index(profile)
    if value < lower(profile.age):
        return "low"
    return "high" if value > UPPER else "indeterminate"
