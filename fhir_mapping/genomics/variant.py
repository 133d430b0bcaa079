"""A variant Observation -> one reported variant for each gene it names.

A variant that is absent, was not called or is indeterminate is kept as such: that a gene was looked at is
knowledge. A somatic variant tells of a tumour and a fetal one of another person; neither becomes evidence, so
that no model can take it for the germline.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_mapping.errors import Problem
from fhir_mapping.genomics import terms
from fhir_mapping.genomics.names import Hgvs, hgvs, is_normal_karyotype
from fhir_mapping.genomics.parts import Parts, coded, concepts, genes, label, number, parts, references, words
from fhir_mapping.genomics.places import EXACT, from_components, structural
from fhir_mapping.genomics.repeats import repeats
from fhir_mapping.mapped import Mapped, Origin
from twin_engine.twin import Genotype, GenotypeState

SOURCE_CLASS, ALLELIC_STATE, SIGNIFICANCE, PHASE = "48002-0", "53034-5", "53037-8", "82120-7"
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
    not_germline = other_genome(next(concepts(found, SOURCE_CLASS), None))
    if not_germline:
        return refused(not_germline, "Observation.component")
    names, listed = _names(found)
    studied = genes(found) or tuple(one.gene for one in _readable(found) if one.gene)[:1]
    if not names and not (studied and state != "present"):
        return (
            Mapped(reasons=tuple(listed)) if listed else refused(_unnamed(resource), "Observation.component")
        )
    items = (_genotype(found, symbol, state, names, origin) for symbol in studied or (None,))
    return Mapped(tuple(items), reasons=tuple(listed))


def other_genome(value: object) -> str | None:
    """Return why a variant is not of the person's germline; None where nothing says so."""
    found = coded(value, terms.ORIGIN)
    if found == "somatic":
        return "a somatic variant says nothing of the germline"
    return "a variant of a fetus says nothing of the person" if found == "fetal" else None


def refused(text: str, expression: str) -> Mapped:
    """Return nothing but the reason."""
    return Mapped(reasons=(Problem("value", text, expression),))


def _genotype(
    found: Parts, symbol: str | None, state: GenotypeState, names: tuple[str, ...], origin: Origin
) -> Genotype:
    copies = next((number(one) for one in found.get(COPY_NUMBER, ())), None)
    small = any(True for _ in _readable(found))
    present = "absent" if state == "present" and _is_reference(found, names) else state
    return Genotype(
        gene=symbol,
        source=origin.source,
        variant=names[0] if names else ANY,
        zygosity=_first(found, ALLELIC_STATE, terms.ZYGOSITY) if present == "present" else None,
        significance=_first(found, SIGNIFICANCE, terms.SIGNIFICANCE),
        kind="variant" if copies is None or small else "copy-number",
        state=present,
        origin=_first(found, SOURCE_CLASS, terms.ORIGIN),
        names=names[1:],
        copy_number=copies,
        phase=_first(found, PHASE, terms.PHASE)
        or next((one.phase for one in _readable(found) if one.phase), None),
        region=next((label(one) for one in concepts(found, REGION, CYTOBAND)), None),
    )


def _first(found: Parts, code: str, table: dict[str, str]) -> str | None:
    return next((answer for one in concepts(found, code) if (answer := coded(one, table))), None)


def _is_reference(found: Parts, names: tuple[str, ...]) -> bool:
    """Tell whether what is called present is the reference: some reports list wild types so."""
    unchanged = any(coded(one, terms.UNCHANGED, None) for one in concepts(found, CHANGE_TYPE))
    place = from_components(found)
    same = not isinstance(place, Problem) and place is not None and place.is_reference
    return unchanged or same or any(is_normal_karyotype(name) for name in names)


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
