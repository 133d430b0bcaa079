"""Observation -> measurements, findings, absences and series.

What is read has passed the structural validation: types, cardinalities, required codes and the exclusivity of
value[x] and effective[x] hold.

Used are ``final``, ``amended`` and ``corrected``. ``registered``, ``preliminary`` and ``unknown`` wait: FHIR
calls their data incomplete or unverified, and the final version is a new event. ``cancelled`` and
``entered-in-error`` retract: they give no items, so a version used before goes out of the evidence.
"""

from __future__ import annotations

from typing import Any

from fhir_mapping import genomics
from fhir_mapping.codes import TARGETS, Genomic, Panel, Question, Refused, Signal, Target
from fhir_mapping.errors import Problem
from fhir_mapping.instants import exact
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.observation import context, effective, observed
from twin_engine.twin import Absence, Measurement, Series

_USED = frozenset({"final", "amended", "corrected"})
_RETRACTED = frozenset({"cancelled", "entered-in-error"})
# What an ordinary Observation of one value does not have; with any of these it is looked at in full.
_RARE = frozenset(
    {"component", "dataAbsentReason", "focus", "modifierExtension", "referenceRange", *context.ELEMENTS}
)
_PRESSURES = ("systolic-blood-pressure", "diastolic-blood-pressure")
_CONFLICT = Refused("the codes name different things")


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a structurally valid Observation; codes that no model knows make it irrelevant."""
    named = target(resource["code"])
    if isinstance(named, Signal) and _RARE.isdisjoint(resource) and resource.get("status") in _USED:
        measurement = _measurement(named, resource, origin)
        if measurement is not None:
            return Mapped((measurement,))
    elif named is None and not _has_known_component(resource):
        return IRRELEVANT
    unused = _unused(resource)
    if unused is not None:
        return unused
    if isinstance(named, Genomic):
        return genomics.read(resource, origin)
    when = effective.read(resource, origin.now)
    if isinstance(when, Problem):
        return Mapped(reasons=(when,))
    shared = context.shared(resource, when.began)
    return _whole(resource, named, observed.Setting(when.at, origin, shared, when.exact))


def _measurement(signal: Signal, resource: dict[str, Any], origin: Origin) -> Measurement | None:
    """Return what nearly every Observation is: a plain Quantity at a full dateTime of the past."""
    text = resource.get("effectiveDateTime")
    at = None if text is None else exact(text)
    if at is None or at > origin.now:
        return None
    return observed.measurement(signal, resource, at, origin.source)


def target(concept: dict[str, Any]) -> Target | None:
    """Return what the codes of ``concept`` name together; None where none of them is known."""
    found = None
    for coding in concept.get("coding", ()):
        one = TARGETS.get((coding.get("system"), coding.get("code")))
        if one is not None and one is not found:
            found = one if found is None else _both(found, one)
    return found


def _both(one: Target, other: Target) -> Target:
    for target in (one, other):
        if isinstance(target, Refused):
            return target
    if isinstance(one, Panel):
        return other
    if isinstance(one, Signal) and isinstance(other, Signal) and one.name == other.name:
        return min(one, other, key=_number_of_units)
    return one if isinstance(other, Panel) or _name(one) == _name(other) else _CONFLICT


def _number_of_units(signal: Signal) -> int:
    """Return how many units are accepted: a code may accept fewer than its signal does."""
    return len(signal.scales)


def _name(target: Target) -> object:
    return target.name if isinstance(target, Signal | Question) else type(target)


def _has_known_component(resource: dict[str, Any]) -> bool:
    return "component" in resource and any(target(part["code"]) is not None for part in resource["component"])


def _unused(resource: dict[str, Any]) -> Mapped | None:
    status = resource.get("status")
    if status in _RETRACTED:
        return _refused("retracted", "the observation was cancelled or entered in error", "status")
    if status not in _USED:
        return _refused("status", "the observation is not yet final", "status")
    subject = resource.get("subject", {}).get("reference")
    if any(each.get("reference") != subject for each in resource.get("focus", ())):
        return _refused("reference", "the observation is about another than its subject", "focus")
    return None


def _refused(code: str, text: str, element: str) -> Mapped:
    return Mapped(reasons=(Problem(code, text, f"Observation.{element}"),))


def _whole(resource: dict[str, Any], named: Target | None, setting: observed.Setting) -> Mapped:
    """Map the value of the Observation itself and of each component."""
    results = {"Observation": _result(named, resource, setting, "Observation")}
    for index, part in enumerate(resource.get("component", ())):
        place = f"Observation.component[{index}]"
        results[place] = _result(target(part["code"]), part, setting, place)
    values = {
        place: result
        for place, result in results.items()
        if result is not None and not isinstance(result, Problem)
    }
    reasons = [result for result in results.values() if isinstance(result, Problem)]
    if len(values) > 1:
        for doubted in (_contradictions, _reversed):
            wrong = doubted(values)
            values = {place: value for place, value in values.items() if place not in wrong}
            reasons.extend(wrong.values())
    items = list(values.values())
    if not items and not reasons and "hasMember" not in resource:
        return _refused("absent", "the panel holds no value that is known", "component")
    if len({item.signal for item in items}) < len(items):
        items = list(dict.fromkeys(items))
    return Mapped(tuple(items), None, tuple(reasons))


def _contradictions(values: dict[str, observed.Value]) -> dict[str, Problem]:
    """Return, by their places, the values of one signal that differ: nothing says which of them holds."""
    told: dict[tuple[type, str], dict[str, object]] = {}
    for place, item in values.items():
        if not isinstance(item, Absence):
            said = item.values if isinstance(item, Series) else item.value
            told.setdefault((type(item), item.signal), {})[place] = said
    text = "two values of one signal contradict each other"
    return {
        place: Problem("value", text, f"{place}.value", name)
        for (_, name), said in told.items()
        if len(said) > 1 and len(set(said.values())) > 1
        for place in said
    }


def _reversed(values: dict[str, observed.Value]) -> dict[str, Problem]:
    """Return, by their places, a systolic that is not above its diastolic pressure, and that diastolic."""
    told = {item.signal: item.value for item in values.values() if isinstance(item, Measurement)}
    above, below = (told.get(name) for name in _PRESSURES)
    if above is None or below is None or above > below:
        return {}
    text = "the systolic pressure is not above the diastolic pressure"
    return {
        place: Problem("range", text, f"{place}.value", item.signal)
        for place, item in values.items()
        if item.signal in _PRESSURES and isinstance(item, Measurement)
    }


def _result(
    target: Target | None, holder: dict[str, Any], setting: observed.Setting, place: str
) -> observed.Value | Problem | None:
    if target is None or isinstance(target, Panel | Genomic):
        return None
    if "modifierExtension" in holder:
        return Problem("modifier", "it carries a modifier that is not understood", place)
    if isinstance(target, Signal):
        return observed.number(target, holder, setting, place)
    if isinstance(target, Question):
        return observed.answer(target, holder, setting, place)
    return Problem("code", target.reason, f"{place}.code")
