"""Genomics -> reported genotypes and what laboratories conclude from them.

Read are Observations of HL7 Genomics Reporting STU3 and of FHIR R4's older genetics profile,
MolecularSequence resources (``molecular_sequence``) and VCF files (``vcf``), which are rendered as the
former.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fhir_mapping.codes import TARGETS, Genomic, GenomicKind
from fhir_mapping.errors import Problem
from fhir_mapping.genomics import genotype, germline, implication, older, variant
from fhir_mapping.genomics.parts import Contradiction
from fhir_mapping.genomics.scope import OUT_OF_SCOPE, explain
from fhir_mapping.instants import moment
from fhir_mapping.lenient import as_object, objects
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin

__all__ = ["OUT_OF_SCOPE", "explain", "read"]

_READERS: dict[GenomicKind, Callable[[dict[str, Any], Origin], Mapped]] = {
    "variant": variant.read,
    "genotype": genotype.genotype,
    "haplotype": genotype.haplotype,
    "sequence-phase": implication.phase,
    "diagnostic-implication": implication.diagnostic,
    "therapeutic-implication": implication.therapeutic,
    "molecular-consequence": implication.molecular,
    "genetic-analysis": older.read,
    "genotype-determination": older.read,
}


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map an Observation whose code is a genomic one, of a status that is used and about its subject.

    A genotype lasts a lifetime: an Observation without a time is read like any other.
    """
    target = next(_targets(resource), None)
    if target is None:
        return IRRELEVANT
    at = moment(resource.get("effectiveDateTime"))
    if at is not None and at.after(origin.now):
        return Mapped(reasons=(Problem("time", "the time lies in the future", "Observation.effective"),))
    if any(component.get("modifierExtension") for component in objects(resource.get("component"))):
        text = "a component carries a modifier that is not understood"
        return Mapped(reasons=(Problem("modifier", text, "Observation.component"),))
    mapped = _mapped(target, resource, origin)
    other = germline.other_genome(resource) if mapped.relevant else None
    return Mapped(reasons=(other,)) if other else mapped


def _mapped(target: Genomic, resource: dict[str, Any], origin: Origin) -> Mapped:
    try:
        if target.gene is not None:
            return genotype.activity(resource, target.gene, origin)
        return _READERS[target.kind](resource, origin)
    except Contradiction as found:
        return Mapped(reasons=(found.problem,))


def _targets(resource: dict[str, Any]) -> Iterator[Genomic]:
    for coding in objects(as_object(resource.get("code")).get("coding")):
        found = TARGETS.get((str(coding.get("system")), str(coding.get("code"))))
        if isinstance(found, Genomic):
            yield found
