"""What annotators write beside a variant.

Read are SnpEff (``ANN``), Ensembl VEP (``CSQ``) and ClinVar (``GENEINFO``, ``CLNSIG``).

Sources: SnpEff ANN field 1.0, Ensembl VEP VCF output, ClinVar VCF README.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

Info = Mapping[str, object]

_ANN = (
    "Allele",
    "Annotation",
    "Impact",
    "SYMBOL",
    "Gene",
    "Type",
    "Feature",
    "Biotype",
    "Rank",
    "HGVSc",
    "HGVSp",
)
_FORMAT = re.compile(r"Format: ?([^\"]+)")
_CLASSES = {
    "Pathogenic": "LA6668-3",
    "Likely_pathogenic": "LA26332-9",
    "Uncertain_significance": "LA26333-7",
    "Likely_benign": "LA26334-5",
    "Benign": "LA6675-8",
}


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is said of one allele: the gene, HGVS names, the LOINC answer for its clinical significance."""

    gene: str
    coding: str | None = None
    protein: str | None = None
    significance: str | None = None


def consequence_fields(description: str | None) -> tuple[str, ...]:
    """Return the fields of ``CSQ`` as its header describes them."""
    match = _FORMAT.search(description or "")
    return tuple(match[1].strip().split("|")) if match else ()


def annotation(
    info: Info, allele: str, reference: str, genes: Collection[str], fields: tuple[str, ...]
) -> Annotation | None:
    """Return what is said of ``allele`` in one of ``genes``; that of the preferred transcript comes first."""
    found = [
        *_consequences(_texts(info.get("CSQ")), fields, allele, reference),
        *_consequences(_texts(info.get("ANN")), _ANN, allele, allele),
        *(Annotation(one.partition(":")[0]) for one in "|".join(_texts(info.get("GENEINFO"))).split("|")),
    ]
    chosen = next((one for one in found if one.gene in genes), None)
    classes = _texts(info.get("CLNSIG"))
    significance = _CLASSES.get(classes[0]) if len(classes) == 1 else None
    return replace(chosen, significance=significance) if chosen and significance else chosen


def names_gene(info: Info) -> bool:
    """Tell whether an annotator named a gene at all."""
    return any(_texts(info.get(name)) for name in ("ANN", "CSQ", "GENEINFO"))


def _texts(value: object) -> tuple[str, ...]:
    given: Iterable[object] = value if isinstance(value, tuple | list) else (value,)
    return tuple(str(one) for one in given if one not in (None, ""))


def _consequences(
    texts: tuple[str, ...], fields: tuple[str, ...], allele: str, reference: str
) -> Iterator[Annotation]:
    rows = [dict(zip(fields, text.split("|"), strict=False)) for text in texts] if fields else []
    mine = [row for row in rows if row.get("Allele") in (allele, _ensembl(allele, reference))]
    for row in sorted(mine, key=_rank):
        coding, feature = row.get("HGVSc") or None, row.get("Feature") or ""
        if coding is not None and ":" not in coding:
            coding = f"{feature}:{coding}"
        yield Annotation(row.get("SYMBOL") or "", coding, row.get("HGVSp") or None)


def _rank(row: dict[str, str]) -> tuple[bool, bool, bool]:
    return (not row.get("MANE_SELECT"), row.get("CANONICAL") != "YES", not row.get("HGVSc"))


def _ensembl(allele: str, reference: str) -> str:
    """Return an allele as Ensembl writes it: without the base that an insertion or deletion shares."""
    shared = len(allele) != len(reference) and allele[:1] == reference[:1]
    return (allele[1:] or "-") if shared else allele
