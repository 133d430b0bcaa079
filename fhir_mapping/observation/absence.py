"""Why a value is absent, in the codes of FHIR's data-absent-reason."""

from __future__ import annotations

from typing import Any

SYSTEM = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
EXTENSION = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
CODES = frozenset(
    {
        "unknown", "asked-unknown", "temp-unknown", "not-asked", "asked-declined", "masked", "not-applicable",
        "unsupported", "as-text", "error", "not-a-number", "negative-infinity", "positive-infinity",
        "not-performed", "not-permitted",
    }
)  # fmt: skip
NULL_FLAVOR = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
# The equivalences of HL7's concept map cm-data-absent-reason-v3 (FHIR R4), read backwards.
_BY_FLAVOR = {
    "UNK": "unknown",
    "ASKU": "asked-unknown",
    "NAV": "temp-unknown",
    "NASK": "not-asked",
    "MSK": "masked",
    "NA": "not-applicable",
    "NINF": "negative-infinity",
    "PINF": "positive-infinity",
}


def named(concept: dict[str, Any]) -> str | None:
    """Return the reason that a CodeableConcept names; None where it names none."""
    for coding in concept.get("coding", ()):
        system, code = coding.get("system"), coding.get("code")
        if system == SYSTEM and code in CODES:
            return str(code)
        if system == NULL_FLAVOR and code in _BY_FLAVOR:
            return _BY_FLAVOR[code]
    return None


def reason(holder: dict[str, Any]) -> str | None:
    """Return why an Observation or component has no value; None where it does not say.

    A reason in another code system or in words says that the value is absent, but not why: ``unknown``.
    """
    concept = holder.get("dataAbsentReason")
    if concept is not None:
        return named(concept) or "unknown"
    return _extended(holder.get("valueQuantity", {}).get("_value", {})) or next(
        (found for found in map(_extended, _shadows(holder)) if found), None
    )


def _shadows(holder: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for key, each in holder.items() if key.startswith("_value")]


def _extended(element: dict[str, Any]) -> str | None:
    """Return the reason in the extension of a primitive that has no value of its own."""
    for extension in element.get("extension", ()):
        if extension.get("url") == EXTENSION and extension.get("valueCode") in CODES:
            return str(extension["valueCode"])
    return None
