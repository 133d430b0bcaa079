"""Repeat expansions: motifs with their numbers, in the order that an extension gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_mapping.genomics.names import allele
from fhir_mapping.genomics.parts import Parts, number
from fhir_mapping.lenient import objects

MOTIF, NUMBER = "repeat-motif", "repeat-number"
_ORDER = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition/repeat-motif-order"


def repeats(found: Parts) -> Iterator[str]:
    """Yield the repeats as HGVS writes them (``GGC[10]GGA[1]``), where every motif has its number."""
    motifs = {_order(one): allele(str(one.get("valueString"))) for one in found.get(MOTIF, ())}
    numbers = {_order(one): number(one) for one in found.get(NUMBER, ())}
    complete = motifs and motifs.keys() == numbers.keys() and all(motifs.values())
    if complete and None not in numbers.values():
        yield "".join(f"{motifs[order]}[{numbers[order]:g}]" for order in sorted(motifs))


def _order(component: dict[str, Any]) -> int:
    given = (
        one.get("valuePositiveInt") for one in objects(component.get("extension")) if one.get("url") == _ORDER
    )
    return next((order for order in given if isinstance(order, int)), 0)
