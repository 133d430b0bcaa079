"""A warning <-> Communication (R4): what a person is to be told.

It stays in ``preparation``: that it lies here to be fetched does not mean that anybody was reached. The
priority is the response that NEWS2 asks for at this severity (see ``alert``).
"""

from __future__ import annotations

from typing import Any

from fhir_mapping import device, evidence, heading, instants, narrative, outcome, timestamps
from fhir_mapping.alert import Alert, Severity
from fhir_mapping.heading import NOT_FOR_SOLE_USE, as_we_write

CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
_PRIORITY: dict[Severity, str] = {"high": "stat", "moderate": "urgent", "low": "routine"}
_SEVERITY = {priority: severity for severity, priority in _PRIORITY.items()}


def render(alert: Alert) -> dict[str, Any]:
    """Return the Communication; it is about the assessment first, then about what that rests on."""
    head = alert.heading
    about = [evidence.render(source) for source in (alert.assessment, *alert.basis)]
    return heading.render("Communication", head) | {
        "text": narrative.render(head.software.title, (alert.text,)),
        "status": "preparation",
        "category": [{"coding": [{"system": CATEGORY, "code": "alert", "display": "Alert"}]}],
        "priority": _PRIORITY[alert.severity],
        "subject": {"reference": head.subject},
        "topic": outcome.concept(alert.outcome),
        "about": about,
        "sender": device.reference(),
        "reasonCode": [outcome.grade(alert.grade)],
        "payload": [{"contentString": alert.text}],
        "note": [{"time": instants.render(alert.at), "text": NOT_FOR_SOLE_USE}],
    }


@as_we_write("Communication")
def read(resource: dict[str, Any]) -> Alert:
    """Return the warning that ``render`` was given.

    Raises
    ------
    Unusable
        It is not as we write it.
    """
    assessment, *basis = evidence.listed(resource["about"])
    return Alert(
        heading.read(resource),
        outcome.own_code(resource["topic"], outcome.OUTCOME),
        outcome.own_code(resource["reasonCode"][0], outcome.GRADE),
        _SEVERITY[resource["priority"]],
        timestamps.read(resource["note"][0]["time"]),
        assessment,
        tuple(basis),
        resource["payload"][0]["contentString"],
    )
