"""The points of CHA2DS2-VASc and of CHA2DS2-VA, and what they mean.

Sources: Lip GYH et al., Chest 2010;137:263-272, doi 10.1378/chest.09-1584 (points);
Hindricks G et al., Eur Heart J 2021;42:373-498, doi 10.1093/eurheartj/ehaa612 (grades);
Van Gelder IC et al., Eur Heart J 2024;45:3314-3414, doi 10.1093/eurheartj/ehae176 (CHA2DS2-VA);
Friberg L et al., Eur Heart J 2012;33:1500-1510, doi 10.1093/eurheartj/ehr488 (rates).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin_engine.twin import Sex

POINTS: Mapping[str, int] = {
    "heart-failure": 1,
    "hypertension": 1,
    "diabetes": 1,
    "stroke-or-thromboembolism": 2,
    "vascular-disease": 1,
}
# Ischaemic strokes in 100 years at risk without anticoagulation, by score 0 to 9 (Friberg 2012, unadjusted).
ISCHAEMIC_STROKES = (0.2, 0.6, 2.2, 3.2, 4.8, 7.2, 9.7, 11.2, 10.8, 12.2)


@dataclass(frozen=True, slots=True)
class Profile:
    """Completed years, sex, and which of the conditions of ``POINTS`` are present."""

    sex: Sex
    age: int
    conditions: frozenset[str]


def points(profile: Profile) -> dict[str, int]:
    """Return the points of each part of CHA2DS2-VASc."""
    age = 2 if profile.age >= 75 else 1 if profile.age >= 65 else 0
    present = {name: worth if name in profile.conditions else 0 for name, worth in POINTS.items()}
    return {"age": age, "sex": int(profile.sex == "female"), **present}


def score(profile: Profile) -> int:
    """Return CHA2DS2-VASc, 0 to 9."""
    return sum(points(profile).values())


def without_sex(profile: Profile) -> int:
    """Return CHA2DS2-VA, 0 to 8."""
    return score(profile) - points(profile)["sex"]


def grade(profile: Profile) -> str:
    """Return low, moderate or high: 0, 1 and at least 2 points besides that of the sex."""
    return ("low", "moderate", "high")[min(without_sex(profile), 2)]
