"""The calls of one sample in a VCF or BCF file, of the genes asked for; what is left is counted by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import pysam

from fhir_mapping.errors import Unusable
from fhir_mapping.genomics.vcf.annotation import (
    SIGNIFICANCE,
    Annotation,
    annotation,
    consequence_fields,
    leaves_significance,
    reason,
)
from fhir_mapping.genomics.vcf.assembly import Build, Contig, accession, build, is_mitochondrial
from fhir_mapping.genomics.vcf.regions import Region, at
from fhir_mapping.genomics.vcf.samples import germline_sample, of_a_tumour

State = Literal["present", "absent", "no-call"]

_SKIPPED = frozenset({"*", "<*>", "<NON_REF>"})
FILTERED = "not passed by the filter"
SOMATIC = "somatic"
BREAKEND = "breakends"
NO_GENOTYPE = "without a genotype"
ELSEWHERE = "on no chromosome of the assembly"
MITOCHONDRION = "of a mitochondrion that is not counted on NC_012920.1"
OVERLAPPED = "not understood: another deletion overlaps it (the allele *)"


@dataclass(frozen=True, slots=True)
class Call:
    """One allele of one sample.

    ``start`` and ``end`` are between bases (0-based). ``symbol`` is that of a symbolic allele (``DEL``); else
    ``deleted`` and ``inserted`` are the bases. ``copies`` is the copy number where one was called;
    ``phase_set`` and ``strands`` (which copies of the chromosome carry the allele) stand where it is phased.
    """

    accession: str
    start: int
    end: int
    deleted: str
    inserted: str
    state: State
    annotation: Annotation
    zygosity: str | None = None
    symbol: str | None = None
    copies: float | None = None
    identifier: str | None = None
    phase_set: str | None = None
    strands: tuple[int, ...] = ()


@dataclass(slots=True)
class Calls:
    """What a file holds for the genes asked for; ``left`` counts what was not taken, by reason."""

    build: Build
    made: date | None
    found: tuple[Call, ...] = ()
    left: Counter[str] = field(default_factory=Counter)


def read(
    path: Path, genes: Collection[str], regions: tuple[Region, ...] = (), sample: str | None = None
) -> Calls:
    """Read one sample.

    Parameters
    ----------
    genes
        Symbols of the genes asked for: nothing else is taken.
    regions
        Where genes lie, for a file without annotation; their genes are asked for too.

    Raises
    ------
    Unusable
        It is no VCF, is of a tumour, does not say on which assembly it counts, or the sample is not in it.
    """
    pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(str(path)) as file:
            opened = _open(file, sample)
            asked = frozenset(genes) | {region.gene for region in regions}
            found = Calls(opened.build, opened.made)
            found.found = tuple(_calls(file, opened, asked, regions, found.left))
            return found
    except (OSError, ValueError, UnicodeDecodeError):
        raise Unusable("structure", "the file is no VCF or BCF that can be read to its end") from None


@dataclass(frozen=True, slots=True)
class _Opened:
    build: Build
    made: date | None
    sample: str
    beside_tumour: bool
    fields: tuple[str, ...]


def _open(file: Any, sample: str | None) -> _Opened:
    header = str(file.header)
    chosen, beside_tumour = germline_sample(header, list(file.header.samples), sample)
    of = build((Contig(one.name, one.length) for one in file.header.contigs.values()), header)
    if of is None:
        raise Unusable("value", "the file does not say whether it counts on GRCh37 or on GRCh38")
    described = file.header.info["CSQ"].description if "CSQ" in file.header.info else None
    return _Opened(of, _made(header), chosen, beside_tumour, consequence_fields(described))


def _made(header: str) -> date | None:
    given = next((line for line in header.splitlines() if line.startswith("##fileDate=")), "")
    digits = given.removeprefix("##fileDate=").replace("-", "").strip()
    try:
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007  # a day has no zone
    except ValueError:
        return None


def _calls(
    file: Any, opened: _Opened, asked: frozenset[str], regions: tuple[Region, ...], left: Counter[str]
) -> Iterator[Call]:
    for record in file:
        unusable = _unusable(record, opened)
        if unusable is not None:
            left[unusable] += 1
            continue
        for index, alternative in enumerate(record.alts or (), 1):
            if alternative in _SKIPPED:
                continue
            found = _call(record, index, opened, asked, regions)
            if isinstance(found, str):
                left[found] += 1
            else:
                if leaves_significance(record.info, record.alleles):
                    left[SIGNIFICANCE] += 1
                yield found


def _unusable(record: Any, opened: _Opened) -> str | None:
    # pysam raises ValueError for a field that the header does not declare: ask what the record has.
    somatic = "SOMATIC" in record.info
    if (somatic or "SS" in record.info) and not opened.beside_tumour:
        raise of_a_tumour()
    if _accession(record, opened.build) is None:
        return MITOCHONDRION if is_mitochondrial(record.chrom) else ELSEWHERE
    if any(name != "PASS" for name in record.filter) or _fails(record, opened.sample):
        return FILTERED
    if somatic:
        return SOMATIC
    if "SVTYPE" in record.info and record.info["SVTYPE"] == "BND":
        return BREAKEND
    return None if "GT" in record.format else NO_GENOTYPE


def _accession(record: Any, of: Build) -> str | None:
    return accession(record.chrom, of, record.header.contigs[record.chrom].length)


def _fails(record: Any, sample: str) -> bool:
    """Tell whether the genotype of the sample has failed a filter of its own (``FT``)."""
    given = record.samples[sample]["FT"] if "FT" in record.format else None
    named = given if isinstance(given, tuple) else (given,)
    return any(name not in (None, "", ".", "PASS") for name in named)


def _call(
    record: Any, index: int, opened: _Opened, asked: frozenset[str], regions: tuple[Region, ...]
) -> Call | str:
    alternative, sample = record.alts[index - 1], record.samples[opened.sample]
    if any(bracket in alternative for bracket in "[]"):
        return BREAKEND
    of = (record.info, record.alleles, index, asked, opened.fields)
    told = annotation(*of)
    located = None if told else at(regions, record.chrom, record.start, record.stop)
    if told is None and located is None:
        return reason(*of)
    alleles = sample.allele_indices or ()
    if index in alleles and any(allele and record.alts[allele - 1] == "*" for allele in alleles):
        return OVERLAPPED
    symbol = alternative.strip("<>") if alternative.startswith("<") else None
    state = called(alleles, index)
    return Call(
        accession=str(_accession(record, opened.build)),
        start=record.start + (symbol is not None),  # a symbolic allele begins after the base that is named
        end=record.stop,
        deleted=record.ref if symbol is None else "",
        inserted=alternative if symbol is None else "",
        state=state,
        annotation=told or Annotation(str(located)),
        zygosity=zygosity(alleles, index, mitochondrial=is_mitochondrial(record.chrom)),
        symbol=symbol,
        copies=_copies(sample, alleles, record.alts) if symbol else None,
        identifier=record.id,
        **_phase(sample, alleles, index, record.chrom),
    )


def called(alleles: tuple[int | None, ...], index: int) -> State:
    """Tell whether an allele is among those called; where one is missing, its absence is not known."""
    if index in alleles:
        return "present"
    return "no-call" if not alleles or None in alleles else "absent"


def zygosity(alleles: tuple[int | None, ...], index: int, *, mitochondrial: bool = False) -> str | None:
    """Return the zygosity of an allele that is present; None where another copy was not called."""
    if index not in alleles or None in alleles:
        return None
    alone = all(allele == index for allele in alleles)
    if mitochondrial:
        return "homoplasmic" if alone else "heteroplasmic"
    if len(alleles) == 1:
        return "hemizygous"
    return "homozygous" if alone else "heterozygous"


def _copies(sample: Any, alleles: tuple[int | None, ...], alternatives: tuple[str, ...]) -> float | None:
    """Return the copy number: as called (``CN``), else by the alleles ``<CN0>``, ``<CN2>``, ..."""
    given = sample.get("CN") if "CN" in sample else None
    if isinstance(given, int | float):
        return given
    total = 0
    for allele in alleles:
        each = "<CN1>" if allele == 0 else alternatives[allele - 1] if allele is not None else ""
        if not each.startswith("<CN") or not each[3:-1].isdigit():
            return None
        total += int(each[3:-1])
    return total if alleles else None


def _phase(sample: Any, alleles: tuple[int | None, ...], index: int, chromosome: str) -> dict[str, Any]:
    """Return the phase set (the chromosome where none is named) and the strands that carry the allele."""
    if not sample.phased or len(alleles) < 2 or index not in alleles:
        return {}
    named = sample.get("PS") if "PS" in sample else None
    strands = tuple(strand for strand, allele in enumerate(alleles) if allele == index)
    return {"phase_set": f"{chromosome}:{named if named is not None else ''}", "strands": strands}
