"""What annotators write beside a variant.

Read are SnpEff (``ANN``), Ensembl VEP (``CSQ``) and ClinVar (``GENEINFO``, ``CLNSIG``).

Sources: SnpEff ANN field 1.0, Ensembl VEP VCF output, ClinVar VCF README.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

Info = Mapping[str, object]

UNANNOTATED = "without a gene: not annotated, and in no region asked for"
UNASKED = "in genes that were not asked for"
UNMATCHED = "its annotation could not be matched to an allele"
BESIDE = "beside a gene that was asked for, not in it"
SIGNIFICANCE = "a significance of ClinVar that is not said to be of one allele (the variant itself was read)"

_ANN = (
    "Allele",
    "Consequence",
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
# Sequence Ontology terms of what lies beside a gene; SnpEff writes intergenic_region.
_OUTSIDE = frozenset(
    {"upstream_gene_variant", "downstream_gene_variant", "intergenic_variant", "intergenic_region"}
)
# What VEP calls symbolic alleles.
_SYMBOLIC = {
    "<DEL>": "deletion",
    "<DUP>": "duplication",
    "<DUP:TANDEM>": "tandem_duplication",
    "<INS>": "insertion",
    "<INV>": "inversion",
    "<CNV>": "copy_number_variation",
}
_BASES = re.compile("[ACGTN]+", re.IGNORECASE)
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
    info: Info, alleles: Sequence[str], index: int, genes: Collection[str], fields: tuple[str, ...]
) -> Annotation | None:
    """Return what is said of an allele in one of ``genes``; that of the preferred transcript comes first.

    ``alleles`` are those of the record, the reference first. ClinVar does not say of which of several
    alleles its significance is: it stands only where there is one.
    """
    rows = _matched(info, alleles, index, fields)
    inside = [row for row in rows if _within(row)]
    clinvar = "|".join(_texts(info, "GENEINFO")).split("|")
    found = [
        *(_told(row) for row in sorted(inside, key=_rank)),
        *(Annotation(one.partition(":")[0]) for one in clinvar),
    ]
    chosen = next((one for one in found if one.gene in genes), None)
    classes = _texts(info, "CLNSIG")
    significance = _CLASSES.get(classes[0]) if len(classes) == 1 and len(alleles) == 2 else None
    return replace(chosen, significance=significance) if chosen and significance else chosen


def leaves_significance(info: Info, alleles: Sequence[str]) -> bool:
    """Tell whether ClinVar's significance is left because it may be of another allele."""
    return len(alleles) > 2 and bool(_texts(info, "CLNSIG"))


def reason(
    info: Info, alleles: Sequence[str], index: int, genes: Collection[str], fields: tuple[str, ...]
) -> str:
    """Return why nothing is said of an allele in one of ``genes``."""
    rows = [*_rows(info, "CSQ", fields), *_rows(info, "ANN", _ANN)]
    matched = _matched(info, alleles, index, fields)
    if not matched and any(row.get("SYMBOL") in genes for row in rows):
        return UNMATCHED
    if any(row.get("SYMBOL") in genes for row in matched):
        return BESIDE
    named = any(_texts(info, name) for name in ("ANN", "CSQ", "GENEINFO"))
    return UNASKED if named else UNANNOTATED


def _texts(info: Info, name: str) -> tuple[str, ...]:
    # pysam raises ValueError where it is asked for a field that the header does not declare.
    if name not in info:
        return ()
    value = info[name]
    given: Iterable[object] = value if isinstance(value, tuple | list) else (value,)
    return tuple(str(one) for one in given if one not in (None, ""))


def _rows(info: Info, name: str, fields: tuple[str, ...]) -> list[dict[str, str]]:
    # Split here too: a header may declare the field as a single text.
    texts = ",".join(_texts(info, name)).split(",")
    return [dict(zip(fields, text.split("|"), strict=False)) for text in texts if text] if fields else []


def _matched(info: Info, alleles: Sequence[str], index: int, fields: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of an allele: those of VEP, then those of SnpEff."""
    symbol = alleles[index] if alleles[index].startswith("<") else ""
    names = {_ensembl(alleles, index), symbol} - {""}
    numbers = (None, "", str(index)) if len(alleles) > 2 else None
    vep = [row for row in _rows(info, "CSQ", fields) if row.get("Allele") in names]
    return [
        *(row for row in vep if numbers is None or row.get("ALLELE_NUM") in numbers),
        *(row for row in _rows(info, "ANN", _ANN) if row.get("Allele") == alleles[index]),
    ]


def _within(row: dict[str, str]) -> bool:
    terms = frozenset((row.get("Consequence") or "").split("&"))
    return not terms <= _OUTSIDE


def _told(row: dict[str, str]) -> Annotation:
    coding, feature = row.get("HGVSc") or None, row.get("Feature") or ""
    if coding is not None and ":" not in coding:
        coding = f"{feature}:{coding}"
    return Annotation(row.get("SYMBOL") or "", coding, row.get("HGVSp") or None)


def _rank(row: dict[str, str]) -> tuple[bool, bool, bool]:
    return (not row.get("MANE_SELECT"), row.get("CANONICAL") != "YES", not row.get("HGVSc"))


def _ensembl(alleles: Sequence[str], index: int) -> str:
    """Return an allele as VEP names it.

    Where an allele of the record is an insertion or deletion, and all begin with the same base, VEP leaves
    that base out of each. Source: Ensembl VEP, "Input form and VCF".
    """
    allele = alleles[index]
    if not _BASES.fullmatch(allele):
        return _SYMBOLIC.get(allele, allele)
    written = [one for one in alleles if _BASES.fullmatch(one)]
    lengths, firsts = {len(one) for one in written}, {one[0] for one in written}
    return (allele[1:] or "-") if len(lengths) > 1 and len(firsts) == 1 else allele
