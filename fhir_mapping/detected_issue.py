"""A warning <-> DetectedIssue (R4), preliminary as long as no human has looked."""

from __future__ import annotations

from typing import Any

from fhir_mapping import device, evidence, heading, instants, narrative, outcome, timestamps
from fhir_mapping.alert import Alert
from fhir_mapping.heading import as_we_write


def render(alert: Alert) -> dict[str, Any]:
    """Return the DetectedIssue."""
    head = alert.heading
    resource = heading.render("DetectedIssue", head) | {
        "text": narrative.render(head.software.title, (f"Severity: {alert.severity}.", alert.text)),
        "status": "preliminary",
        "code": outcome.concept(alert.outcome),
        "severity": alert.severity,
        "patient": {"reference": head.subject},
        "identifiedDateTime": instants.render(alert.at),
        "author": device.reference(),
        "evidence": [
            {"code": [outcome.grade(alert.grade)], "detail": [evidence.render(alert.assessment)]},
        ],
        "detail": alert.text,
    }
    implicated = [evidence.render(source) for source in alert.basis]
    return resource | ({"implicated": implicated} if implicated else {})


@as_we_write("DetectedIssue")
def read(resource: dict[str, Any]) -> Alert:
    """Return the warning that ``render`` was given.

    Raises
    ------
    Unusable
        It is not as we write it.
    """
    (found,) = resource["evidence"]
    (assessment,) = evidence.listed(found["detail"])
    return Alert(
        heading.read(resource, "patient"),
        outcome.own_code(resource["code"], outcome.OUTCOME),
        outcome.own_code(found["code"][0], outcome.GRADE),
        resource["severity"],
        timestamps.read(resource["identifiedDateTime"]),
        assessment,
        evidence.listed(resource.get("implicated", ())),
        resource["detail"],
    )
