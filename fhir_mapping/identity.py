"""What tells one version of a resource from another, and ours from the hospital's."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from fhir_mapping.errors import Unusable
from fhir_mapping.references import Reference, is_id

# The ``meta.source`` of everything that Didymos writes. A server may append ``#`` and a request id.
SOURCE = "urn:didymos"

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_LEVELS = frozenset("ULMNRV")
_REASONS = frozenset({"HTEST"})


def content_hash(resource: dict[str, Any]) -> str:
    """Return the SHA-256, in hex, of the resource without its version and time of storage.

    Keys are sorted, so the order in which a server writes them does not matter.

    Raises
    ------
    Unusable
        For what ``guard`` never lets through: an integer beyond 64 bits, a lone surrogate.
    """
    meta = resource.get("meta")
    if isinstance(meta, dict) and not meta.keys().isdisjoint(("versionId", "lastUpdated")):
        kept = {key: value for key, value in meta.items() if key not in ("versionId", "lastUpdated")}
        resource = {**resource, "meta": kept}
        if not kept:
            del resource["meta"]
    try:
        canonical = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        raise Unusable("value", "a value has no canonical form", 422) from None
    return hashlib.sha256(canonical).hexdigest()


def version_of(resource: dict[str, Any]) -> str | None:
    """Return ``meta.versionId``; None where the server keeps no versions."""
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return version if is_id(version) else None


def evidence(reference: Reference, digest: str) -> str:
    """Return the reference with version by which a value names its source.

    Where the server keeps no versions, the first 16 hex digits of the content hash stand in.
    """
    return f"{reference.type}/{reference.id}/_history/{reference.version or f'sha256-{digest[:16]}'}"


def is_own(resource: dict[str, Any]) -> bool:
    """Tell whether Didymos wrote ``resource``."""
    meta = resource.get("meta")
    source = meta.get("source") if isinstance(meta, dict) else None
    return isinstance(source, str) and (source == SOURCE or source.startswith(f"{SOURCE}#"))


def labels_of(resource: dict[str, Any]) -> frozenset[str]:
    """Return the security labels: the bare code for HL7's own systems, else ``system|code``.

    A label that cannot be read counts as ``V``, very restricted: losing it would disclose.
    """
    meta = resource.get("meta")
    security = meta.get("security") if isinstance(meta, dict) else None
    if security is None:
        return frozenset()
    if not isinstance(security, list):
        return frozenset({"V"})
    return frozenset(_label(coding) for coding in security)


def label_codings(labels: frozenset[str]) -> list[dict[str, str]]:
    """Return ``meta.security`` for labels as ``labels_of`` gives them."""
    return [_coding(label) for label in sorted(labels)]


def _label(coding: object) -> str:
    code = coding.get("code") if isinstance(coding, dict) else None
    if not isinstance(coding, dict) or not isinstance(code, str) or not code:
        return "V"
    system = coding.get("system")
    return code if system in (None, CONFIDENTIALITY, ACT_CODE, ACT_REASON) else f"{system}|{code}"


def _coding(label: str) -> dict[str, str]:
    if "|" in label:
        system, _, code = label.rpartition("|")
        return {"system": system, "code": code}
    if label in _REASONS:
        return {"system": ACT_REASON, "code": label}
    return {"system": CONFIDENTIALITY if label in _LEVELS else ACT_CODE, "code": label}
