"""How the values of an Observation were obtained: method, body site, device, period, references, range."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from fhir_mapping.codes import Signal
from fhir_mapping.observation import quantity
from twin_engine.twin import Context

ELEMENTS = frozenset({"method", "bodySite", "device", "derivedFrom", "hasMember"})
MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"


def shared(resource: dict[str, Any], began: datetime | None) -> Context | None:
    """Return what an Observation says of all its values; None where it says nothing."""
    if began is None and ELEMENTS.isdisjoint(resource):
        return None
    found = Context(
        method=_coded(resource.get("method")),
        body_site=_coded(resource.get("bodySite")),
        device=_referred(resource.get("device", {})),
        began=began,
        derived_from=_references(resource.get("derivedFrom", ())),
        members=_references(resource.get("hasMember", ())),
    )
    return None if found == _NOTHING else found


def ranged(context: Context | None, holder: dict[str, Any], signal: Signal) -> Context | None:
    """Return ``context`` with the reference range of one value, in the unit of ``signal``."""
    usual = _usual(holder["referenceRange"])
    low, high = (quantity.converted(signal, usual.get(end, {})) for end in ("low", "high"))
    if low is None and high is None:
        return context
    return replace(context or _NOTHING, low=low, high=high)


def _usual(ranges: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one range that holds for a healthy person; an empty one where several may."""
    normal = [each for each in ranges if "type" not in each or _is_normal(each["type"])]
    if len(normal) > 1:
        normal = [each for each in normal if "appliesTo" not in each and "age" not in each]
    return normal[0] if len(normal) == 1 else {}


def _is_normal(kind: dict[str, Any]) -> bool:
    codings = kind.get("coding", ())
    return any(coding.get("system") == MEANING and coding.get("code") == "normal" for coding in codings)


def _coded(concept: dict[str, Any] | None) -> str | None:
    codings = concept.get("coding", ()) if concept else ()
    return next((f"{each.get('system', '')}|{each['code']}" for each in codings if "code" in each), None)


def _references(references: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(found for found in map(_referred, references) if found is not None)


def _referred(reference: dict[str, Any]) -> str | None:
    """Return the reference, else the identifier; a contained resource has no name outside of its own."""
    text = reference.get("reference")
    if text is not None:
        return None if text.startswith("#") else str(text)
    identifier = reference.get("identifier", {})
    return f"{identifier.get('system', '')}|{identifier['value']}" if "value" in identifier else None


_NOTHING = Context()
