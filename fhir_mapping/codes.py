"""The tables of ``codes.toml``, turned once into dictionaries by code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from twin_engine.model import Inputs

Code = tuple[str, str]
Search = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Scale:
    """From another unit to the signal's: ``(value + shift) * factor / divisor``."""

    factor: float
    shift: float = 0.0
    divisor: float = 1.0

    def apply(self, value: float) -> float:
        """Return ``value`` in the unit of the signal; a converted one to 10 decimals."""
        if self == _AS_IT_IS:
            return value
        return round((value + self.shift) * self.factor / self.divisor, 10)


_AS_IT_IS = Scale(1)


@dataclass(frozen=True, slots=True)
class Signal:
    """A number: its unit, its plausible range, and the scale for every unit text that is accepted."""

    name: str
    unit: str
    low: float
    high: float
    scales: dict[str, Scale]


@dataclass(frozen=True, slots=True)
class Question:
    """A coded answer.

    ``implied`` is the answer that the code itself gives where no value stands,
    ``named`` the one that it gives whatever the value.
    """

    name: str
    answers: dict[Code, str]
    implied: str | None = None
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A code whose numbers stand in components."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A code that is known and not used, with the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Genomic:
    """A genomics Observation."""

    kind: Literal["variant", "genotype", "haplotype"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an outcome of a model is written in FHIR."""

    key: str
    text: str
    coding: tuple[tuple[str, str, str], ...]


Target = Signal | Question | Panel | Refused | Genomic

with resources.files("fhir_mapping").joinpath("codes.toml").open("rb") as _file:
    _TABLE: dict[str, Any] = tomllib.load(_file)

SYSTEMS: dict[str, str] = _TABLE["systems"]
LOINC = SYSTEMS["loinc"]


def _code(entry: str) -> Code:
    system, _, code = entry.partition("|")
    return SYSTEMS[system], code


def _scale(entry: float | list[float]) -> Scale:
    return Scale(*entry) if isinstance(entry, list) else Scale(entry)


def _signal(name: str, entry: dict[str, Any]) -> Signal:
    scales = {unit: _scale(scale) for unit, scale in entry["units"].items()}
    aliased = {alias: scales[unit] for alias, unit in _TABLE["alias"].items() if unit in scales}
    return Signal(name, entry["unit"], entry["low"], entry["high"], aliased | scales)


def _questions(name: str, entry: dict[str, Any]) -> Iterator[tuple[Code, Question]]:
    answers = {_code(code): answer for answer, codes in entry["answers"].items() for code in codes}
    implied: dict[str, str] = entry.get("implied", {})
    named: dict[str, str] = entry.get("named", {})
    for code in dict.fromkeys((*entry["codes"], *implied, *named)):
        yield _code(code), Question(name, answers, implied.get(code), named.get(code))


def _targets() -> Iterator[tuple[Code, Target]]:
    for name, entry in _TABLE["signal"].items():
        signal = _signal(name, entry)
        yield from ((_code(code), signal) for code in entry["codes"])
    for name, entry in _TABLE["finding"].items():
        yield from _questions(name, entry)
    for code in _TABLE["panel"]["codes"]:
        yield _code(code), Panel()
    for code, reason in _TABLE["refused"].items():
        yield _code(code), Refused(reason)
    for kind, code in _TABLE["genomics"].items():
        yield _code(code), Genomic(kind)


TARGETS: dict[Code, Target] = dict(_targets())
LASTING: frozenset[str] = frozenset(name for name, entry in _TABLE["condition"].items() if entry["lasting"])
OUTCOMES: dict[str, Outcome] = {
    key: Outcome(
        key,
        entry["text"],
        ((SYSTEMS["snomed"], entry["snomed"], entry["display"]),) if "snomed" in entry else (),
    )
    for key, entry in _TABLE["outcome"].items()
}

_EXACT_CONDITION: dict[Code, str] = {
    (SYSTEMS[system], code): name
    for name, entry in _TABLE["condition"].items()
    for system in ("snomed", "own")
    for code in entry.get(system, ())
}
_ICD = frozenset({SYSTEMS["icd10cm"], SYSTEMS["icd10"], "http://fhir.de/CodeSystem/bfarm/icd-10-gm"})
_ICD_PREFIX: tuple[tuple[str, str], ...] = tuple(
    (prefix, name) for name, entry in _TABLE["condition"].items() for prefix in entry["icd10"]
)
_RXNORM: dict[str, str] = {
    code: name for name, entry in _TABLE["treatment"].items() for code in entry["rxnorm"]
}
_ATC_PREFIX: tuple[tuple[str, str], ...] = tuple(
    (prefix, name) for name, entry in _TABLE["treatment"].items() for prefix in entry["atc"]
)
_NAMES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = tuple(
    (name, tuple(entry["names"]), tuple(entry["unlike"])) for name, entry in _TABLE["treatment"].items()
)


def condition(system: str | None, code: str | None) -> str | None:
    """Return the engine's name for a diagnosis code."""
    if system is None or code is None:
        return None
    if system in _ICD:
        bare = code.replace(".", "")
        return next((name for prefix, name in _ICD_PREFIX if bare.startswith(prefix)), None)
    return _EXACT_CONDITION.get((system, code))


def treatment(system: str | None, code: str | None) -> str | None:
    """Return the engine's name for the class of a medication code."""
    if system is None or code is None:
        return None
    if system == SYSTEMS["atc"]:
        return next((name for prefix, name in _ATC_PREFIX if code.startswith(prefix)), None)
    return _RXNORM.get(code) if system == SYSTEMS["rxnorm"] else None


def classifies(system: str | None) -> bool:
    """Tell whether medication codes of ``system`` are read."""
    return system in (SYSTEMS["atc"], SYSTEMS["rxnorm"])


def resembling(display: str) -> str | None:
    """Return the class that a medication is named like; never more than a suspicion."""
    lowered = f"{display.lower()} "
    for name, parts, unlike in _NAMES:
        if any(part in lowered for part in parts) and not any(other in lowered for other in unlike):
            return name
    return None


def searches(inputs: Iterable[Inputs] | None = None) -> tuple[Search, ...]:
    """Return the searches within one patient that find what ``inputs`` declare (None: everything).

    Genomics are always searched. Conditions and medications are searched whole: their code sets
    are prefixes and classes, and a search by code would lose what a site codes otherwise.
    """
    codes = ",".join(f"{system}|{code}" for system, code in _wanted(inputs))
    return (
        ("Observation", (("code", codes),)),
        ("Condition", ()),
        ("MedicationRequest", ()),
        ("MedicationStatement", ()),
    )


def criteria(inputs: Iterable[Inputs] | None = None) -> tuple[str, ...]:
    """Return the criteria of classic R4 Subscriptions.

    Never filtered by status, or a withdrawal (``entered-in-error``) would not be told. The question
    mark stands even without parameters: some servers insist on ``Type?``.
    """
    clinical = tuple(
        f"{kind}?" + "&".join(f"{key}={value}" for key, value in parameters)
        for kind, parameters in searches(inputs)
    )
    return (*clinical, "Patient?", "Consent?")


def _wanted(inputs: Iterable[Inputs] | None) -> Iterator[Code]:
    every = None if inputs is None else tuple(inputs)
    names = None if every is None else {each.name for one in every for each in (*one.signals, *one.findings)}
    pressure = {"systolic-blood-pressure", "diastolic-blood-pressure"}
    for code, target in TARGETS.items():
        if isinstance(target, Genomic) or names is None:
            yield code
        elif isinstance(target, Panel):
            if names & pressure:
                yield code
        elif isinstance(target, Signal | Question) and target.name in names:
            yield code
