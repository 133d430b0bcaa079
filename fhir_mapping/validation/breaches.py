"""What breaks HL7's constraints where a rule of presence does not say it; ``constraints`` gives the keys.

Each function takes a value of its type and returns the places (FHIRPath), relative to it, that break the
rule: ``""`` is the value itself, and nothing means that the rule holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from fhir_mapping.validation.dates import is_surely_after

Value = dict[str, Any]
Places = Collection[str]

HERE = ("",)
NOWHERE = ()
UCUM = "http://unitsofmeasure.org"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_SCOPES = frozenset({"patient-privacy", "research", "adr", "treatment"})
_ABATED = frozenset({"inactive", "remission", "resolved"})
_RETRACTED = frozenset({"entered-in-error"})
_MEALS = frozenset({"C", "CM", "CD", "CV"})
_SAMPLE = r"(?:[EUL]|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+)"
_SAMPLES = re.compile(rf"{_SAMPLE}(?: {_SAMPLE})*+")
_EXTENSION_FRAME = frozenset({"url", "id", "extension", "_url"})


def has(value: Value, name: str) -> bool:
    """Tell whether the element exists: a primitive may have only extensions."""
    return name in value or f"_{name}" in value


def has_choice(value: Value, name: str) -> bool:
    """Tell whether ``name[x]`` exists with any type."""
    return any(key.startswith((name, f"_{name}")) for key in value)


def _coded(concept: Value | None, system: str, codes: frozenset[str]) -> bool:
    return any(
        coding.get("system") == _TERMINOLOGY + system and coding.get("code") in codes
        for coding in (concept or {}).get("coding", ())
    )


def extension(value: Value) -> Places:
    valued = not _EXTENSION_FRAME.issuperset(value)
    return HERE if valued == ("extension" in value) else NOWHERE


def period_order(value: Value) -> Places:
    start, end = value.get("start"), value.get("end")
    return HERE if start and end and is_surely_after(start, end) else NOWHERE


def range_order(value: Value) -> Places:
    low, high = value.get("low", {}), value.get("high", {})
    if "value" not in low or "value" not in high:
        return NOWHERE
    alike = all(low.get(name) == high.get(name) for name in ("system", "code", "unit"))
    return HERE if alike and low["value"] > high["value"] else NOWHERE


def ratio(value: Value) -> Places:
    upper, lower = "numerator" in value, "denominator" in value
    return NOWHERE if upper == lower and (upper or "extension" in value) else HERE


def age(value: Value) -> Places:
    coded = "value" not in value or has(value, "code")
    unit = not has(value, "system") or value.get("system") == UCUM
    return NOWHERE if coded and unit and value.get("value", 1) > 0 else HERE


def count(value: Value) -> Places:
    whole = not isinstance(value.get("value"), float) and value.get("code", "1") == "1"
    coded = "value" not in value or has(value, "code")
    return NOWHERE if whole and coded and value.get("system", UCUM) == UCUM else HERE


def distance(value: Value) -> Places:
    coded = "value" not in value or has(value, "code")
    return NOWHERE if coded and value.get("system", UCUM) == UCUM else HERE


def duration(value: Value) -> Places:
    complete = value.get("system") == UCUM and has(value, "value")
    return HERE if has(value, "code") and not complete else NOWHERE


def offset(value: Value) -> Places:
    if not has(value, "offset"):
        return NOWHERE
    when = value.get("when", ())
    return NOWHERE if when and _MEALS.isdisjoint(when) else HERE


def negative(name: str) -> Callable[[Value], Places]:
    return lambda value: (f".{name}",) if value.get(name, 0) < 0 else NOWHERE


def absent_and_valued(value: Value) -> Places:
    return (".dataAbsentReason",) if "dataAbsentReason" in value and has_choice(value, "value") else NOWHERE


def component_repeats_code(value: Value) -> Places:
    if "component" not in value or not has_choice(value, "value"):
        return NOWHERE
    codes = set(_codings(value["code"]))
    return tuple(
        f".component[{index}].code"
        for index, component in enumerate(value["component"])
        if not codes.isdisjoint(_codings(component["code"]))
    )


def _codings(concept: Value) -> Iterator[tuple[Any, ...]]:
    """HL7 compares whole codings, not only system and code."""
    for coding in concept.get("coding", ()):
        yield tuple(coding.get(name) for name in ("system", "version", "code", "display", "userSelected"))


def abatement(value: Value) -> Places:
    if not has_choice(value, "abatement"):
        return NOWHERE
    return (
        NOWHERE
        if _coded(value.get("clinicalStatus"), "condition-clinical", _ABATED)
        else (".clinicalStatus",)
    )


def entered_in_error(value: Value) -> Places:
    retracted = _coded(value.get("verificationStatus"), "condition-ver-status", _RETRACTED)
    return (".clinicalStatus",) if retracted and "clinicalStatus" in value else NOWHERE


def dose(value: Value) -> Places:
    return NOWHERE if "dose" in value or has_choice(value, "rate") else HERE


def age_and_birth(value: Value) -> Places:
    return HERE if has_choice(value, "age") and has_choice(value, "born") else NOWHERE


def estimated_age(value: Value) -> Places:
    return (".estimatedAge",) if has(value, "estimatedAge") and not has_choice(value, "age") else NOWHERE


def sequence_source(value: Value) -> Places:
    names = ("genomeBuild", "referenceSeqId", "referenceSeqPointer", "referenceSeqString")
    return NOWHERE if sum(has(value, name) for name in names) == 1 else HERE


def coordinates(value: Value) -> Places:
    return NOWHERE if value.get("coordinateSystem", 0) in {0, 1} else (".coordinateSystem",)


def probability(value: Value) -> Places:
    return (".probability",) if value.get("probabilityDecimal", 0) > 100 else NOWHERE


def percentages(value: Value) -> Places:
    limits = value.get("probabilityRange", {})
    return tuple(
        f".probability.{name}"
        for name in ("low", "high")
        if name in limits and (limits[name].get("code"), limits[name].get("system")) != ("%", UCUM)
    )


def scope(value: Value) -> Places:
    return HERE if "patient" not in value and _coded(value["scope"], "consentscope", _SCOPES) else NOWHERE


def parameter(value: Value) -> Places:
    valued = any(key.startswith(("value", "_value")) for key in value)
    return NOWHERE if ("part" in value) + ("resource" in value) + valued == 1 else HERE


def samples(value: Value) -> Places:
    """HL7 says this in words only (datatypes.html#SampledData)."""
    data = value.get("data")
    if data is None:
        return NOWHERE
    whole = (data.count(" ") + 1) % value.get("dimensions", 1) == 0
    return NOWHERE if whole and _SAMPLES.fullmatch(data) else (".data",)


def timed_data(value: Value) -> Places:
    return HERE if "data" in value and has_choice(value, "timing") else NOWHERE


def trigger(value: Value) -> Places:
    kind = value.get("type", "")
    named = kind != "named-event" or has(value, "name")
    timed = kind != "periodic" or has_choice(value, "timing")
    return NOWHERE if named and timed and (not kind.startswith("data-") or "data" in value) else HERE


def nested(value: Value) -> Places:
    return _of_contained(value, lambda inner: "contained" in inner)


def versioned(value: Value) -> Places:
    return _of_contained(
        value, lambda inner: not {"versionId", "lastUpdated"}.isdisjoint(inner.get("meta", ()))
    )


def labelled(value: Value) -> Places:
    return _of_contained(value, lambda inner: "security" in inner.get("meta", ()))


def _of_contained(value: Value, is_wrong: Callable[[Value], bool]) -> Places:
    return tuple(
        f".contained[{index}]" for index, inner in enumerate(value.get("contained", ())) if is_wrong(inner)
    )
