"""FHIR Quantity -> a number in the unit of a signal. A unit is never guessed."""

from __future__ import annotations

from typing import Any

from fhir_mapping.codes import Signal
from fhir_mapping.units import Scale


def scale(signal: Signal, quantity: dict[str, Any]) -> Scale | None:
    """Return the scale of the unit; None where it is absent, unknown or contradicts itself."""
    code, unit = quantity.get("code"), quantity.get("unit")
    if code is None:
        return signal.scales.get(unit) if unit is not None else bare(signal)
    found = signal.scales.get(code)
    if unit is None or unit == code or found is None:
        return found
    printed = signal.scales.get(unit)
    return found if printed is None or printed is found or printed == found else None


def bare(signal: Signal) -> Scale | None:
    """Return the scale of a number without a unit: a count or a score that no unit could change."""
    if signal.unit != "1" and not signal.unit.startswith("{"):
        return None
    own = signal.scales.get(signal.unit)
    return own if all(other == own for other in signal.scales.values()) else None


def converted(signal: Signal, quantity: dict[str, Any]) -> float | None:
    """Return the number in the unit of ``signal``; None where it is absent, a bound or of another unit."""
    value = quantity.get("value")
    if value is None or "comparator" in quantity:
        return None
    found = scale(signal, quantity)
    return None if found is None else found.apply(float(value))
