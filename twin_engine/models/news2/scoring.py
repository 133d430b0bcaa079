"""The NEWS2 chart: points of each vital sign.

Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, London 2017, chart 1.
Values are first rounded half up to the chart's own steps: whole numbers, temperature to 0.1 Cel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# (highest value of the band, points); a value above the last band scores ABOVE.
BANDS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "respiratory-rate": (("8", 3), ("11", 1), ("20", 0), ("24", 2)),
    "systolic-blood-pressure": (("90", 3), ("100", 2), ("110", 1), ("219", 0)),
    "heart-rate": (("40", 3), ("50", 1), ("90", 0), ("110", 1), ("130", 2)),
    "body-temperature": (("35.0", 3), ("36.0", 1), ("38.0", 0), ("39.0", 1)),
}
ABOVE: Mapping[str, int] = {
    "respiratory-rate": 3,
    "systolic-blood-pressure": 3,
    "heart-rate": 3,
    "body-temperature": 2,
}
SCALE_1 = (("91", 3), ("93", 2), ("95", 1))
SCALE_2 = (("83", 3), ("85", 2), ("87", 1), ("92", 0))
SCALE_2_ON_OXYGEN = (*SCALE_2, ("94", 1), ("96", 2))
OXYGEN_POINTS = 2
NOT_ALERT_POINTS = 3
STEPS: Mapping[str, str] = {"body-temperature": "0.1"}


@dataclass(frozen=True, slots=True)
class Vitals:
    """One complete set: /min, %, mm[Hg], /min and Cel; ``scale`` is the SpO2 scale, 1 or 2."""

    respiratory_rate: float
    oxygen_saturation: float
    scale: int
    on_oxygen: bool
    systolic: float
    heart_rate: float
    alert: bool
    temperature: float


def points(vitals: Vitals) -> dict[str, int]:
    """Return the points of each parameter by its signal name."""
    return {
        "respiratory-rate": _banded("respiratory-rate", vitals.respiratory_rate),
        "oxygen-saturation": saturation_points(
            vitals.oxygen_saturation, vitals.scale, on_oxygen=vitals.on_oxygen
        ),
        "supplemental-oxygen": OXYGEN_POINTS if vitals.on_oxygen else 0,
        "systolic-blood-pressure": _banded("systolic-blood-pressure", vitals.systolic),
        "heart-rate": _banded("heart-rate", vitals.heart_rate),
        "consciousness": 0 if vitals.alert else NOT_ALERT_POINTS,
        "body-temperature": _banded("body-temperature", vitals.temperature),
    }


def saturation_points(saturation: float, scale: int, *, on_oxygen: bool) -> int:
    """Return the points of the oxygen saturation in % on SpO2 scale 1 or 2."""
    steps = _rounded(saturation, "1")
    if scale == 1:
        return _points(steps, SCALE_1, 0)
    if on_oxygen:
        return _points(steps, SCALE_2_ON_OXYGEN, 3)
    return _points(steps, SCALE_2, 0)


def grade(scored: Mapping[str, int]) -> str:
    """Return the clinical risk: low, low-medium, medium or high."""
    total = sum(scored.values())
    if total >= 7:
        return "high"
    if total >= 5:
        return "medium"
    return "low-medium" if 3 in scored.values() else "low"


def _banded(signal: str, value: float) -> int:
    return _points(_rounded(value, STEPS.get(signal, "1")), BANDS[signal], ABOVE[signal])


def _points(value: Decimal, bands: tuple[tuple[str, int], ...], above: int) -> int:
    return next((score for highest, score in bands if value <= Decimal(highest)), above)


def _rounded(value: float, step: str) -> Decimal:
    return Decimal(str(value)).quantize(Decimal(step), ROUND_HALF_UP)
