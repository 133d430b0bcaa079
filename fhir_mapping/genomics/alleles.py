"""Genotypes as laboratories name them: star alleles, HLA alleles, bases at a dbSNP id.

Sources: PharmVar (pharmvar.org), IPD-IMGT/HLA (hla.alleles.org), GL String 1.1 (glstring.org).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_mapping.genomics.names import LONGEST, hgvs
from twin_engine.twin import GenotypeState

_GENE = r"[A-Z][A-Z0-9]{2,9}"
_COPIES = r"(?:x(?:N|≥?[0-9]+))?"
_STAR = rf"\*[0-9]+[A-Z]*(?:\.[0-9]+)?{_COPIES}"
_STRAND = rf"{_STAR}(?:\s?\+\s?{_STAR})*"
_HAPLOTYPE = re.compile(rf"(?:(?P<gene>{_GENE})\s?)?(?P<strand>{_STRAND})")
_DIPLOTYPE = re.compile(
    rf"(?:(?P<gene>{_GENE})\s?)?(?P<first>{_STRAND})\s?[/|]\s?(?:(?P<again>{_GENE})\s?)?(?P<second>{_STRAND})"
)
_HLA_LOCUS = r"(?:A|B|C|E|F|G|DRA|DRB[1345]|DQA1|DQB1|DPA1|DPB1)"
_HLA = re.compile(
    rf"(?:HLA-)?(?P<gene>{_HLA_LOCUS})(?P<allele>\*[0-9]{{2,4}}(?::[0-9]{{2,4}}){{0,3}}[NLSCAQ]?)"
)
_GL_STRING = re.compile(r"hla#[0-9.]+#")
_DBSNP = re.compile(
    rf"(?:(?P<gene>{_GENE})\s)?(?P<id>rs[0-9]+)\s(?P<first>[ACGT]+)\s?[/|]\s?(?P<second>[ACGT]+)"
)
_NUMBER = re.compile(r"\*([0-9]+)(.*)")


@dataclass(frozen=True, slots=True)
class Named:
    """A genotype or haplotype that was understood."""

    variant: str
    gene: str | None = None
    zygosity: str | None = None
    phase: str | None = None
    state: GenotypeState = "present"


class Ambiguous(Exception):
    """A name that leaves more than one genotype possible."""


def genotype(text: str) -> Named | None:
    """Read what both copies of a gene carry; None where the text is no name of a genotype.

    Two star alleles are put in the order of their numbers, so that a diplotype has one name.

    Raises
    ------
    Ambiguous
        More than one genotype is possible, and none is chosen.
    """
    stripped = text.strip()
    if len(stripped) > LONGEST:
        return None
    return _diplotype(stripped) or _hla_pair(stripped) or _at_dbsnp(stripped) or _by_hgvs(stripped)


def haplotype(text: str) -> Named | None:
    """Read what one copy of a gene carries; None where the text is no name of it."""
    stripped = text.strip()
    if len(stripped) > LONGEST:
        return None
    hla = _HLA.fullmatch(stripped)
    if hla:
        return Named(hla["allele"], f"HLA-{hla['gene']}")
    match = _HAPLOTYPE.fullmatch(stripped)
    return Named(_plain(match["strand"]), match["gene"]) if match else None


def _diplotype(text: str) -> Named | None:
    if re.search(r"\sor\s", text) and all(_DIPLOTYPE.fullmatch(part) for part in re.split(r"\s+or\s+", text)):
        raise Ambiguous
    match = _DIPLOTYPE.fullmatch(text)
    if match is None or (match["again"] and match["again"] != match["gene"]):
        return None
    first, second = sorted((_plain(match["first"]), _plain(match["second"])), key=_number)
    return Named(f"{first}/{second}", match["gene"], _zygosity(first, second))


def _hla_pair(text: str) -> Named | None:
    bare = _GL_STRING.sub("", text)
    if "+" not in bare or not bare.startswith(("HLA-", *"ABC")):
        return None
    if _HLA.match(bare) and re.search("[|/^~]", bare):
        raise Ambiguous
    found = [_HLA.fullmatch(part.strip()) for part in bare.split("+")]
    if len(found) != 2 or found[0] is None or found[1] is None or found[0]["gene"] != found[1]["gene"]:
        return None
    first, second = sorted((found[0]["allele"], found[1]["allele"]))
    return Named(f"{first}/{second}", f"HLA-{found[0]['gene']}", _zygosity(first, second))


def _at_dbsnp(text: str) -> Named | None:
    match = _DBSNP.fullmatch(text)
    if match is None:
        return None
    first, second = sorted((match["first"], match["second"]))
    return Named(f"{match['id']} {first}/{second}", match["gene"], _zygosity(first, second))


def _by_hgvs(text: str) -> Named | None:
    read = hgvs(text)
    if read is None:
        return None
    state: GenotypeState = "absent" if read.unchanged else "indeterminate" if read.undetermined else "present"
    return Named(read.name, read.gene, read.zygosity, read.phase, state)


def _zygosity(first: str, second: str) -> str:
    return "homozygous" if first == second else "heterozygous"


def _plain(strand: str) -> str:
    return strand.replace(" ", "")


def _number(strand: str) -> tuple[int, str]:
    match = _NUMBER.match(strand)
    return (int(match[1]), match[2]) if match else (0, strand)
