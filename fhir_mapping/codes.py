"""The tables of ``signals.toml`` and ``codes.toml``, turned once into dictionaries by code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from fhir_mapping import units
from fhir_mapping.units import Analyte, Scale

Code = tuple[str, str]


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
    """A code whose numbers, of ``signals``, stand in components."""

    signals: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """A code that is known and not used, with the reason."""

    reason: str


GenomicKind = Literal[
    "variant",
    "genotype",
    "haplotype",
    "sequence-phase",
    "diagnostic-implication",
    "therapeutic-implication",
    "molecular-consequence",
    "genetic-analysis",
    "genotype-determination",
    "activity",
]


@dataclass(frozen=True, slots=True)
class Genomic:
    """A genomics Observation; an ``activity`` names its ``gene`` by its code."""

    kind: GenomicKind
    gene: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an outcome of a model is written in FHIR."""

    key: str
    text: str
    coding: tuple[tuple[str, str, str], ...]


Target = Signal | Question | Panel | Refused | Genomic


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("fhir_mapping").joinpath(name).read_text("utf-8"))


_TABLE = _read("codes.toml")
_SIGNALS: dict[str, dict[str, Any]] = _read("signals.toml")["signal"]

SYSTEMS: dict[str, str] = _TABLE["systems"]
LOINC = SYSTEMS["loinc"]


def _code(entry: str) -> Code:
    system, _, code = entry.partition("|")
    return SYSTEMS[system], code


def _spellings(entry: str) -> Iterator[Code]:
    """Yield a code under every name that servers give its system."""
    system, _, code = entry.partition("|")
    yield from ((spelling, code) for spelling in (SYSTEMS[system], *_TABLE["spelling"].get(system, ())))


def _conversions(entry: dict[str, Any]) -> Iterator[tuple[str, str, Analyte | None]]:
    analyte = units.analyte(entry["analyte"]) if "analyte" in entry else None
    agreed = entry.get("equation", {})
    yield from ((unit, entry["unit"], analyte) for unit in entry["units"] if unit not in agreed)


def conversions() -> Iterator[tuple[str, str, Analyte | None]]:
    """Yield unit, unit of the signal and analyte of every conversion that UCUM decides."""
    yield from (each for entry in _SIGNALS.values() for each in _conversions(entry) if each[0] != each[1])


def _signal(name: str, entry: dict[str, Any], scales: dict[str, Scale]) -> Signal:
    spelt = {text: scales[unit] for text, unit in units.spellings(scales).items()}
    return Signal(name, entry["unit"], entry["low"], entry["high"], spelt)


def _signals(name: str, entry: dict[str, Any]) -> Iterator[tuple[Code, Signal]]:
    scales = {each[0]: units.scale(*each) for each in _conversions(entry)}
    scales |= {unit: Scale(*line) for unit, line in entry.get("equation", {}).items()}
    usual = _signal(name, entry, scales)
    narrowed = {
        code: _signal(name, entry, {unit: scales[unit] for unit in accepted})
        for code, accepted in entry.get("only", {}).items()
    }
    for code in entry["codes"]:
        yield from ((spelling, narrowed.get(code, usual)) for spelling in _spellings(code))


def _questions(name: str, entry: dict[str, Any]) -> Iterator[tuple[Code, Question]]:
    answers = {_code(code): answer for answer, codes in entry["answers"].items() for code in codes}
    implied: dict[str, str] = entry.get("implied", {})
    named: dict[str, str] = entry.get("named", {})
    for code in dict.fromkeys((*entry["codes"], *implied, *named)):
        yield _code(code), Question(name, answers, implied.get(code), named.get(code))


def _targets() -> Iterator[tuple[Code, Target]]:
    for name, entry in _SIGNALS.items():
        yield from _signals(name, entry)
    for name, entry in _TABLE["finding"].items():
        yield from _questions(name, entry)
    for entry in _TABLE["panel"].values():
        panel = Panel(frozenset(entry["signals"]))
        yield from ((each, panel) for code in entry["codes"] for each in _spellings(code))
    for code, reason in _TABLE["refused"].items():
        yield _code(code), Refused(reason)
    yield from _genomics()


def _genomics() -> Iterator[tuple[Code, Target]]:
    for kind, code in _TABLE["genomics"].items():
        yield _code(code), Genomic(kind)
    for gene, code in _TABLE["genomics-activity"].items():
        yield _code(code), Genomic("activity", gene)
    for code, reason in _TABLE["genomics-refused"].items():
        yield _code(code), Refused(reason)


TARGETS: dict[Code, Target] = dict(_targets())
GENES: dict[int, str] = {number: symbol for symbol, number in _TABLE["gene"].items()}
OUTCOMES: dict[str, Outcome] = {
    key: Outcome(
        key,
        entry["text"],
        ((SYSTEMS["snomed"], entry["snomed"], entry["display"]),) if "snomed" in entry else (),
    )
    for key, entry in _TABLE["outcome"].items()
}
# Numbers that a model derives of a period (``twin.Summary``), by name.
DERIVED: dict[str, Outcome] = {
    key: Outcome(key, entry["text"], ((SYSTEMS["loinc"], entry["loinc"], ""),) if "loinc" in entry else ())
    for key, entry in _TABLE["derived"].items()
}
