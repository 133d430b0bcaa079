"""References to evidence with version, as our resources carry them.

``Observation/17/_history/3`` is a FHIR reference as it stands. Where the hospital keeps no versions, the
evidence is named by content hash, ``Observation/17/_history/sha256-0123456789abcdef``; that is no address
at the hospital, so the plain reference is written and the hash stands beside it as an identifier. Evidence
from a file beside the EHR is only named by an identifier: many EHRs refuse a reference that leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_mapping.genomics.vcf import is_imported
from fhir_mapping.lenient import as_object
from fhir_mapping.references import Reference, parse

CONTENT_HASH = "urn:didymos:content-hash"
FROM_FILE = "urn:didymos:from-file"


def render(source: str) -> dict[str, Any]:
    """Return the FHIR Reference for a reference with version."""
    found = parse(source)
    if found is not None and is_imported(f"{found.type}/{found.id}"):
        return {"type": found.type, "identifier": {"system": FROM_FILE, "value": source}}
    if found is None or found.version is None or not found.version.startswith("sha256-"):
        return {"reference": source}
    return {
        "reference": str(Reference(found.type, found.id)),
        "identifier": {"system": CONTENT_HASH, "value": found.version},
    }


def read(references: Iterable[dict[str, Any]]) -> frozenset[str]:
    """Return the references with version that ``render`` was given, absolute ones made relative."""
    return frozenset(listed(references))


def listed(references: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the same in the order in which they stand."""
    return tuple(str(found) for each in references if (found := _one(each)))


def _one(reference: dict[str, Any]) -> Reference | None:
    found = parse(reference.get("reference"))
    identifier = as_object(reference.get("identifier"))
    if identifier.get("system") == FROM_FILE:
        return parse(identifier.get("value"))
    if found is None or found.version or identifier.get("system") != CONTENT_HASH:
        return found
    return Reference(found.type, found.id, str(identifier.get("value")))
