"""A variant Observation -> one reported variant for each gene it names.

A variant that is absent, was not called or is indeterminate is kept as such: that a gene was looked at is
knowledge. A somatic variant tells of a tumour and a fetal one of another person; neither becomes evidence, so
that no model can take it for the germline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fhir_mapping.errors import Problem
from fhir_mapping.genomics import germline, terms
from fhir_mapping.genomics.names import Hgvs, denies, hgvs, is_normal_karyotype
from fhir_mapping.genomics.parts import (
    Parts,
    answer,
    coded,
    concepts,
    contradiction,
    genes,
    label,
    number,
    parts,
    references,
    words,
)
from fhir_mapping.genomics.places import EXACT, from_components, structural
from fhir_mapping.genomics.repeats import repeats
from fhir_mapping.mapped import Mapped, Origin
from twin_engine.twin import Genotype, GenotypeState

ALLELIC_STATE, SIGNIFICANCE, PHASE = "53034-5", "53037-8", "82120-7"
CODING, GENOMIC, PROTEIN, DISCRETE, DBSNP = "48004-6", "81290-9", "48005-3", "81252-9", "81255-2"
ISCN, CHANGE_TYPE, COPY_NUMBER, TRANSCRIPT = "81291-7", "48019-4", "82155-3", "51958-7"
REGION, CYTOBAND = "47999-8", "48001-2"
ANY = "any"


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a variant.

    Raises
    ------
    fhir_mapping.genomics.parts.Contradiction
        Its parts cannot all hold.
    """
    found = parts(resource)
    state = terms.state(resource.get("valueCodeableConcept"))
    if state is None:
        return refused("the report does not say whether the variant is present", "Observation.value")
    _agree(found, state)
    names, listed = _names(found)
    studied = genes(found) or _genes_named(found)[:1]
    if not names and not (studied and state != "present"):
        return (
            Mapped(reasons=tuple(listed)) if listed else refused(_unnamed(resource), "Observation.component")
        )
    called = _genotype(found, state, names, origin, germline.stated(resource))
    items = (replace(called, gene=symbol) for symbol in studied or (None,))
    return Mapped(tuple(items), reasons=tuple(listed))


def _agree(found: Parts, state: GenotypeState) -> None:
    """Raise a Contradiction where the gene, the copies or the presence are stated in two ways."""
    agree_on_gene(genes(found), _genes_named(found))
    reported = answer(found, ALLELIC_STATE, terms.ZYGOSITY)
    for one in _readable(found):
        agree_on_copies(one.zygosity, reported)
    named = concepts(found, CODING, GENOMIC, DISCRETE, PROTEIN)
    if state == "present" and any(denies(word) for value in named for word in words(value)):
        raise contradiction("a variant is called present, and its name denies it")


def agree_on_gene(
    studied: tuple[str, ...], named: tuple[str, ...], where: str = "Observation.component.value"
) -> None:
    """Raise a Contradiction where a name is of none of the genes studied; an id alone cannot be compared."""
    comparable = studied and not any(symbol.startswith("HGNC:") for symbol in studied)
    if comparable and any(symbol not in studied for symbol in named):
        raise contradiction("the gene studied and the gene in a name are different genes", where)


def agree_on_copies(named: str | None, reported: str | None) -> None:
    """Raise a Contradiction where the name and the allelic state cannot both hold."""
    both = {named, reported}
    if "homozygous" in both and both & _HETEROZYGOUS:
        raise contradiction("the name and the allelic state differ in whether both copies are alike")


_HETEROZYGOUS = {"heterozygous", "compound-heterozygous", "double-heterozygous"}


def refused(text: str, expression: str) -> Mapped:
    """Return nothing but the reason."""
    return Mapped(reasons=(Problem("value", text, expression),))


