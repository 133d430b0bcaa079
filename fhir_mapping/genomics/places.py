"""Where a variant lies: coordinates with both alleles, and the ends of a structural variant.

LOINC 81254-5 (exact start and end), 81302-2 (inner), 81301-4 (outer), 48013-7 (reference sequence), 69547-8
and 69551-0 (alleles), 92822-6 (coordinate system, LL5323-2), 82155-3 (copy number).
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mapping.errors import Problem
from fhir_mapping.genomics import terms
from fhir_mapping.genomics.names import Place, allele
from fhir_mapping.genomics.parts import Parts, coded, concepts, ends, number, words

REFERENCE, SYSTEM, EXACT, INNER, OUTER = "48013-7", "92822-6", "81254-5", "81302-2", "81301-4"
DELETED, INSERTED, CHANGE_TYPE, COPY_NUMBER = "69547-8", "69551-0", "48019-4", "82155-3"
# Where counting starts, and what is counted.
_BASES = {"LA30100-4": "between", "LA30101-2": "0", "LA30102-0": "1"}
_WHERE = "Observation.component.value"


def from_components(found: Parts) -> Place | Problem | None:
    """Return where a small variant lies; None where the report says too little to place it."""
    reference = next((words(one)[-1] for one in concepts(found, REFERENCE) if words(one)), None)
    low, high = next((ends(one) for one in found.get(EXACT, ())), (None, None))
    deleted, inserted = (
        next((allele(one.get("valueString")) for one in found.get(code, ())), None)
        for code in (DELETED, INSERTED)
    )
    if reference is None or low is None or deleted is None or inserted is None:
        return None
    system = next((coded(one, _BASES) for one in concepts(found, SYSTEM)), None)
    start = _start(low, high, system, len(deleted))
    if start is None:
        return Problem(
            "value", "the place does not fit the alleles, or how it is counted is not said", _WHERE
        )
    return Place(reference, start, deleted, inserted)


def _start(low: int, high: int | None, system: str | None, length: int) -> int | None:
    """Return the 0-based start between bases.

    An interval between bases is as long as the reference allele; a range of bases is one shorter. Where the
    system is not said, only the former can be told from its length.
    """
    if system is None:
        system = "between" if length and high == low + length else None
    expected = {"between": low + length, "0": low + max(length, 1) - 1, "1": low + max(length, 1) - 1}
    if system is None or high not in (None, expected[system]):
        return None
    if system != "1":
        return low if length or system == "between" else low + 1
    return low - 1 if length else low


def structural(found: Parts) -> Iterator[str]:
    """Yield the name of a structural variant by its reference sequence and its ends."""
    reference = next((words(one)[-1] for one in concepts(found, REFERENCE) if words(one)), None)
    copies = next((number(one) for one in found.get(COPY_NUMBER, ())), None)
    kind = next((coded(one, terms.ABBREVIATION, None) for one in concepts(found, CHANGE_TYPE)), None)
    edit = f"x{copies:g}" if copies is not None else kind
    inner = next((ends(one) for one in found.get(INNER, ())), (None, None))
    outer = next((ends(one) for one in found.get(OUTER, ())), (None, None))
    low, high = inner if None not in inner else outer
    if edit is None:
        return
    if reference is not None and low is not None and high is not None:
        yield f"{reference}:{low}_{high}{edit}"
    elif copies is not None:
        yield edit
