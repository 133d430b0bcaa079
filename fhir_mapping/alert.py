"""When an assessment is a warning: which grade of which outcome calls for somebody now.

``WARNS`` follows the clinical response of NEWS2 (Royal College of Physicians, National Early Warning Score
2, London 2017, chart 4): medium (5 or 6 points) is the threshold of an urgent response, high (7 or more) of
an emergency response. Low-medium (one sign of 3 points) asks the ward's nurse to look, which the assessment
itself does. Risks of years ahead, such as PREVENT's, warn of nothing that is wrong now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fhir_mapping import outcome
from fhir_mapping.heading import NOT_FOR_SOLE_USE, Heading
from fhir_mapping.risk_assessment import Prediction, Statement

Severity = Literal["high", "moderate", "low"]
WARNS: Mapping[str, Mapping[str, Severity]] = {
    "clinical-deterioration": {"medium": "moderate", "high": "high"},
}


@dataclass(frozen=True, slots=True)
class Alert:
    """A warning; ``at`` to the millisecond, ``assessment`` and ``basis`` are references with version."""

    heading: Heading
    outcome: str
    grade: str
    severity: Severity
    at: datetime
    assessment: str
    basis: tuple[str, ...]
    text: str


def raised(statement: Statement, version: int) -> Alert | None:
    """Return the warning in one version of an assessment; None where it does not warn."""
    if statement.status == "cancelled":
        return None
    for prediction in statement.predictions:
        severity = WARNS.get(prediction.outcome, {}).get(prediction.grade or "")
        if severity is not None:
            return _alert(statement, version, prediction, severity)
    return None


def _alert(statement: Statement, version: int, prediction: Prediction, severity: Severity) -> Alert:
    said = outcome.concept(prediction.outcome)["text"]
    return Alert(
        statement.heading,
        prediction.outcome,
        prediction.grade or "",
        severity,
        statement.at,
        f"RiskAssessment/{statement.heading.id}/_history/{version}",
        statement.basis,
        f"{said}: {prediction.grade}. {prediction.rationale} {NOT_FOR_SOLE_USE}",
    )