def _genotype(
    found: Parts, state: GenotypeState, names: tuple[str, ...], origin: Origin, stated: str | None
) -> Genotype:
    copies = next((number(one) for one in found.get(COPY_NUMBER, ())), None)
    small = any(True for _ in _readable(found))
    present = "absent" if state == "present" and _is_reference(found, names) else state
    return Genotype(
        gene=None,
        source=origin.source,
        variant=names[0] if names else ANY,
        zygosity=answer(found, ALLELIC_STATE, terms.ZYGOSITY) if present == "present" else None,
        significance=answer(found, SIGNIFICANCE, terms.SIGNIFICANCE),
        kind="variant" if copies is None or small else "copy-number",
        state=present,
        origin=stated,
        names=names[1:],
        copy_number=copies,
        phase=answer(found, PHASE, terms.PHASE)
        or next((one.phase for one in _readable(found) if one.phase), None),
        region=next((label(one) for one in concepts(found, REGION, CYTOBAND)), None),
    )


def _is_reference(found: Parts, names: tuple[str, ...]) -> bool:
    """Tell whether what is called present is the reference: some reports list wild types so."""
    unchanged = any(coded(one, terms.UNCHANGED, None) for one in concepts(found, CHANGE_TYPE))
    place = from_components(found)
    same = not isinstance(place, Problem) and place is not None and place.is_reference
    bases = [one for one in _readable(found) if one.kind != "p"]
    written = bool(bases) and all(one.unchanged for one in bases)
    return unchanged or same or written or any(is_normal_karyotype(name) for name in names)


def _names(found: Parts) -> tuple[tuple[str, ...], list[Problem]]:
    """Return all names, the best known first, and what could not be understood."""
    place = from_components(found)
    listed = [place] if isinstance(place, Problem) else []
    understood = {
        code: [one.name for one in _hgvs(found, code)] for code in (CODING, GENOMIC, DISCRETE, PROTEIN)
    }
    for code in (CODING, GENOMIC, PROTEIN):
        if len(understood[code]) < len(found.get(code, ())):
            text = "a name of the variant does not follow the HGVS nomenclature; it is kept as it is written"
            listed.append(Problem("value", text, "Observation.component.value"))
    names = (
        *(name for code in (CODING, GENOMIC, DISCRETE) for name in understood[code]),
        *((place.name,) if place is not None and not isinstance(place, Problem) else ()),
        *structural(found),
        *repeats(found),
        *understood[PROTEIN],
        *_verbatim(found),
    )
    return tuple(dict.fromkeys(names)), listed


def _hgvs(found: Parts, code: str) -> Iterator[Hgvs]:
    transcript = next((words(one)[-1] for one in concepts(found, TRANSCRIPT) if words(one)), None)
    for value in concepts(found, code):
        counted_on = transcript if code == CODING else None
        read = (hgvs(word, counted_on) for word in words(value))
        best = min((one for one in read if one), key=lambda one: one.reference is None, default=None)
        if best is not None:
            yield best


def _readable(found: Parts) -> Iterator[Hgvs]:
    for code in (DISCRETE, CODING, GENOMIC):
        for value in concepts(found, code):
            yield from (read for word in words(value) if (read := hgvs(word)))


def _genes_named(found: Parts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.gene for one in _readable(found) if one.gene))


def _verbatim(found: Parts) -> Iterator[str]:
    """Yield names as they are written: of databases, of chromosomes, and what should be HGVS and is not."""
    for value in concepts(found, DBSNP, DISCRETE, ISCN, CODING, GENOMIC, PROTEIN):
        readable = next((word for word in words(value) if not hgvs(word) and not word.isdigit()), None)
        if readable and not any(hgvs(word) for word in words(value)):
            yield readable


def _unnamed(resource: dict[str, Any]) -> str:
    if references(resource.get("hasMember")):
        return "a complex variant names only its parts, which are read by themselves"
    if EXACT in parts(resource):
        return "the place is given without the reference sequence or without both alleles"
    return "neither a name nor a place of the variant is given"
