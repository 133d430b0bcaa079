"""Resource types that stand beside genomic results and hold none, named with the reason."""

from __future__ import annotations

from typing import Any

OUT_OF_SCOPE = {
    "Device": "a device or a program makes results and is none",
    "DiagnosticReport": "the report groups results, which are read by themselves; its text is not read",
    "DocumentReference": "a file is only pointed at; a VCF file is brought in with `didymos genotype`",
    "Organization": "an organization tells nothing of the person's genes",
    "Parameters": "the answer of an operation is no record; what it holds is read where the EHR keeps it",
    "Practitioner": "a practitioner tells nothing of the patient's genes",
    "Procedure": "an analysis that was done says how a result came about, not what it is",
    "ServiceRequest": "an order tells of no result",
    "Specimen": "a specimen says what was examined, not what was found",
    "Task": "a recommended action is for a person to decide on, not knowledge of the patient",
}


def explain(resource: dict[str, Any]) -> str | None:
    """Return why a type holds no genomic result; None where it may hold one or is not known here."""
    return OUT_OF_SCOPE.get(str(resource.get("resourceType")))
