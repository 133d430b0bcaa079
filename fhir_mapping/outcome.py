"""What a model foretells and its grade, as FHIR concepts: our own code, beside a standard one where one fits.

``risk-probability`` of HL7 is used only where the grade is the same; ``low-medium`` of NEWS2 keeps its own
code.
"""

from __future__ import annotations

from typing import Any

from fhir_mapping.codes import OUTCOMES

OUTCOME = "urn:didymos:outcome"
GRADE = "urn:didymos:grade"
RISK_PROBABILITY = "http://terminology.hl7.org/CodeSystem/risk-probability"
_STANDARD_GRADE = {
    "negligible": ("negligible", "Negligible likelihood"),
    "low": ("low", "Low likelihood"),
    "moderate": ("moderate", "Moderate likelihood"),
    "medium": ("moderate", "Moderate likelihood"),
    "high": ("high", "High likelihood"),
    "certain": ("certain", "Certain"),
}


def concept(key: str) -> dict[str, Any]:
    """Return the CodeableConcept of an outcome."""
    outcome, own = OUTCOMES.get(key), {"system": OUTCOME, "code": key}
    if outcome is None:
        return {"coding": [own], "text": key}
    standard = [{"system": one, "code": code, "display": display} for one, code, display in outcome.coding]
    return {"coding": [*standard, own], "text": outcome.text}


def grade(name: str) -> dict[str, Any]:
    """Return the CodeableConcept of a grade."""
    own = {"system": GRADE, "code": name}
    if name not in _STANDARD_GRADE:
        return {"coding": [own], "text": name}
    code, display = _STANDARD_GRADE[name]
    return {"coding": [{"system": RISK_PROBABILITY, "code": code, "display": display}, own], "text": name}


def own_code(said: dict[str, Any], system: str) -> str:
    """Return our own code in a concept.

    Raises
    ------
    ValueError
        There is none.
    """
    for coding in said["coding"]:
        if coding.get("system") == system:
            return str(coding["code"])
    raise ValueError(f"no code of {system}")
