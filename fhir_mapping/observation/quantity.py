"""FHIR Quantity -> a number in the unit of a signal. A unit is never guessed."""

from __future__ import annotations

from typing import Any

from fhir_mapping.codes import SYSTEMS, TARGETS, Signal
from fhir_mapping.units import Scale

_UCUM = "http://unitsofmeasure.org"
# UCUM by its name and by the object identifier that HL7 registered for it.
UCUM = frozenset({_UCUM, "urn:oid:2.16.840.1.113883.6.8"})
_MDC = frozenset({SYSTEMS["mdc"], "urn:oid:2.16.840.1.113883.6.24"})
# Coulomb and farad in UCUM; degrees where they are printed.
_CHARGED = frozenset({"C", "F"})
_KNOWN = frozenset(
    text for target in TARGETS.values() if isinstance(target, Signal) for text in target.scales
)
_LONGEST = max(map(len, _KNOWN))
# What may follow a unit in a printed text; a letter would make it another word.
_PARTING = ("", " ", "(", ",", ";", "{")


def scale(signal: Signal, quantity: dict[str, Any]) -> Scale | None:
    """Return the scale of the unit; None where it is absent, unknown or contradicts itself.

    A code counts in UCUM, in IEEE 11073 and where no system is named. Beside a code of another system, the
    printed unit alone counts.
    """
    code, unit = quantity.get("code"), quantity.get("unit")
    if code is None:
        return signal.scales.get(unit) if unit is not None else bare(signal)
    system = quantity.get("system")
    if code == unit and system == _UCUM:
        return signal.scales.get(code)
    if not _read(system, code):
        return signal.scales.get(unit) if unit is not None else None
    found = signal.scales.get(code)
    if found is None or unit == code:
        return found
    if code in _CHARGED and system in UCUM:
        return found if unit is not None and signal.scales.get(unit) == found else None
    return found if unit is None or _agrees(signal, found, unit) else None


def _read(system: str | None, code: str) -> bool:
    """Tell whether ``code`` is a unit of a system that is read; the units of IEEE 11073 are numbers."""
    return system is None or system in UCUM or (system in _MDC and code.isdecimal())


def _agrees(signal: Signal, found: Scale, unit: str) -> bool:
    """Tell whether a printed text means the unit of ``found``, or begins with no unit that is known."""
    printed = signal.scales.get(unit)
    if printed is None:
        beginning = _beginning(unit.strip())
        printed = found if beginning is None else signal.scales.get(beginning)
    return printed == found


def _beginning(text: str) -> str | None:
    """Return the longest unit that any signal knows and that ``text`` is or begins with."""
    ends = (at for at in range(min(len(text), _LONGEST), 0, -1) if text[at : at + 1] in _PARTING)
    return next((text[:at] for at in ends if text[:at] in _KNOWN), None)


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
