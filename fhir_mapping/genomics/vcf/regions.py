"""Where genes lie, from a BED file: chromosome, start, end (0-based, end excluded), gene symbol."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mapping.errors import Unusable


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a chromosome that belongs to a gene."""

    chromosome: str
    start: int
    end: int
    gene: str


def regions(bed: str) -> tuple[Region, ...]:
    """Read the regions of a BED file.

    Raises
    ------
    Unusable
        A line has no four columns, or its ends are no numbers in order.
    """
    lines = (line.rstrip() for line in bed.splitlines())
    kept = (line for line in lines if line and not line.startswith(("#", "track", "browser")))
    return tuple(_region(line) for line in kept)


def _region(line: str) -> Region:
    columns = line.split("\t")
    if len(columns) < 4 or not (columns[1].isdecimal() and columns[2].isdecimal()) or not columns[3]:
        raise Unusable("structure", "a line of the regions is not: chromosome, start, end, gene", 422)
    start, end = int(columns[1]), int(columns[2])
    if start >= end:
        raise Unusable("value", "a region ends before it begins", 422)
    return Region(columns[0].removeprefix("chr"), start, end, columns[3])


def at(among: tuple[Region, ...], chromosome: str, start: int, end: int) -> str | None:
    """Return the gene that a stretch of a chromosome touches; None where it touches none, or several."""
    plain = chromosome.removeprefix("chr")
    found = {one.gene for one in among if one.chromosome == plain and one.start < end and start < one.end}
    return found.pop() if len(found) == 1 else None
