"""What the mapping reads and writes, as rows for a person, out of the tables that it reads with."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any, get_args

import msgspec

from fhir_mapping.codes import OUTCOMES, SYSTEMS
from fhir_mapping.release import Release
from fhir_mapping.resource import mappings

_CALLED = {
    "loinc": "LOINC",
    "snomed": "SNOMED CT",
    "mdc": "IEEE 11073",
    "icd10": "ICD-10",
    "icd10pcs": "ICD-10-PCS",
    "rxnorm": "RxNorm",
    "atc": "ATC",
    "genomics": "Genomics Reporting",
    "ncit": "NCIt",
    "own": "own",
}
_HGNC = "HGNC"
# A system by the name of the table, by the one that people say, and by its URI.
_SPOKEN = {spelt.casefold(): said for key, said in _CALLED.items() for spelt in (key, said, SYSTEMS[key])}
_SPOKEN[_HGNC.casefold()] = _HGNC
# Of these a beginning is listed, and every code that begins so is meant.
_PREFIXES = frozenset({"ICD-10", "ICD-10-PCS", "ATC"})
# Read for what they say of the others, not for the engine.
BESIDE = (
    *("Bundle", "CapabilityStatement", "Consent", "Medication"),
    *("Parameters", "Subscription", "SubscriptionStatus", "SubscriptionTopic"),
)
_WRITTEN = (
    *("AuditEvent", "Bundle", "CapabilityStatement", "Communication", "Consent", "DetectedIssue", "Device"),
    *("GuidanceResponse", "Observation", "OperationOutcome", "Parameters", "Provenance", "RiskAssessment"),
    "Subscription",
)
_CODE = re.compile(r"(?:(?P<system>.*?)[\s|]+)?(?P<code>[^\s|]+)")


class Code(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code that names something.

    ``prefix`` says that every code which begins so is meant; ``units`` are those that are taken with this
    code, where it takes fewer than others of its signal.
    """

    system: str
    code: str
    prefix: bool = False
    units: tuple[str, ...] = ()

    def means(self, system: str | None, code: str) -> bool:
        """Tell whether it is ``code``, or begins it: then neither a dot nor the case of letters matters."""
        if system not in (None, self.system):
            return False
        spelt = code.replace(".", "").upper() if self.prefix else code
        return spelt.startswith(self.code) if self.prefix else spelt == self.code


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is read or written, and the codes that name it.

    ``what`` is its kind. Of a number, ``unit`` is the one in which models are given it, ``low`` to ``high``
    what is plausible in that, and ``units`` those that are taken. ``meaning`` is what else there is to say.
    """

    what: str
    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    units: tuple[str, ...] = ()
    meaning: str = ""
    codes: tuple[Code, ...] = ()


def find(words: str) -> tuple[Row, ...]:
    """Return the rows of a kind (``signals``), else those of a name or a code (``LOINC 2339-0``).

    A row that is found by a code holds the codes that were asked for, and the units that are taken with them.
    """
    wanted = words.strip().casefold()
    kind = wanted.removesuffix("s")
    found = tuple(row for row in rows() if f"{row.what.removesuffix('s')} ".startswith(f"{kind} "))
    asked = _CODE.fullmatch(words.strip())
    return found if found or asked is None else tuple(_told_of(wanted, asked["system"], asked["code"]))


def _told_of(name: str, spoken: str | None, code: str) -> Iterator[Row]:
    system = _SPOKEN.get(spoken.casefold(), "") if spoken else None
    for row in rows():
        codes = tuple(each for each in row.codes if each.means(system, code))
        if codes:
            units = tuple(dict.fromkeys(unit for each in codes for unit in each.units))
            yield msgspec.structs.replace(row, codes=codes, units=units or row.units)
        elif name in row.name.casefold():
            yield row


@cache
def rows() -> tuple[Row, ...]:
    """Return releases and resource types, then what is read of them, by kind and name, and what is told."""
    table = _table("codes.toml")
    return (
        *(Row("release", release) for release in get_args(Release)),
        *(Row("resource type read", kind) for kind in sorted({*mappings(), *BESIDE})),
        *(Row("resource type written", kind) for kind in _WRITTEN),
        *_signals(_table("signals.toml")["signal"]),
        *_findings(table["finding"]),
        *_panels(table["panel"]),
        *(Row("refused", code, meaning=why, codes=_codes([code])) for code, why in _refused(table)),
        *_genomics(table),
        *_conditions(table["condition"]),
        *_procedures(table["procedure"]),
        *_treatments(table["treatment"], table["dose"]),
        *(Row("outcome", key, meaning=outcome.text) for key, outcome in sorted(OUTCOMES.items())),
    )


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("fhir_mapping").joinpath(name).read_text("utf-8"))


def _codes(entries: Iterable[str], units: dict[str, list[str]] | None = None) -> tuple[Code, ...]:
    """Return codes that are written ``system|code``."""
    only = units or {}
    split = ((entry, *entry.split("|", 1)) for entry in dict.fromkeys(entries))
    return tuple(Code(_CALLED[key], code, units=tuple(only.get(entry, ()))) for entry, key, code in split)


def _listed(entry: dict[str, Any], *systems: str) -> tuple[Code, ...]:
    """Return codes that are listed by their system."""
    return tuple(
        Code(_CALLED[key], code, prefix=_CALLED[key] in _PREFIXES)
        for key in systems
        for code in entry.get(key, ())
    )


def _signals(signals: dict[str, Any]) -> Iterator[Row]:
    for name, entry in sorted(signals.items()):
        codes = _codes(entry["codes"], entry.get("only"))
        units = tuple(entry["units"])
        yield Row("signal", name, entry["unit"], entry["low"], entry["high"], units, codes=codes)


def _findings(findings: dict[str, Any]) -> Iterator[Row]:
    for name, entry in sorted(findings.items()):
        implied, named = entry.get("implied", {}), entry.get("named", {})
        answers: dict[str, list[str]] = entry["answers"]
        yield Row(
            "finding", name, meaning=", ".join(answers), codes=_codes([*entry["codes"], *implied, *named])
        )
        for answer, codes in answers.items():
            yield Row("answer", f"{name} {answer}", codes=_codes(codes))


def _panels(panels: dict[str, Any]) -> Iterator[Row]:
    for name, entry in sorted(panels.items()):
        yield Row("panel", name, meaning=", ".join(entry["signals"]), codes=_codes(entry["codes"]))


def _refused(table: dict[str, Any]) -> Iterable[tuple[str, str]]:
    reasons: dict[str, str] = table["refused"] | table["genomics-refused"]
    return reasons.items()


def _genomics(table: dict[str, Any]) -> Iterator[Row]:
    coded = table["genomics"] | {
        f"{gene}-activity": code for gene, code in table["genomics-activity"].items()
    }
    for name, code in sorted(coded.items()):
        yield Row("genomics", name, codes=_codes([code]))
    for gene, number in sorted(table["gene"].items()):
        yield Row("gene", gene, codes=(Code(_HGNC, str(number)),))


def _conditions(conditions: dict[str, Any]) -> Iterator[Row]:
    for name, entry in sorted(conditions.items()):
        meaning = "stays in the history once it happened" if entry["lasting"] else ""
        yield Row("condition", name, meaning=meaning, codes=_listed(entry, "snomed", "icd10", "own"))


def _procedures(procedures: dict[str, Any]) -> Iterator[Row]:
    for name, entry in sorted(procedures.items()):
        meaning = f"tells of {' and '.join(entry['conditions'])}"
        yield Row("procedure", name, meaning=meaning, codes=_listed(entry, "snomed", "icd10pcs"))


def _treatments(treatments: dict[str, Any], doses: dict[str, Any]) -> Iterator[Row]:
    for name, entry in sorted(treatments.items()):
        yield Row("treatment", name, codes=_listed(entry, "rxnorm", "atc"))
    for name, entry in sorted(treatments.items()):
        if "dose" in entry:
            counted = doses[entry["dose"]]
            units = tuple(counted["units"])
            codes = _listed(entry, "rxnorm", "atc")
            yield Row("dose", name, units[0], 0, counted["high"], units, codes=codes)
