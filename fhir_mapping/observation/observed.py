"""value[x] of an Observation, or of one of its components, -> a value of the engine or why there is none.

Numbers come as Quantity, scores also as integer, traces as SampledData, answers as CodeableConcept. Other
kinds are refused by name; a text is never taken for a number, nor a word for a code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from fhir_mapping.codes import Question, Signal
from fhir_mapping.errors import Problem
from fhir_mapping.mapped import Origin
from fhir_mapping.observation import absence, quantity, sampled_data
from fhir_mapping.observation.context import ranged
from fhir_mapping.observation.effective import PLACE
from twin_engine.twin import Absence, Context, Finding, Measurement, Series

KINDS: dict[str, str] = {
    "valueQuantity": "a number with a unit",
    "valueCodeableConcept": "a coded answer",
    "valueString": "a text",
    "valueBoolean": "a yes or no",
    "valueInteger": "a number without a unit",
    "valueRange": "a range",
    "valueRatio": "a ratio",
    "valueSampledData": "a trace",
    "valueTime": "a time of day",
    "valueDateTime": "a point in time",
    "valuePeriod": "a period",
}
_UNSAID = frozenset({*KINDS, "dataAbsentReason"})


Value = Measurement | Finding | Absence | Series


class Setting(msgspec.Struct, frozen=True):
    """What the values of one Observation share; ``exact`` tells whether a time of day was given."""

    at: datetime
    origin: Origin
    context: Context | None = None
    exact: bool = True


def measurement(signal: Signal, holder: dict[str, Any], at: datetime, source: str) -> Measurement | None:
    """Return the plain and plausible Quantity of ``holder``; None where it holds anything else."""
    given = holder.get("valueQuantity")
    if given is None or "comparator" in given or "_comparator" in given:
        return None
    value, scale = given.get("value"), quantity.scale(signal, given)
    if value is None or scale is None:
        return None
    value = scale.apply(float(value))
    return Measurement(signal.name, at, source, value) if signal.low <= value <= signal.high else None


def number(signal: Signal, holder: dict[str, Any], setting: Setting, place: str) -> Value | Problem:
    """Return the number or the trace that ``holder`` gives for ``signal``, in its unit."""
    if "dataAbsentReason" in holder:
        return _none(signal.name, holder, setting, place, "a number")
    found = measurement(signal, holder, setting.at, setting.origin.source)
    if found is None and "valueInteger" in holder:
        count = {"valueQuantity": {"value": holder["valueInteger"]}}
        found = measurement(signal, count, setting.at, setting.origin.source)
    if found is None:
        return _trace_or_problem(signal, holder, setting, place)
    context = _context(signal, holder, setting)
    return found if context is None else msgspec.structs.replace(found, context=context)


def answer(question: Question, holder: dict[str, Any], setting: Setting, place: str) -> Value | Problem:
    """Return the coded answer that ``holder`` gives to ``question``."""
    name, at, source = question.name, setting.at, setting.origin.source
    concept = holder.get("valueCodeableConcept")
    if question.named is not None:
        return Finding(name, at, source, question.named)
    if question.implied is not None and _UNSAID.isdisjoint(holder):
        return Finding(name, at, source, question.implied)
    if concept is None or "dataAbsentReason" in holder:
        return _none(name, holder, setting, place, "a coded answer")
    codings = concept.get("coding", ())
    told = {question.answers.get((each.get("system", ""), each.get("code", ""))) for each in codings} - {None}
    if len(told) == 1:
        return Finding(name, at, source, str(told.pop()))
    reason = None if told else absence.named(concept)
    if reason is not None:
        return Absence(name, at, source, reason)
    return Problem("code", "the answer is not one that is known", f"{place}.value", name)


def _trace_or_problem(
    signal: Signal, holder: dict[str, Any], setting: Setting, place: str
) -> Value | Problem:
    if "valueSampledData" in holder:
        return _trace(signal, holder, setting, place)
    given = holder.get("valueQuantity", {"value": holder.get("valueInteger")})
    if given.get("value") is None:
        return _none(signal.name, holder, setting, place, "a number with a unit")
    if "comparator" in given or "_comparator" in given:
        return Problem("comparator", "a bound is not a value", f"{place}.value.comparator", signal.name)
    if quantity.scale(signal, given) is None:
        text = "the unit is absent, unknown or contradicts itself"
        where = f"{place}.value.unit" if "valueQuantity" in holder else f"{place}.value"
        return Problem("unit", text, where, signal.name)
    return Problem(
        "range", "the value is outside what is physically plausible", f"{place}.value", signal.name
    )


def _trace(signal: Signal, holder: dict[str, Any], setting: Setting, place: str) -> Value | Problem:
    if not setting.exact:
        text = "a trace is without the time of day at which it starts"
        return Problem("time", text, PLACE, signal.name)
    context = _context(signal, holder, setting)
    start = setting.at if context is None or context.began is None else context.began
    trace = sampled_data.Trace(signal, start, setting.origin, context)
    return sampled_data.read(holder["valueSampledData"], trace, f"{place}.value")


def _context(signal: Signal, holder: dict[str, Any], setting: Setting) -> Context | None:
    return ranged(setting.context, holder, signal) if "referenceRange" in holder else setting.context


def _none(name: str, holder: dict[str, Any], setting: Setting, place: str, wanted: str) -> Value | Problem:
    """Return the absence that the record states, or what stands where ``wanted`` is needed."""
    where = f"{place}.value"
    reason = absence.reason(holder)
    kind = next((kind for kind in KINDS if kind in holder), None)
    if reason is not None and "dataAbsentReason" in holder and kind is not None:
        text = "a value stands beside a reason for its absence"
        return Problem("value", text, f"{place}.dataAbsentReason", name)
    if reason is not None:
        return Absence(name, setting.at, setting.origin.source, reason)
    if kind is None or (kind == "valueQuantity" and "value" not in holder[kind]):
        return Problem("absent", "there is no value", where, name)
    text = f"the value is of a kind that is not used here: {KINDS[kind]} where {wanted} is needed"
    return Problem("value", text, where, name)
