"""Genotype and haplotype Observations, and the phenotype of one gene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from fhir_mapping.errors import Problem
from fhir_mapping.genomics import alleles, germline, terms
from fhir_mapping.genomics.alleles import Ambiguous, Named
from fhir_mapping.genomics.names import denies
from fhir_mapping.genomics.parts import (
    answer,
    coded,
    genes,
    label,
    parts,
    references,
    single,
    slug,
    words,
)
from fhir_mapping.genomics.variant import (
    ALLELIC_STATE,
    SIGNIFICANCE,
    agree_on_copies,
    agree_on_gene,
    refused,
)
from fhir_mapping.mapped import Mapped, Origin
from twin_engine.twin import Genotype, Implication

Kind = Literal["genotype", "haplotype"]
_READERS: dict[Kind, Callable[[str], Named | None]] = {
    "genotype": alleles.genotype,
    "haplotype": alleles.haplotype,
}


def genotype(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map what both copies of a gene carry: a diplotype, an HLA pair, a compound heterozygote.

    Raises
    ------
    fhir_mapping.genomics.parts.Contradiction
        Its parts cannot all hold.
    """
    return _read("genotype", resource, origin)


def haplotype(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map what one copy of a gene carries.

    Raises
    ------
    fhir_mapping.genomics.parts.Contradiction
        Its parts cannot all hold.
    """
    return _read("haplotype", resource, origin)


def _read(kind: Kind, resource: dict[str, Any], origin: Origin) -> Mapped:
    found = parts(resource)
    return called(kind, resource, genes(found), origin)


def called(kind: Kind, resource: dict[str, Any], studied: tuple[str, ...], origin: Origin) -> Mapped:
    """Map the value of an Observation as a genotype or haplotype of the genes ``studied``."""
    given = value_words(resource)
    if not given:
        return refused(f"the {kind} has no value", "Observation.value")
    if any(denies(word) for word in given):
        return refused(f"the {kind} is in words that deny something; they are not read", "Observation.value")
    try:
        reads = [read for word in given if (read := _READERS[kind](word))]
    except Ambiguous:
        return refused("more than one genotype is possible, and none is chosen", "Observation.value")
    agree_on_gene(studied, tuple(read.gene for read in reads if read.gene), "Observation.value")
    single(read.variant for read in reads if read.variant.startswith("*"))
    named = reads[0] if reads else None
    symbols = (named.gene,) if named and named.gene else studied
    if not symbols:
        return refused(f"the gene of the {kind} is not named", "Observation.component")
    if len(symbols) > 1:
        text = f"more than one gene was studied, and the {kind} does not say of which it is"
        return refused(text, "Observation.value")
    item = _item(kind, resource, symbols[0], named or Named(given[0], state="indeterminate"), origin)
    return Mapped((item,), reasons=() if named else (_NOT_UNDERSTOOD,))


_NOT_UNDERSTOOD = Problem(
    "value",
    "the genotype is not written as star alleles, HLA alleles, HGVS or bases; its name is kept as it is",
    "Observation.value",
)


def value_words(resource: dict[str, Any]) -> tuple[str, ...]:
    """Return the names that the value of an Observation gives."""
    text = resource.get("valueString")
    return words({"text": text} if isinstance(text, str) else resource.get("valueCodeableConcept"))


def _item(kind: Kind, resource: dict[str, Any], symbol: str, named: Named, origin: Origin) -> Genotype:
    found = parts(resource)
    allelic_state = answer(found, ALLELIC_STATE, terms.ZYGOSITY)
    agree_on_copies(named.zygosity, allelic_state)
    said = terms.state(resource.get("valueCodeableConcept")) or "present"
    state = named.state if said == "present" else said
    return Genotype(
        gene=symbol,
        source=origin.source,
        variant=named.variant,
        zygosity=(named.zygosity or allelic_state) if state == "present" else None,
        significance=answer(found, SIGNIFICANCE, terms.SIGNIFICANCE),
        kind=kind,
        state=state,
        origin=germline.stated(resource),
        names=tuple(
            word
            for word in value_words(resource)
            if word not in (named.variant, symbol) and not word.isdigit()
        ),
        phase=named.phase,
    )


def activity(resource: dict[str, Any], symbol: str, origin: Origin) -> Mapped:
    """Map the phenotype of a gene (``poor-metabolizer``), reported under a code for that gene."""
    value = resource.get("valueCodeableConcept")
    effect = coded(value, terms.EFFECT) or slug(label(value) or "")
    if not effect:
        return refused("the phenotype of the gene has no value", "Observation.value")
    derived = references(resource.get("derivedFrom"))
    return Mapped(
        (
            Implication(
                "therapeutic",
                origin.source,
                (symbol,),
                (),
                (effect,),
                derived_from=derived,
                origin=germline.stated(resource),
            ),
        )
    )
