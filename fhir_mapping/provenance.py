"""Provenance (R4): which model, at which version and code, made a target from which inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_mapping import device, evidence
from fhir_mapping.device import Software
from fhir_mapping.identity import SOURCE, label_codings
from fhir_mapping.instants import render as instant

DATA_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


@dataclass(frozen=True, slots=True)
class Act:
    """The making of one version. ``target`` and ``inputs`` are references with version."""

    id: str
    target: str
    recorded: datetime
    software: Software
    inputs: tuple[str, ...]
    created: bool = True
    labels: frozenset[str] = frozenset()


def render(act: Act) -> dict[str, Any]:
    """Return the Provenance of an act."""
    meta: dict[str, Any] = {"source": SOURCE}
    if act.labels:
        meta["security"] = label_codings(act.labels)
    resource: dict[str, Any] = {
        "resourceType": "Provenance",
        "id": act.id,
        "meta": meta,
        "contained": [device.render(act.software)],
        "target": [evidence.render(act.target)],
        "recorded": instant(act.recorded),
        "activity": {"coding": [{"system": DATA_OPERATION, "code": "CREATE" if act.created else "UPDATE"}]},
        "agent": [
            {
                "type": {"coding": [{"system": PARTICIPANT, "code": "assembler", "display": "Assembler"}]},
                "who": device.reference(),
            }
        ],
    }
    if act.inputs:
        resource["entity"] = [{"role": "source", "what": evidence.render(source)} for source in act.inputs]
    return resource
