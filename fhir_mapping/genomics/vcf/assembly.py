"""Which human assembly a VCF counts on, and the RefSeq accessions of its chromosomes.

Sources: NCBI assemblies GCF_000001405.25 (GRCh37.p13) and GCF_000001405.40 (GRCh38.p14).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Build = Literal["GRCh37", "GRCh38"]

_CHROMOSOMES = (*(str(number) for number in range(1, 23)), "X", "Y")
# Versions of NC_000001 to NC_000024, and lengths in bases, in the order of the chromosomes.
_VERSIONS: dict[Build, tuple[int, ...]] = {
    "GRCh37": (10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9),
    "GRCh38": (11, 12, 12, 12, 10, 12, 14, 11, 12, 11, 10, 12, 11, 9, 10, 10, 11, 10, 10, 11, 9, 11, 11, 10),
}
_LENGTHS: dict[Build, tuple[int, ...]] = {
    "GRCh37": (
        *(249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022),
        *(141213431, 135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753),
        *(81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560, 59373566),
    ),
    "GRCh38": (
        *(248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636),
        *(138394717, 133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345),
        *(83257441, 80373285, 58617616, 64444167, 46709983, 50818468, 156040895, 57227415),
    ),
}
_NAMES: dict[Build, tuple[str, ...]] = {
    "GRCh37": ("grch37", "hg19", "b37", "hs37"),
    "GRCh38": ("grch38", "hg38", "b38"),
}
# hg19 has the older NC_001807 as chrM, of 16571 bases; NC_012920.1 has 16569.
_MITOCHONDRION, _MITOCHONDRIAL_LENGTH = "NC_012920.1", 16569


@dataclass(frozen=True, slots=True)
class Contig:
    """A chromosome as a header declares it."""

    name: str
    length: int | None = None


def build(contigs: Iterable[Contig], header: str) -> Build | None:
    """Return the assembly by the lengths of the chromosomes, else by name; None where neither tells."""
    lengths = {_plain(contig.name): contig.length for contig in contigs if contig.length is not None}
    known: dict[Build, dict[str, int]] = {
        name: dict(zip(_CHROMOSOMES, given, strict=True)) for name, given in _LENGTHS.items()
    }
    shared = [name for name in lengths if name in _CHROMOSOMES]
    for name, expected in known.items():
        if shared and all(lengths[one] == expected[one] for one in shared):
            return name
    named = [name for name, words in _NAMES.items() if any(word in header.lower() for word in words)]
    return named[0] if len(named) == 1 and not shared else None


def accession(contig: str, of: Build, length: int | None = None) -> str | None:
    """Return the RefSeq accession of a chromosome; None for what is none (a decoy, an alternate locus).

    None too for a mitochondrion that is not, by its ``length`` or name, the reference sequence.
    """
    name = _plain(contig)
    if is_mitochondrial(contig):
        known = length == _MITOCHONDRIAL_LENGTH if length else of == "GRCh38" or contig == "MT"
        return _MITOCHONDRION if known else None
    if name not in _CHROMOSOMES:
        return None
    index = _CHROMOSOMES.index(name)
    return f"NC_{index + 1:06}.{_VERSIONS[of][index]}"


def is_mitochondrial(contig: str) -> bool:
    return _plain(contig) in ("M", "MT")


def _plain(contig: str) -> str:
    return contig[3:] if contig.lower().startswith("chr") else contig
