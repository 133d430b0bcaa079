"""UCUM by ucumvert, for ``units.py``: imported only where a factor is missing, because loading it is dear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from math import isclose
from typing import Any

from pint import DimensionalityError
from ucumvert import PintUcumRegistry

from fhir_mapping.units import Analyte

_EQUIVALENT = re.compile(r"(?<![A-Za-z])[munp]?eq(?![A-Za-z])")
_ANNOTATION = re.compile(r"\{[^{}]*\}")
# Wide enough that the difference of two Fahrenheit temperatures keeps all its digits.
_STEP = 1e6


class Incommensurable(ValueError):
    """There is no conversion between the two units."""


def factor_and_offset(unit: str, to: str, analyte: Analyte | None = None) -> tuple[float, float]:
    """Return the factor and the offset from one unit to another, to 15 digits.

    Annotations in braces count as nothing, as UCUM has it; whether ``{1.73_m2}`` may be missing is for the
    table of the signals to say.

    Raises
    ------
    Incommensurable
        Where a unit is not UCUM, or no affine factor leads from one to the other.
    """
    source, target = _quantity(unit), _quantity(to)
    charge = _charge(unit, to, analyte)
    for bridge in _bridges(analyte):
        try:
            at_zero, at_step, beyond = (_convert(step * _STEP, source, target, bridge) for step in range(3))
        except DimensionalityError:
            continue
        if not isclose(beyond - at_step, at_step - at_zero):
            raise Incommensurable("the two units do not differ by a factor and an offset")
        return _rounded((at_step - at_zero) / _STEP * charge), _rounded(at_zero)
    raise Incommensurable("there is no conversion between the two units")


@cache
def _registry() -> Any:
    return PintUcumRegistry()


def _quantity(unit: str) -> Any:
    if _ANNOTATION.fullmatch(unit):
        return _registry().Quantity(1.0)
    try:
        return _registry().from_ucum(unit)
    except Exception as unreadable:  # its grammar and its units raise what they like
        raise Incommensurable("a unit is not one of UCUM") from unreadable


def _convert(value: float, source: Any, target: Any, bridge: Any) -> float:
    quantity = _registry().Quantity(value * source.magnitude, source.units)
    if bridge is not None:
        quantity = quantity * bridge
    return float(quantity.to(target.units).magnitude / target.magnitude)


def _bridges(analyte: Analyte | None) -> Iterator[Any]:
    """Yield what a quantity may be multiplied with: nothing, a molar mass, and its reciprocal."""
    yield None
    if analyte is not None:
        molar = _registry().Quantity(analyte.molar_mass, "g/mol")
        yield from (molar, 1 / molar)


def _charge(unit: str, to: str, analyte: Analyte | None) -> float:
    """Return by what equivalents differ from moles, which ucumvert takes for the same."""
    change = bool(_EQUIVALENT.search(to)) - bool(_EQUIVALENT.search(unit))
    if not change:
        return 1.0
    if analyte is None or analyte.valence is None:
        raise Incommensurable("an equivalent is converted by the valence of its ion alone")
    return float(analyte.valence) ** change


def _rounded(number: float) -> float:
    return float(f"{number:.15g}")
