"""FHIR R4's own genetics profile (observation-genetics): the gene in an extension, the call in the value.

Superseded by HL7 Genomics Reporting, still sent. Its codes say only that something genetic was examined, so
an Observation without the extensions is not taken for one.
"""

from __future__ import annotations

from typing import Any

from fhir_mapping.genomics import germline, implication, terms
from fhir_mapping.genomics.genotype import called, value_words
from fhir_mapping.genomics.names import hgvs
from fhir_mapping.genomics.parts import coded, gene, label, parts, words
from fhir_mapping.genomics.variant import refused
from fhir_mapping.lenient import objects
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from twin_engine.twin import Genotype

DISEASE = "51967-8"
_PREFIX = "http://hl7.org/fhir/StructureDefinition/observation-genetics"


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map an Observation of the older profile; one with neither gene nor disease is about something else.

    Raises
    ------
    fhir_mapping.genomics.parts.Contradiction
        The gene is named in two ways that differ.
    """
    given = _extensions(resource)
    symbol = gene(_value(given.get("Gene")))
    if symbol is None:
        return implication.diagnostic(resource, origin) if DISEASE in parts(resource) else IRRELEVANT
    names = _names(given)
    if names:
        return _variant(resource, given, symbol, names, origin)
    if terms.state(resource.get("valueCodeableConcept")) is not None:
        return refused(
            "the report says that there is a variant and does not name it", "Observation.extension"
        )
    if not value_words(resource):
        return refused("the genetic test has no result of its own", "Observation.value")
    both = any("/" in word for word in value_words(resource))
    return called("genotype" if both else "haplotype", resource, (symbol,), origin)


def _variant(
    resource: dict[str, Any],
    given: dict[str, dict[str, Any]],
    symbol: str,
    names: tuple[str, ...],
    origin: Origin,
) -> Mapped:
    allele = _extensions(given.get("Allele", {}), "")
    state = terms.state(resource.get("valueCodeableConcept")) or "present"
    written = hgvs(names[0])
    unchanged = state == "present" and written is not None and written.unchanged
    item = Genotype(
        gene=symbol,
        source=origin.source,
        variant=names[0],
        zygosity=coded(_value(allele.get("State")), terms.ZYGOSITY),
        state="absent" if unchanged else state,
        origin=germline.stated(resource),
        names=names[1:],
        region=label(_value(given.get("DNARegionName"))),
    )
    return Mapped((item,))


def _names(given: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """Return the names of the variant and of the amino acid change, HGVS without what is appended."""
    found = (
        word
        for kind in ("Variant", "AminoAcidChange")
        for part in ("Name", "Id")
        for word in words(_value(_extensions(given.get(kind, {}), "").get(part)))
    )
    return tuple(dict.fromkeys(known.name if (known := hgvs(word)) else word for word in found))


def _extensions(holder: dict[str, Any], prefix: str = _PREFIX) -> dict[str, dict[str, Any]]:
    found = objects(holder.get("extension"))
    return {
        url.removeprefix(prefix): one
        for one in found
        if isinstance(url := one.get("url"), str) and url.startswith(prefix)
    }


def _value(extension: dict[str, Any] | None) -> object:
    if extension is None:
        return None
    text = extension.get("valueString")
    return {"text": text} if isinstance(text, str) else extension.get("valueCodeableConcept")
