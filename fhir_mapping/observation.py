"""Observation -> measurements and findings.

Used are ``final``, ``amended`` and ``corrected``. ``registered``, ``preliminary`` and ``unknown`` wait: FHIR
calls their data incomplete or unverified, and the final version is a new event. ``cancelled`` and
``entered-in-error`` retract: they give no items, so a version used before goes out of the evidence.

The time is ``effective[x]``, for a period its end; ``issued`` says when a result was published, not when
it was true, and is never taken for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from fhir_mapping import codes, genomics
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.instants import moment
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Coding, Period, Quantity, Ref, Shape, Text, view
from twin_engine.twin import Finding, Item, Measurement

UCUM = "http://unitsofmeasure.org"

Status = Literal[
    "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"
]
_USED = ("final", "amended", "corrected")
_RETRACTED = ("cancelled", "entered-in-error")


class Holder(Shape, frozen=True):
    """What Observation and its components have in common."""

    code: CodeableConcept
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_range: dict[str, Any] | None = None
    value_ratio: dict[str, Any] | None = None
    value_sampled_data: dict[str, Any] | None = None
    value_time: str | None = None
    value_date_time: str | None = None
    value_period: Period | None = None
    data_absent_reason: CodeableConcept | None = None
    modifier_extension: tuple[dict[str, Any], ...] = ()


class View(Holder, frozen=True, kw_only=True):
    """An Observation, as far as the mapping looks."""

    status: Status
    subject: Ref | None = None
    effective_date_time: Text | None = None
    effective_period: Period | None = None
    effective_instant: Text | None = None
    effective_timing: dict[str, Any] | None = None
    issued: Text | None = None
    component: tuple[Holder, ...] = ()
    has_member: tuple[Ref, ...] = ()
    focus: tuple[Ref, ...] = ()


_VALUES = tuple(name for name in Holder.__struct_fields__ if name.startswith("value_"))
_TIMES = ("effective_date_time", "effective_period", "effective_instant", "effective_timing")


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map an Observation; codes that no model knows make it irrelevant."""
    seen = view(resource, View)
    _check_choices(seen)
    targets = [*_targets(seen.code), *(found for part in seen.component for found in _targets(part.code))]
    if not targets:
        return IRRELEVANT
    if seen.status in _RETRACTED:
        return _refused(
            "retracted", "the observation was cancelled or entered in error", "Observation.status"
        )
    if seen.status not in _USED:
        return _refused("status", "the observation is not yet final", "Observation.status")
    if any(each.reference != (seen.subject or Ref()).reference for each in seen.focus):
        return _refused("reference", "the observation is about another than its subject", "Observation.focus")
    at = _time(seen, origin.now)
    if isinstance(at, Problem):
        return Mapped(reasons=(at,))
    if isinstance(targets[0], codes.Genomic):
        return genomics.read(targets[0], seen.value_codeable_concept, _parts(seen), origin)
    results = tuple(_results(seen, at, origin.source))
    return Mapped(
        items=tuple(dict.fromkeys(result for result in results if not isinstance(result, Problem))),
        reasons=tuple(result for result in results if isinstance(result, Problem)),
    )


def _check_choices(seen: View) -> None:
    if sum(getattr(seen, name) is not None for name in _TIMES) > 1:
        raise Unusable("structure", "more than one effective[x]", 422, "Observation.effective")
    for holder, place in (
        (seen, "Observation"),
        *((part, "Observation.component") for part in seen.component),
    ):
        values = sum(getattr(holder, name) is not None for name in _VALUES)
        if values > 1:
            raise Unusable("structure", "more than one value[x]", 422, f"{place}.value")
        if values and holder.data_absent_reason is not None:
            raise Unusable(
                "structure", "a value and a reason for its absence", 422, f"{place}.dataAbsentReason"
            )


def _refused(code: str, text: str, expression: str) -> Mapped:
    return Mapped(reasons=(Problem(code, text, expression),))


def _targets(concept: CodeableConcept) -> list[codes.Target]:
    known = codes.TARGETS
    found = (known.get((coding.system or "", coding.code or "")) for coding in concept.coding)
    return [target for target in found if target is not None]


