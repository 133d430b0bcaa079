"""Small resources for tests of the connection; nothing of them is mapped."""

from typing import Any


def observation(patient: str, day: str = "2026-03-01", code: str = "8480-6", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"{day}T08:00:00Z",
        **more,
    }


def assessment(
    patient: str, update: int = 1, id_: str = "ra-1", source: str = "urn:didymos"
) -> dict[str, Any]:
    """A RiskAssessment whose ``note`` counts the update that it tells of."""
    return {
        "resourceType": "RiskAssessment",
        "id": id_,
        "meta": {"source": source},
        "identifier": [{"system": "urn:didymos:assessment", "value": id_}],
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "note": [{"text": str(update)}],
    }


def told(resource: Any) -> int:
    return int(resource["note"][0]["text"])
