"""MolecularSequence (R4) -> variants by their place on a reference sequence.

The resource names no gene, no zygosity and no origin: each variant is kept under its SPDI name. A variant
whose place does not fit its alleles or lies outside of the window that was looked at is listed.
"""

from __future__ import annotations

from typing import Any

from fhir_mapping.errors import Problem
from fhir_mapping.genomics.names import Place, allele
from fhir_mapping.genomics.parts import words
from fhir_mapping.lenient import as_object, objects
from fhir_mapping.mapped import Mapped, Origin
from fhir_mapping.references import subject_id
from twin_engine.twin import Genotype, GenotypeState

_ONE_BASED = 1


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map the variants of a sequence."""
    if subject_id(resource) is None:
        return _refused("reference", "the sequence names no patient", "MolecularSequence.patient")
    if resource.get("type") == "aa":
        return _refused("value", "a sequence of amino acids is not read", "MolecularSequence.type")
    if _other_strand(resource):
        text = "the alleles are of the other strand and would have to be complemented"
        return _refused("value", text, "MolecularSequence.referenceSeq")
    variants = objects(resource.get("variant"))
    if not variants:
        return _refused("absent", "the sequence states no variant", "MolecularSequence.variant")
    reference = _reference(resource)
    if reference is None:
        text = "the reference sequence has no identifier, so the variants have no name"
        return _refused("value", text, "MolecularSequence.referenceSeq")
    found = [_place(resource, reference, index, variant) for index, variant in enumerate(variants)]
    return Mapped(
        items=tuple(_item(one, origin) for one in found if isinstance(one, Place)),
        reasons=tuple(one for one in found if isinstance(one, Problem)),
    )


def _refused(code: str, text: str, expression: str) -> Mapped:
    return Mapped(reasons=(Problem(code, text, expression),))


def _other_strand(resource: dict[str, Any]) -> bool:
    sequence = as_object(resource.get("referenceSeq"))
    return sequence.get("strand") == "crick" or sequence.get("orientation") == "antisense"


def _reference(resource: dict[str, Any]) -> str | None:
    identified = as_object(as_object(resource.get("referenceSeq")).get("referenceSeqId"))
    codes = (one.get("code") for one in objects(identified.get("coding")))
    return next((code for code in codes if isinstance(code, str) and code), None) or next(
        iter(words(identified)), None
    )


def _place(resource: dict[str, Any], reference: str, index: int, variant: dict[str, Any]) -> Place | Problem:
    where = f"MolecularSequence.variant[{index}]"
    start, end = variant.get("start"), variant.get("end")
    deleted, inserted = allele(variant.get("referenceAllele")), allele(variant.get("observedAllele"))
    if not isinstance(start, int) or not isinstance(end, int) or deleted is None or inserted is None:
        return Problem("value", "the variant lacks its place or one of its alleles", where)
    counted_from_one = resource.get("coordinateSystem") == _ONE_BASED
    between = _between(start, end, len(deleted), counted_from_one=counted_from_one)
    if between is None:
        return Problem("value", "the place is not as long as the reference allele", where)
    if not _inside(resource, between, len(deleted), counted_from_one=counted_from_one):
        return Problem("value", "the variant lies outside of the window of the reference sequence", where)
    return Place(reference, between, deleted, inserted)


def _between(start: int, end: int, length: int, *, counted_from_one: bool) -> int | None:
    """Return the 0-based start between bases; an insertion counted from one names the bases beside it."""
    if not counted_from_one:
        return start if end - start == length else None
    if length == 0:
        return start if end - start == 1 else None
    return start - 1 if end - start + 1 == length else None


def _inside(resource: dict[str, Any], start: int, length: int, *, counted_from_one: bool) -> bool:
    window = as_object(resource.get("referenceSeq"))
    low, high = window.get("windowStart"), window.get("windowEnd")
    if not isinstance(low, int) or not isinstance(high, int):
        return True
    return low - counted_from_one <= start and start + length <= high


def _item(place: Place, origin: Origin) -> Genotype:
    found: GenotypeState = "absent" if place.is_reference else "present"
    return Genotype(None, origin.source, place.name, kind="sequence", state=found)