def _time(seen: View, now: datetime) -> datetime | Problem:
    place = "Observation.effective"
    period = seen.effective_period
    text = seen.effective_date_time or seen.effective_instant or (period and (period.end or period.start))
    if text is None:
        return Problem("time", "the time at which the value was true is not given", place)
    found = moment(text)
    if found is None:
        return Problem("time", "the time is not a FHIR dateTime with its zone", place)
    if found.after(now):
        return Problem("time", "the time lies in the future", place)
    return found.at


def _results(seen: View, at: datetime, source: str) -> Iterator[Item | Problem]:
    """Yield the value of the Observation itself, then of each component."""
    own = _result(seen, at, source, "Observation")
    if own is not None:
        yield own
    found = own is not None
    for part in seen.component:
        result = _result(part, at, source, "Observation.component")
        if result is not None:
            found = True
            yield result
    if not found and not seen.has_member:
        yield Problem("absent", "the panel holds no value that is known", "Observation.component")


def _result(holder: Holder, at: datetime, source: str, place: str) -> Item | Problem | None:
    targets = [target for target in _targets(holder.code) if not isinstance(target, codes.Panel)]
    if not targets:
        return None
    names = {target.name for target in targets if isinstance(target, codes.Signal | codes.Question)}
    if holder.modifier_extension:
        return Problem("modifier", "it carries a modifier that is not understood", place)
    refused = next((target for target in targets if isinstance(target, codes.Refused)), None)
    if refused is not None:
        return Problem("code", refused.reason, f"{place}.code")
    if len(names) != 1:
        return Problem("code", "the codes name different things", f"{place}.code")
    target = targets[0]
    if isinstance(target, codes.Signal):
        return _measured(target, holder, at, source, place)
    if isinstance(target, codes.Question):
        return _found(target, holder, at, source, place)
    return None


def _measured(signal: codes.Signal, holder: Holder, at: datetime, source: str, place: str) -> Item | Problem:
    quantity = holder.value_quantity
    where = f"{place}.value"
    if quantity is None or quantity.value is None:
        return _no_value(holder, signal.name, where)
    if quantity.comparator is not None:
        return Problem("comparator", "a bound is not a value", f"{where}.comparator", signal.name)
    scale = _scale(signal, quantity)
    if scale is None:
        return Problem(
            "unit", "the unit is absent, unknown or contradicts itself", f"{where}.unit", signal.name
        )
    value = scale.apply(quantity.value)
    if not signal.low <= value <= signal.high:
        return Problem("range", "the value is outside what is physically plausible", where, signal.name)
    return Measurement(signal.name, at, source, value)


def _scale(signal: codes.Signal, quantity: Quantity) -> codes.Scale | None:
    """Return the scale of the unit; None where code and unit name different ones."""
    if quantity.code is None:
        return signal.scales.get(quantity.unit or "")
    scale = signal.scales.get(quantity.code)
    if quantity.unit is not None and quantity.unit != quantity.code:
        printed = signal.scales.get(quantity.unit)
        if printed is not None and printed != scale:
            return None
    return scale


def _found(question: codes.Question, holder: Holder, at: datetime, source: str, place: str) -> Item | Problem:
    concept = holder.value_codeable_concept
    where = f"{place}.value"
    if question.named is not None:
        return Finding(question.name, at, source, question.named)
    if concept is None:
        absent = holder.data_absent_reason is not None or any(
            getattr(holder, name) is not None for name in _VALUES
        )
        if question.implied is not None and not absent:
            return Finding(question.name, at, source, question.implied)
        return _no_value(holder, question.name, where)
    answers = {_answer(question, coding) for coding in concept.coding} - {None}
    if len(answers) != 1:
        return Problem("code", "the answer is not one that is known", where, question.name)
    return Finding(question.name, at, source, str(answers.pop()))


def _answer(question: codes.Question, coding: Coding) -> str | None:
    return question.answers.get((coding.system or "", coding.code or ""))


def _no_value(holder: Holder, name: str, where: str) -> Problem:
    if holder.data_absent_reason is not None:
        return Problem("absent", "the hospital says that the value is absent", where, name)
    if any(getattr(holder, each) is not None for each in _VALUES):
        return Problem("value", "the value is of a kind that is not used here", where, name)
    return Problem("absent", "there is no value", where, name)


def _parts(seen: View) -> dict[str, CodeableConcept | str]:
    """Return the coded and textual components of a genomics Observation by LOINC code."""
    return {
        coding.code: part.value_codeable_concept or part.value_string or ""
        for part in seen.component
        for coding in part.code.coding
        if coding.system == codes.LOINC and coding.code
    }
