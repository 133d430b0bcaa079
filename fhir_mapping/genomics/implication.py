"""What a laboratory concludes: of a disease, a medication, the gene's product, the phase of two variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_mapping.genomics import alleles, germline, terms
from fhir_mapping.genomics.alleles import Ambiguous
from fhir_mapping.genomics.names import hgvs
from fhir_mapping.genomics.parts import (
    Parts,
    coded,
    concepts,
    genes,
    label,
    marks,
    parts,
    references,
    slug,
    words,
)
from fhir_mapping.genomics.variant import agree_on_gene, refused
from fhir_mapping.lenient import objects
from fhir_mapping.mapped import Mapped, Origin
from twin_engine.twin import Implication, ImplicationKind

SIGNIFICANCE, EVIDENCE, CODING = "53037-8", "93044-6", "48004-6"
# The disease, the medication or other therapy, the feature of the gene.
_ABOUT = {
    "diagnostic": ("81259-4", "51967-8"),
    "therapeutic": ("51963-7", "associated-therapy"),
    "molecular": ("feature-consequence",),
}
# The last three are the codes of the guide's first release.
_EFFECT = {
    "diagnostic": (SIGNIFICANCE,),
    "therapeutic": (
        "therapeutic-implication",
        "predicted-therapeutic-implication",
        "53040-2",
        "51961-1",
        "83009-1",
    ),
    "molecular": ("functional-effect",),
}
_TABLE: dict[str, Mapping[str, str]] = {
    "diagnostic": terms.SIGNIFICANCE,
    "therapeutic": terms.EFFECT,
    "molecular": {},
}


def diagnostic(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map what genotypes mean for a disease."""
    return _read("diagnostic", resource, origin)


def therapeutic(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map what genotypes mean for a medication or another therapy."""
    return _read("therapeutic", resource, origin)


def molecular(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map what a variant does to the gene and its product."""
    return _read("molecular", resource, origin)


def phase(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map whether two variants lie on the same copy of the chromosome."""
    derived = references(resource.get("derivedFrom"))
    found = coded(resource.get("valueCodeableConcept"), terms.RELATIVE_PHASE, None)
    if found is None:
        return refused("the phase of the two variants is not known", "Observation.value")
    if len(derived) != 2:
        return refused("the two variants in phase are not both named", "Observation.derivedFrom")
    return Mapped(
        (Implication("phase", origin.source, (), (), (found,), None, derived, germline.stated(resource)),)
    )


def _read(kind: ImplicationKind, resource: dict[str, Any], origin: Origin) -> Mapped:
    found = parts(resource)
    about = tuple(dict.fromkeys(mark for one in concepts(found, *_ABOUT[kind]) for mark in marks(one)))
    effect = tuple(dict.fromkeys(_effects(kind, found)))
    if not about and not effect:
        return refused("nothing is concluded in codes; free text is not read", "Observation.component")
    evidence = next((label(one) for one in concepts(found, EVIDENCE)), None)
    derived = references(resource.get("derivedFrom"))
    symbols = tuple(dict.fromkeys(_genes(resource, found)))
    stated = germline.stated(resource)
    return Mapped((Implication(kind, origin.source, symbols, about, effect, evidence, derived, stated),))


def _effects(kind: ImplicationKind, found: Parts) -> Iterator[str]:
    for value in concepts(found, *_EFFECT[kind]):
        effect = coded(value, _TABLE[kind]) or slug(label(value) or "")
        if effect:
            yield effect


def _genes(resource: dict[str, Any], found: Parts) -> Iterator[str]:
    """Yield the genes that the conclusion itself names; often it names only what it is derived from."""
    studied = genes(found)
    written = (hgvs(word) for value in concepts(found, CODING) for word in words(value))
    named = tuple(read.gene for read in written if read and read.gene)
    agree_on_gene(studied, named)
    yield from (*studied, *named)
    for reference in objects(resource.get("derivedFrom")):
        symbol = _gene_in(reference.get("display"))
        if symbol:
            yield symbol


def _gene_in(display: object) -> str | None:
    if not isinstance(display, str):
        return None
    try:
        named = alleles.genotype(display) or alleles.haplotype(display)
    except Ambiguous:
        return None
    return named.gene if named else None
