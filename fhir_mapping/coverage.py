"""What the mapping reads, as rows for a person, out of the tables that it reads with."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, get_args

from fhir_mapping.release import Release
from fhir_mapping.resource import mappings

_SYSTEMS = {
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
# Read for what they say of the others, not for the engine.
_BESIDE = (
    *("Bundle", "CapabilityStatement", "Consent", "Medication"),
    *("Parameters", "Subscription", "SubscriptionStatus", "SubscriptionTopic"),
)
_WRITTEN = (
    *("AuditEvent", "CapabilityStatement", "Communication", "Consent", "DetectedIssue", "Device"),
    *("GuidanceResponse", "OperationOutcome", "Provenance", "RiskAssessment", "Subscription"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is read: ``what`` kind it is, and how many ``codes`` of which systems name it."""

    what: str
    name: str
    unit: str = ""
    codes: str = ""


def rows() -> tuple[Row, ...]:
    """Return releases and resource types, then what is read of them, by kind and name."""
    table = _table("codes.toml")
    return (
        *(Row("release", release) for release in get_args(Release)),
        *(Row("resource type read", kind) for kind in sorted({*mappings(), *_BESIDE})),
        *(Row("resource type written", kind) for kind in _WRITTEN),
        *_signals(_table("signals.toml")["signal"]),
        *_findings(table["finding"]),
        *_genomics(table),
        *_listed("condition", table["condition"], ("snomed", "icd10", "own")),
        *_listed("procedure", table["procedure"], ("snomed", "icd10pcs")),
        *_listed("treatment", table["treatment"], ("rxnorm", "atc")),
    )


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("fhir_mapping").joinpath(name).read_text("utf-8"))


def _signals(signals: dict[str, Any]) -> Iterator[Row]:
    for name, entry in sorted(signals.items()):
        yield Row("signal", name, entry["unit"], _counted(code.partition("|")[0] for code in entry["codes"]))


def _findings(findings: dict[str, Any]) -> Iterator[Row]:
    for name, entry in sorted(findings.items()):
        codes = dict.fromkeys((*entry["codes"], *entry.get("implied", ()), *entry.get("named", ())))
        yield Row("finding", name, "", _counted(code.partition("|")[0] for code in codes))


def _genomics(table: dict[str, Any]) -> Iterator[Row]:
    coded = table["genomics"] | {
        f"{gene}-activity": code for gene, code in table["genomics-activity"].items()
    }
    for name, code in sorted(coded.items()):
        yield Row("genomics", name, "", _counted([code.partition("|")[0]]))


def _listed(what: str, entries: dict[str, Any], systems: tuple[str, ...]) -> Iterator[Row]:
    for name, entry in sorted(entries.items()):
        yield Row(what, name, "", _counted(system for system in systems for _ in entry.get(system, ())))


def _counted(systems: Iterable[str]) -> str:
    return ", ".join(f"{_SYSTEMS[system]} {count}" for system, count in Counter(systems).items())
