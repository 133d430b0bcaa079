"""Purposes of use this system processes data for, each with its place in v3-ActReason and its legal basis.

A purpose that is not registered here is denied. Left out on purpose: HLEGAL, since 42 CFR Part 2 forbids
use against the patient in legal proceedings; HMARKT, since nothing here serves marketing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Purpose:
    """A registered purpose; ``parent`` is the broader ActReason code."""

    code: str
    parent: str
    display: str
    basis: str


_CARE = "GDPR Art. 6(1)(c) or (e) with Art. 9(2)(h); 45 CFR 164.506"
_VITAL = "GDPR Art. 6(1)(d) with Art. 9(2)(c); 45 CFR 164.510(b), 164.312(a)(2)(ii)"
_RESEARCH = "GDPR Art. 9(2)(a) or 9(2)(j) with Art. 89; 45 CFR 164.508, 164.512(i)"

_ALL = (
    Purpose("TREAT", "PurposeOfUse", "treatment", _CARE),
    Purpose("COC", "TREAT", "coordination of care", _CARE),
    Purpose("ETREAT", "TREAT", "emergency treatment", _VITAL),
    Purpose("BTG", "ETREAT", "break the glass", _VITAL),
    Purpose("HOPERAT", "PurposeOfUse", "healthcare operations", _CARE),
    Purpose("HQUALIMP", "HOPERAT", "quality improvement", _CARE),
    Purpose("PATSFTY", "HOPERAT", "patient safety", _CARE),
    Purpose("HPAYMT", "PurposeOfUse", "payment", "GDPR Art. 6(1)(c) with Art. 9(2)(h); 45 CFR 164.506"),
    Purpose("HRESCH", "PurposeOfUse", "research", _RESEARCH),
    Purpose("CLINTRCH", "HRESCH", "clinical trial research", _RESEARCH),
    Purpose("PUBHLTH", "PurposeOfUse", "public health", "GDPR Art. 9(2)(i); 45 CFR 164.512(b)"),
    Purpose("PATRQT", "PurposeOfUse", "patient requested", "GDPR Art. 15; 45 CFR 164.524"),
)

PURPOSES: Mapping[str, Purpose] = MappingProxyType({purpose.code: purpose for purpose in _ALL})


def broader(code: str) -> Iterator[str]:
    """Yield the code itself, then each broader one up to the top of v3-ActReason's purposes."""
    yield code
    while code in PURPOSES:
        code = PURPOSES[code].parent
        yield code


def subsumed(code: str, codes: frozenset[str]) -> bool:
    """Whether the purpose is one of ``codes`` or a kind of one of them (BTG is ETREAT is TREAT)."""
    return any(each in codes for each in broader(code))
