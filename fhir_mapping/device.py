"""The model as a FHIR Device, contained in what it produced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ID = "model"
MODEL = "urn:didymos:model"
_VERSION, _CODE = "model", "code"


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
    device: dict[str, Any] = {
        "resourceType": "Device",
        "id": ID,
        "identifier": [{"system": MODEL, "value": f"{software.name}|{software.version}"}],
        "deviceName": [{"name": software.title, "type": "model-name"}],
        "version": [
            {"type": {"text": _VERSION}, "value": software.version},
            {"type": {"text": _CODE}, "value": software.code_hash},
        ],
    }
    cited = [{"text": source} for source in software.sources]
    return device | {"note": cited} if cited else device


def read(device: dict[str, Any]) -> Software:
    """Return the model that ``render`` was given."""
    name, _, _ = device["identifier"][0]["value"].partition("|")
    values = {each["type"]["text"]: each["value"] for each in device["version"]}
    return Software(
        name,
        values[_VERSION],
        device["deviceName"][0]["name"],
        values[_CODE],
        tuple(note["text"] for note in device.get("note", ())),
    )


def reference() -> dict[str, str]:
    """Return the reference to the contained Device."""
    return {"reference": f"#{ID}"}
