"""Calls -> Observations of HL7 Genomics Reporting; the same call gets the same id whatever file it is in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from fhir_mapping.codes import LOINC
from fhir_mapping.genomics.vcf.assembly import Build
from fhir_mapping.genomics.vcf.calls import Call

_PROFILE = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition/"
_REFSEQ, _HGVS = "http://www.ncbi.nlm.nih.gov/refseq", "http://varnomen.hgvs.org"
_GENENAMES, _DBSNP = "http://www.genenames.org", "http://www.ncbi.nlm.nih.gov/SNP"
_PHASES = "http://terminology.hl7.org/CodeSystem/sequence-phase-relationship-cs"
_STATES = {
    "present": ("LA9633-4", "Present"),
    "absent": ("LA9634-2", "Absent"),
    "no-call": ("LA18198-4", "No call"),
}
_ZYGOSITY = {
    "homozygous": ("LA6705-3", "Homozygous"),
    "heterozygous": ("LA6706-1", "Heterozygous"),
    "hemizygous": ("LA6707-9", "Hemizygous"),
    "heteroplasmic": ("LA6703-8", "Heteroplasmic"),
    "homoplasmic": ("LA6704-6", "Homoplasmic"),
}
_CHANGES = {
    "DEL": ("LA6692-3", "Deletion"),
    "DUP": ("LA6686-5", "Duplication"),
    "INS": ("LA6687-3", "Insertion"),
    "INV": ("LA6689-9", "Inversion"),
}
_BUILDS: dict[Build, str] = {"GRCh37": "LA14029-5", "GRCh38": "LA26806-2"}


def observations(
    calls: Iterable[Call], build: Build, patient: str, made: date | None
) -> list[dict[str, Any]]:
    """Return a variant Observation for each call and the phase of neighbours in one gene that were phased."""
    of: dict[str, dict[str, Any]] = {}
    phased: dict[tuple[str, str], list[tuple[Call, str]]] = {}
    for call in calls:
        rendered = _variant(call, build, patient, made)
        of[rendered["id"]] = rendered
        if call.phase_set and call.zygosity == "heterozygous":
            phased.setdefault((call.phase_set, call.annotation.gene), []).append((call, rendered["id"]))
    for group in phased.values():
        of |= {one["id"]: one for one in _phases(group, patient, made)}
    return list(of.values())


def _variant(call: Call, build: Build, patient: str, made: date | None) -> dict[str, Any]:
    place = f"{call.accession}:{call.start}:{call.end}:{call.deleted}:{call.inserted}:{call.symbol}"
    return _observation(f"{patient} {place}", "variant", patient, made) | {
        "code": _concept(LOINC, "69548-6", "Genetic variant assessment"),
        "valueCodeableConcept": _concept(LOINC, *_STATES[call.state]),
        "component": [*_told(call), *_placed(call, build), *_structural(call)],
    }


def _observation(key: str, profile: str, patient: str, made: date | None) -> dict[str, Any]:
    digest = hashlib.sha256(key.encode()).hexdigest()
    dated = {"effectiveDateTime": made.isoformat()} if made else {}
    return {
        "resourceType": "Observation",
        "id": f"vcf-{digest[:40]}",
        "meta": {"profile": [_PROFILE + profile]},
        "status": "final",
        "category": [
            _concept("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"),
            _concept("http://terminology.hl7.org/CodeSystem/v2-0074", "GE"),
        ],
        "subject": {"reference": f"Patient/{patient}"},
        **dated,
    }


def _told(call: Call) -> Iterator[dict[str, Any]]:
    told = call.annotation
    yield _part("48018-6", _concept(_GENENAMES, None, told.gene))
    yield _part("48002-0", _concept(LOINC, "LA6683-2", "Germline"))
    for code, name in (("48004-6", told.coding), ("48005-3", told.protein)):
        if name is not None:
            yield _part(code, _concept(_HGVS, name))
    if call.identifier is not None and re.fullmatch("rs[0-9]+", call.identifier):
        yield _part("81252-9", _concept(_DBSNP, call.identifier))
    if call.zygosity is not None:
        yield _part("53034-5", _concept(LOINC, *_ZYGOSITY[call.zygosity]))
    if told.significance is not None:
        yield _part("53037-8", _concept(LOINC, told.significance))


def _placed(call: Call, build: Build) -> Iterator[dict[str, Any]]:
    yield _part("48013-7", _concept(_REFSEQ, call.accession))
    yield _part("62374-4", _concept(LOINC, _BUILDS[build], build))
    if call.symbol is None:
        yield _part("92822-6", _concept(LOINC, "LA30100-4", "0-based interval counting"))
        yield _coded("81254-5") | {"valueRange": _range(call.start, call.end)}
        yield _coded("69547-8") | {"valueString": call.deleted}
        yield _coded("69551-0") | {"valueString": call.inserted}


def _structural(call: Call) -> Iterator[dict[str, Any]]:
    if call.symbol is None:
        return
    yield _coded("81302-2") | {"valueRange": _range(call.start + 1, call.end)}
    change = _CHANGES.get(call.symbol.partition(":")[0])
    if change is not None:
        yield _part("48019-4", _concept(LOINC, *change))
    if call.copies is not None:
        quantity = {"value": call.copies, "system": "http://unitsofmeasure.org", "code": "1"}
        yield _coded("82155-3") | {"valueQuantity": quantity}


def _phases(group: list[tuple[Call, str]], patient: str, made: date | None) -> Iterator[dict[str, Any]]:
    for (first, one), (second, other) in pairwise(group):
        related = "Cis" if first.strands == second.strands else "Trans"
        yield _observation(f"{patient} {one} {other}", "sequence-phase-relationship", patient, made) | {
            "code": _concept(LOINC, "82120-7", "Allelic phase"),
            "valueCodeableConcept": _concept(_PHASES, related, related),
            "derivedFrom": [{"reference": f"Observation/{one}"}, {"reference": f"Observation/{other}"}],
        }


def _range(low: int, high: int) -> dict[str, Any]:
    return {"low": {"value": low}, "high": {"value": high}}


def _part(code: str, value: dict[str, Any]) -> dict[str, Any]:
    return _coded(code) | {"valueCodeableConcept": value}


def _coded(code: str) -> dict[str, Any]:
    return {"code": _concept(LOINC, code)}


def _concept(system: str, code: str | None, display: str | None = None) -> dict[str, Any]:
    given = {"system": system, "code": code, "display": display}
    return {"coding": [{name: value for name, value in given.items() if value is not None}]}
