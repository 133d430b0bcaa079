"""Units of measure: affine factors out of UCUM, and what UCUM cannot say.

UCUM is read by ucumvert (``ucum.py``), which takes more than half a second and 23 MB to load and two
milliseconds for each conversion. The factors that the signals need therefore stand in ``units_table.json``,
written by ``python -m fhir_mapping.units_table`` and compared with a fresh computation by a test: a process
pays for a dictionary. What is not in the table (a signal that a site plugs in) is computed live, once.

UCUM alone is not enough to read a hospital:

- a signal names the units that it accepts. UCUM takes ``K/uL`` for kelvin per microlitre, ``pH`` for
  picohenry, ``mmol/mol`` for a tenth of ``%`` and ``mL/min`` for ``mL/min/{1.73_m2}``: right by its rules,
  and never what was meant;
- mass and substance are converted by the molar mass of the analyte, equivalents by the valence of its ion;
- what servers write beside UCUM is spelled out in ``units.toml``, letter by letter: upper and lower case
  differ in UCUM, so nothing is folded.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Scale:
    """From one unit to another: ``value * factor + offset``."""

    factor: float = 1.0
    offset: float = 0.0
    identity: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", self.factor == 1 and self.offset == 0)

    def apply(self, value: float) -> float:
        """Return ``value`` in the other unit; a converted one to 10 decimals."""
        return value if self.identity else round(value * self.factor + self.offset, 10)

    def inverse(self) -> Scale:
        """Return the scale of the way back."""
        return Scale(1 / self.factor, -self.offset / self.factor)


@dataclass(frozen=True, slots=True)
class Analyte:
    """What a unit counts: ``molar_mass`` in g/mol, ``valence`` of its ion where it is one."""

    molar_mass: float
    valence: int | None = None


_PACKAGE = resources.files("fhir_mapping")
with _PACKAGE.joinpath("units.toml").open("rb") as _file:
    _TABLE: dict[str, Any] = tomllib.load(_file)


@cache
def scale(unit: str, to: str, analyte: Analyte | None = None) -> Scale:
    """Return the scale from one UCUM unit to another: as the table has it, else computed.

    Raises
    ------
    ucum.Incommensurable
        Where a unit is not UCUM, or no affine factor leads from one to the other.
    """
    if unit == to:
        return Scale()
    found = _factors().get(key(unit, to, analyte))
    if found is None:
        from fhir_mapping import ucum

        found = ucum.factor_and_offset(unit, to, analyte)
    return Scale(*found)


def key(unit: str, to: str, analyte: Analyte | None = None) -> str:
    """Name a conversion by all that it rests on, so that a changed analyte never meets an old factor."""
    if analyte is None:
        return f"{unit} -> {to}"
    charge = "" if analyte.valence is None else f", valence {analyte.valence}"
    return f"{unit} -> {to}, {analyte.molar_mass!r} g/mol{charge}"


def analyte(name: str) -> Analyte:
    """Return an analyte of ``units.toml``."""
    entry = _TABLE["analyte"][name]
    mass = entry["molar_mass"] if "molar_mass" in entry else 1000 / entry["umol_per_mg"]
    return Analyte(mass, entry.get("valence"))


def spellings(accepted: Iterable[str]) -> dict[str, str]:
    """Return every text that is read as one of the ``accepted`` units, with the unit that it stands for."""
    own = {unit: unit for unit in accepted}
    known = {text: unit for text, unit in _TABLE["alias"].items() if unit in own}
    # The micro sign and the Greek letter look the same, and both are sent.
    greek = {
        text.replace("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"): unit for text, unit in known.items()
    }
    return greek | known | own


@cache
def _factors() -> dict[str, tuple[float, float]]:
    found: dict[str, list[float]] = json.loads(_PACKAGE.joinpath("units_table.json").read_text("utf-8"))
    return {name: (factor, offset) for name, (factor, offset) in found.items()}
