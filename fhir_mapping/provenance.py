"""Provenance (R4): which model, at which version and code, made a target from which inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_mapping import device, evidence
from fhir_mapping.device import Software
from fhir_mapping.heading import as_we_write, contained, meta
from fhir_mapping.identity import labels_of
from fhir_mapping.instants import render as instant
from fhir_mapping.timestamps import read as read_instant

DATA_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_CREATE, _UPDATE = "CREATE", "UPDATE"


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
    """Return the Provenance of an act; ``recorded`` to the millisecond."""
    resource: dict[str, Any] = {
        "resourceType": "Provenance",
        "id": act.id,
        "meta": meta(act.labels),
        "contained": [device.render(act.software)],
        "target": [evidence.render(act.target)],
        "recorded": instant(act.recorded),
        "activity": {"coding": [{"system": DATA_OPERATION, "code": _CREATE if act.created else _UPDATE}]},
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


@as_we_write("Provenance")
def read(resource: dict[str, Any]) -> Act:
    """Return the act that ``render`` was given.

    Raises
    ------
    Unusable
        It is not as we write it.
    """
    (target,) = evidence.listed(resource["target"])
    return Act(
        resource["id"],
        target,
        read_instant(resource["recorded"]),
        device.read(contained(resource, device.ID)),
        evidence.listed(each["what"] for each in resource.get("entity", ())),
        resource["activity"]["coding"][0]["code"] == _CREATE,
        labels_of(resource),
    )
