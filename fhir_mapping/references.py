"""FHIR references, relative or absolute, read down to type, id and version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

ID = r"[A-Za-z0-9\-.]{1,64}"
_REFERENCE = re.compile(
    rf"(?:https?://[^\s?#]+/)?(?P<type>[A-Z][A-Za-z]{{1,63}})/(?P<id>{ID})(?:/_history/(?P<version>{ID}))?"
)
_ID = re.compile(ID)


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource of the hospital, at a version where one is named."""

    type: str
    id: str
    version: str | None = None

    def __str__(self) -> str:
        plain = f"{self.type}/{self.id}"
        return f"{plain}/_history/{self.version}" if self.version else plain


def parse(text: object) -> Reference | None:
    """Return the reference; None for contained (``#a``), ``urn:`` and conditional ones.

    The server part of an absolute reference is dropped: the last two segments name the resource,
    and it is only ever read from the hospital that is registered.
    """
    match = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["id"] in {".", ".."}:
        return None
    return Reference(match["type"], match["id"], match["version"])


def is_id(text: object) -> bool:
    """Tell whether ``text`` is a FHIR id that is safe in a path."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None and text not in {".", ".."}


def subject_id(resource: dict[str, Any]) -> str | None:
    """Return the id of the Patient whom ``resource`` is about; None where it names none."""
    kind = resource.get("resourceType")
    if kind == "Patient":
        return resource["id"] if is_id(resource.get("id")) else None
    owner = (
        resource.get("patient") if kind == "Consent" else resource.get("subject") or resource.get("patient")
    )
    text = owner.get("reference") if isinstance(owner, dict) else None
    if isinstance(text, str) and text.startswith("Patient/") and is_id(text[8:]):
        return text[8:]  # what nearly every resource says, without the pattern of all references
    found = parse(text)
    return found.id if found is not None and found.type == "Patient" else None
