"""The model as a FHIR Device, contained in what it produced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ID = "model"
MODEL = "urn:didymos:model"


@dataclass(frozen=True, slots=True)
class Software:
    """A model version. ``code_hash`` tells the very code that ran, ``sources`` the publications."""

    name: str
    version: str
    title: str
    code_hash: str
    sources: tuple[str, ...] = ()


def render(software: Software) -> dict[str, Any]:
    """Return the Device to contain."""
    return {
        "resourceType": "Device",
        "id": ID,
        "identifier": [{"system": MODEL, "value": f"{software.name}|{software.version}"}],
        "deviceName": [{"name": software.title, "type": "model-name"}],
        "version": [
            {"type": {"text": "model"}, "value": software.version},
            {"type": {"text": "code"}, "value": software.code_hash},
        ],
    }


def reference() -> dict[str, str]:
    """Return the reference to the contained Device."""
    return {"reference": f"#{ID}"}
