"""OperationOutcome: what went wrong, in FHIR's words and without a piece of the input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_mapping.errors import Problem, Unusable

# Codes of the mapping that are not FHIR issue types, and the type that covers them.
_ISSUE_TYPE = {
    "absent": "required",
    "code": "code-invalid",
    "comparator": "value",
    "intent": "business-rule",
    "modifier": "extension",
    "range": "value",
    "reference": "not-found",
    "retracted": "deleted",
    "status": "business-rule",
    "time": "value",
    "unit": "value",
}


def render(code: str, text: str, severity: str = "error", expression: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an OperationOutcome with one issue; ``severity`` is fatal, error, warning or information."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(code, text, severity, expression)]}


def of(error: Unusable) -> dict[str, Any]:
    """Return the OperationOutcome for input that cannot be used, with an issue for every fault."""
    return _told(error.problems, "error")


def warnings(problems: Iterable[Problem]) -> dict[str, Any]:
    """Return the OperationOutcome for parts of a readable resource that are quarantined."""
    return _told(problems, "warning")


def _told(problems: Iterable[Problem], severity: str) -> dict[str, Any]:
    issues = [
        _issue(problem.code, problem.text, severity, (problem.expression,) if problem.expression else ())
        for problem in problems
    ]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _issue(code: str, text: str, severity: str, expression: tuple[str, ...]) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": _ISSUE_TYPE.get(code, code), "diagnostics": text}
    if expression:
        issue["expression"] = list(expression)
    return issue
