"""How variants are named: HGVS read by a light grammar, and places on a reference sequence.

Sources: HGVS nomenclature 21.1 (hgvs-nomenclature.org), SPDI (doi:10.1093/bioinformatics/btz856), ISCN 2020.
The grammar splits a name and tells it from free text; no name is checked against the reference sequence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Phase = Literal["cis", "trans"]

LONGEST = 500

_REFERENCE = r"(?:[NX][CGTWMRP]_[0-9]+(?:\.[0-9]+)?|LRG_[0-9]+(?:[tp][0-9]+)?|ENS[GTP][0-9]+(?:\.[0-9]+)?)"
_SYMBOL = r"[A-Z][A-Za-z0-9-]{1,19}"
_POSITION = r"(?:[-*]?[0-9]+(?:[+-][0-9]+)?|\?)"
_PLACE = rf"(?:{_POSITION}|\({_POSITION}_{_POSITION}\))"
_BASES = "[ACGTUNacgtun]"
_INSERTED = rf"(?:{_BASES}+|\(?[0-9]+\)?|\[[^\]\s]+\]|{_POSITION}_{_POSITION}(?:inv)?)"
_REPEATS = rf"(?:{_BASES}*\[(?:[0-9]+|\([0-9?]+_[0-9?]+\))\])+"
_EDIT = (
    rf"(?:{_BASES}+>{_BASES}+|{_BASES}*=|del{_BASES}*ins{_INSERTED}|del(?:{_BASES}*|[0-9]+)"
    rf"|dup(?:{_BASES}*|[0-9]+)|ins{_INSERTED}|inv|{_REPEATS})"
)
_CHANGE = rf"(?:{_PLACE}(?:_{_PLACE})?{_EDIT}|=|\?)"
_RESIDUE = r"(?:[A-Z][a-z]{2}|[A-Z*])"
_PROTEIN = (
    rf"\(?(?:{_RESIDUE}[0-9]+(?:_{_RESIDUE}[0-9]+)?(?:{_RESIDUE}|=|\?|del|dup|(?:del)?ins[A-Za-z*0-9]+)?"
    rf"(?:fs(?:(?:Ter|\*|X)(?:[0-9]+|\?))?|ext[A-Za-z0-9*?-]+)?|0\??|=|\?)\)?"
)
_NUCLEIC = re.compile(_CHANGE)
_AMINO = re.compile(_PROTEIN)
_HGVS = re.compile(
    rf"(?:(?P<reference>{_REFERENCE})(?:\((?P<gene>{_SYMBOL})\))?:|(?P<symbol>{_SYMBOL})[: ])?"
    r"\s?(?P<kind>[cgmnpr])\.(?P<change>[^\s]+)(?: .*)?"
)


@dataclass(frozen=True, slots=True)
class Hgvs:
    """A name by HGVS: what it counts on (``c`` coding, ``g`` genomic, ``p`` protein, ...) and the change."""

    reference: str | None
    gene: str | None
    kind: str
    change: str
    phase: Phase | None = None
    zygosity: str | None = None

    @property
    def unchanged(self) -> bool:
        """Tell whether it says of the bases, on every copy named, that the reference was found."""
        return self.kind not in "pr" and all(map(_same, _changes(self.change)))

    @property
    def undetermined(self) -> bool:
        """Tell whether it names nothing but what is not known."""
        return all(map(_not_known, _changes(self.change)))

    @property
    def name(self) -> str:
        """The name without gene and without what a database appends."""
        return (
            f"{self.reference}:{self.kind}.{self.change}" if self.reference else f"{self.kind}.{self.change}"
        )


def hgvs(text: str, reference: str | None = None) -> Hgvs | None:
    """Read an HGVS name, also with the gene in brackets and a tail, as ClinVar writes it.

    Parameters
    ----------
    reference
        The sequence that is counted on, where the name does not say.
    """
    match = _HGVS.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    kind, change = match["kind"], match["change"].rstrip(",;")
    read = _alleles(kind, change)
    if read is None:
        return None
    phase, zygosity = read
    return Hgvs(
        match["reference"] or reference, match["gene"] or match["symbol"], kind, change, phase, zygosity
    )


def _alleles(kind: str, change: str) -> tuple[Phase | None, str | None] | None:
    """Return phase and zygosity of one change or of several; None where it is no change at all."""
    grammar = _AMINO if kind == "p" else _NUCLEIC
    inner = change[1:-1] if change.startswith("[") and change.endswith("]") else None
    if inner is None:
        parts = change.split("(;)")
        return (None, None) if all(grammar.fullmatch(part) for part in parts) else None
    apart = inner.split("];[")
    together = inner.split(";")
    if len(apart) == 2 and all(grammar.fullmatch(part) for part in apart):
        return _on_two_copies(*apart)
    return ("cis", None) if all(grammar.fullmatch(part) for part in together) else None


def _on_two_copies(first: str, second: str) -> tuple[Phase | None, str | None]:
    if _not_known(first) or _not_known(second):
        return None, None
    unchanged = _same(first) + _same(second)
    if unchanged:
        return None, "heterozygous" if unchanged == 1 else None
    return (None, "homozygous") if first == second else ("trans", "compound-heterozygous")


def _changes(change: str) -> list[str]:
    return [one for one in _BETWEEN.split(change) if one]


def _same(change: str) -> bool:
    return change.rstrip(")").endswith("=")


def _not_known(change: str) -> bool:
    return change.strip("()") == "?"


_BETWEEN = re.compile(r"\(;\)|[\[\];]")
_NEGATION = re.compile(
    r"\b(?:not?|none|neither|nor|never|without|negative|absent|absence|undetected|excluded|"
    r"cannot|failed|free of|ruled out)\b",
    re.IGNORECASE,
)


def denies(text: str) -> bool:
    """Tell whether words may deny what they name (``*2/*2 not detected``)."""
    return _NEGATION.search(text) is not None


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a reference sequence between bases (0-based, ``end`` excluded) with both alleles."""

    reference: str
    start: int
    deleted: str
    inserted: str

    @property
    def name(self) -> str:
        """The name by SPDI: ``NC_000010.11:94781858:G:A``."""
        return f"{self.reference}:{self.start}:{self.deleted}:{self.inserted}"

    @property
    def is_reference(self) -> bool:
        """Tell whether the reference itself stands there."""
        return self.deleted == self.inserted


_ALLELE = re.compile(r"[ACGTN]*")


def allele(text: object) -> str | None:
    """Return bases in upper case, empty for ``-`` or ``.``; None for anything else."""
    if not isinstance(text, str) or not text:
        return None
    bases = "" if text in ("-", ".") else text.upper()
    return bases if _ALLELE.fullmatch(bases) else None


_NORMAL_KARYOTYPE = re.compile(r"46,X[XY](?:\[[0-9]+\])?")


def is_normal_karyotype(text: str) -> bool:
    """Tell whether an ISCN name says that nothing differs."""
    return _NORMAL_KARYOTYPE.fullmatch(text.replace(" ", "")) is not None
