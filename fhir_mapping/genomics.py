"""Genomics Observations (HL7 Genomics Reporting) -> reported genotypes.

A variant is taken where it is reported present in the germline; a somatic one tells of a tumour and not
of the person, and an absent or uncalled one tells of no genotype.
"""

from __future__ import annotations

from fhir_mapping.codes import LOINC, Genomic
from fhir_mapping.errors import Problem
from fhir_mapping.mapped import Mapped, Origin
from fhir_mapping.shapes import CodeableConcept
from twin_engine.twin import Genotype

GENE, SOURCE_CLASS, ALLELIC_STATE, SIGNIFICANCE = "48018-6", "48002-0", "53034-5", "53037-8"
# Coding HGVS, genomic HGVS, discrete variant (ClinVar).
NAMES = ("48004-6", "81290-9", "81252-9")
PRESENT, ABSENT, SOMATIC = "LA9633-4", "LA9634-2", "LA6684-0"
# LOINC answer lists LL381-5 and LL4034-6.
_ZYGOSITY = {
    "LA6705-3": "homozygous",
    "LA6706-1": "heterozygous",
    "LA6707-9": "hemizygous",
    "LA6703-8": "heteroplasmic",
    "LA6704-6": "homoplasmic",
}
_SIGNIFICANCE = {
    "LA6668-3": "pathogenic",
    "LA26332-9": "likely-pathogenic",
    "LA26333-7": "uncertain",
    "LA26334-5": "likely-benign",
    "LA6675-8": "benign",
}

Parts = dict[str, CodeableConcept | str]


def read(kind: Genomic, value: CodeableConcept | None, parts: Parts, origin: Origin) -> Mapped:
    """Map a variant, genotype or haplotype Observation by its value and components."""
    if _loinc(parts.get(SOURCE_CLASS)) == SOMATIC:
        return _quarantined("a somatic variant says nothing of the germline", "Observation.component")
    if kind.kind == "variant":
        state = _loinc(value)
        if state == ABSENT:
            return Mapped()
        if state != PRESENT:
            return _quarantined("the variant is not reported as present", "Observation.value")
    gene = _text(parts.get(GENE))
    named = _named(parts) if kind.kind == "variant" else _text(value)
    if gene is None or named is None:
        return _quarantined("the gene or the variant is not named", "Observation.component")
    zygosity = _ZYGOSITY.get(_loinc(parts.get(ALLELIC_STATE)) or "")
    significance = _SIGNIFICANCE.get(_loinc(parts.get(SIGNIFICANCE)) or "")
    return Mapped(items=(Genotype(gene, origin.source, named, zygosity, significance),))


def _quarantined(text: str, expression: str) -> Mapped:
    return Mapped(reasons=(Problem("value", text, expression),))


def _named(parts: Parts) -> str | None:
    return next((name for name in (_text(parts.get(code), coded=True) for code in NAMES) if name), None)


def _loinc(concept: CodeableConcept | str | None) -> str | None:
    if not isinstance(concept, CodeableConcept):
        return None
    return next((coding.code for coding in concept.coding if coding.system == LOINC), None)


def _text(concept: CodeableConcept | str | None, *, coded: bool = False) -> str | None:
    """Return the first name in ``concept``: the code for HGVS, else what is displayed."""
    if not isinstance(concept, CodeableConcept):
        return concept or None
    for coding in concept.coding:
        name = (coding.code or coding.display) if coded else (coding.display or coding.code)
        if name:
            return name
    return concept.text
