"""What codes of diagnoses, procedures, medications and relatives mean to the engine (``codes.toml``).

One code may mean several things: type 1 diabetes is diabetes, metoprolol is a beta blocker and lowers blood
pressure. Each function returns all of them, and nothing for a code that the tables do not hold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Counted:
    """How doses of a medication are counted: unit texts with their factors, and what is implausible."""

    units: dict[str, float]
    high: float


with resources.files("fhir_mapping").joinpath("codes.toml").open("rb") as _file:
    _TABLE: dict[str, Any] = tomllib.load(_file)

_SYSTEMS: dict[str, str] = _TABLE["systems"]
ROLES = _SYSTEMS["role"]
_CONDITIONS: dict[str, dict[str, Any]] = _TABLE["condition"]
_PROCEDURES: dict[str, dict[str, Any]] = _TABLE["procedure"]
_TREATMENTS: dict[str, dict[str, Any]] = _TABLE["treatment"]
_NOTHING: Names = frozenset()

LASTING: Names = frozenset(name for name, entry in _CONDITIONS.items() if entry["lasting"])
# The conditions that a procedure may tell of.
TOLD_BY_PROCEDURES: Names = frozenset(name for entry in _PROCEDURES.values() for name in entry["conditions"])
DOSES: dict[str, Counted] = {
    name: Counted(**_TABLE["dose"][entry["dose"]]) for name, entry in _TREATMENTS.items() if "dose" in entry
}


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, Names]:
    found: dict[str, set[str]] = {}
    for code, name in pairs:
        found.setdefault(code, set()).add(name)
    return {code: frozenset(names) for code, names in found.items()}


def _table(entries: dict[str, dict[str, Any]], key: str) -> dict[str, Names]:
    pairs = ((code, name) for name, entry in entries.items() for code in entry.get(key, ()))
    return _gathered(pairs)


_DIAGNOSES = {_SYSTEMS[key]: _table(_CONDITIONS, key) for key in ("snomed", "own")}
_ICD = frozenset(_SYSTEMS[key] for key in ("icd10", "icd10cm", "icd10gm"))
_ICD_PREFIXES = _table(_CONDITIONS, "icd10")
_ACTS, _PCS_PREFIXES = (
    _gathered(
        (code, name) for entry in _PROCEDURES.values() for code in entry[key] for name in entry["conditions"]
    )
    for key in ("snomed", "icd10pcs")
)
_RXNORM = _table(_TREATMENTS, "rxnorm")
_ATC_PREFIXES = _table(_TREATMENTS, "atc")
_RELATIVES: dict[str, str] = _TABLE["relative"]
# Roles of those who share no ancestor with the patient, or are the patient.
UNRELATED: Names = frozenset(_TABLE["unrelated"]["role"])


def conditions(system: str | None, code: str | None) -> Names:
    """Return the conditions that a diagnosis code names."""
    if system is None or code is None:
        return _NOTHING
    if system in _ICD:
        return _by_prefix(_ICD_PREFIXES, code.replace(".", ""))
    return _DIAGNOSES.get(system, {}).get(code, _NOTHING)


def procedures(system: str | None, code: str | None) -> Names:
    """Return the conditions that a procedure, once done, tells of."""
    if system is None or code is None:
        return _NOTHING
    if system == _SYSTEMS["icd10pcs"]:
        return _by_prefix(_PCS_PREFIXES, code)
    return _ACTS.get(code, _NOTHING) if system == _SYSTEMS["snomed"] else _NOTHING


def treatments(system: str | None, code: str | None) -> Names:
    """Return the classes of a medication code."""
    if system is None or code is None:
        return _NOTHING
    if system == _SYSTEMS["atc"]:
        return _by_prefix(_ATC_PREFIXES, code)
    return _RXNORM.get(code, _NOTHING) if system == _SYSTEMS["rxnorm"] else _NOTHING


def classifies(system: str | None) -> bool:
    """Tell whether medication codes of ``system`` are read."""
    return system in (_SYSTEMS["atc"], _SYSTEMS["rxnorm"])


def resembling(display: str) -> Names:
    """Return the classes that a medication is named like; never more than a suspicion."""
    lowered = f"{display.lower()} "
    return frozenset(
        name
        for name, entry in _TREATMENTS.items()
        if any(part in lowered for part in entry["names"])
        and not any(other in lowered for other in entry["unlike"])
    )


def relation(system: str | None, code: str | None) -> str | None:
    """Return the v3-RoleCode of a relative."""
    if system == ROLES:
        return code
    return _RELATIVES.get(code) if system == _SYSTEMS["snomed"] and code is not None else None


def _by_prefix(table: dict[str, Names], code: str) -> Names:
    # ATC and ICD codes are written in capitals only, so nothing is confused by reading small letters too.
    upper = code[: max(map(len, table))].upper()
    found = (table.get(upper[:end]) for end in range(1, len(upper) + 1))
    return _NOTHING.union(*(names for names in found if names))
