"""Security labels: confidentiality is ordered, sensitivity codes have kinds.

Order of confidentiality: HL7 v3-Confidentiality as used by DS4P, U < L < M < N < R < V.
Unlabelled data is N; data with a sensitivity but no confidentiality counts as R.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ORDER = {code: rank for rank, code in enumerate("ULMNRV")}
_NORMAL = _ORDER["N"]

# v3-ActCode, InformationSensitivityPolicy: the broader codes that each is a kind of.
_KIND_OF: Mapping[str, frozenset[str]] = MappingProxyType(
    {"ETHUD": frozenset({"ETH", "SUD"}), "OPIOIDUD": frozenset({"ETH", "SUD"})}
)

# Say nothing about sensitivity: test data (v3-ActReason), a partial view (v3-ObservationValue).
_NEUTRAL = frozenset({"HTEST", "SUBSETTED"})


def sensitivities(labels: frozenset[str]) -> frozenset[str]:
    """Every label that is neither a confidentiality nor neutral; a code nobody knows counts as sensitive."""
    return labels - _ORDER.keys() - _NEUTRAL


def confidentialities(labels: frozenset[str]) -> frozenset[str]:
    """The stated confidentialities, or the one that follows where none is stated."""
    stated = labels & _ORDER.keys()
    if stated:
        return stated
    return frozenset({"R"}) if sensitivities(labels) else frozenset({"N"})


def sensitive(labels: frozenset[str]) -> bool:
    """Whether the data is more than normally confidential."""
    above = any(_ORDER[code] > _NORMAL for code in confidentialities(labels))
    return above or bool(sensitivities(labels))


def within(label: str, codes: frozenset[str]) -> bool:
    """Whether the label is one of the codes or a kind of one of them."""
    return label in codes or not codes.isdisjoint(_KIND_OF.get(label, ()))


def denied_by(codes: frozenset[str], labels: frozenset[str]) -> bool:
    """Whether a denial for ``codes`` reaches data with ``labels``.

    A confidentiality reaches everything at or above it, a sensitivity everything of its kind.
    """
    highest = max(_ORDER[code] for code in confidentialities(labels))
    reached = any(_ORDER[code] <= highest for code in codes & _ORDER.keys())
    return reached or any(within(label, codes) for label in sensitivities(labels))


def permitted_by(codes: frozenset[str], labels: frozenset[str]) -> bool:
    """Whether a permission for ``codes`` covers all of the data with ``labels``.

    Codes that name sensitivities must cover every sensitivity of the data; data that
    carries two is not covered by a permission for one. Confidentialities alone must match exactly.
    """
    found = sensitivities(labels)
    if found and sensitivities(codes):
        return all(within(label, codes) for label in found)
    return confidentialities(labels) <= codes
