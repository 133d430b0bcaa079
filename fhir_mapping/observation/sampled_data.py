"""FHIR SampledData -> a series: an electrocardiogram, a pressure wave, a glucose trace.

A sample is ``origin + factor * number`` in the unit of ``origin``; the period is in milliseconds. ``E`` is a
sample that failed, ``L`` and ``U`` lie beyond the lower and upper limit of the device: no number stands for
them (FHIR R4, SampledData). What is read is valid: decimals and these marks, each parted by one space, as
many at each instant as there are dimensions. The limits bound the numbers as they are sent, before factor and
origin: so they do in HL7's own example of an electrocardiogram (R4, Observation/ekg).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any

from fhir_mapping.codes import Signal
from fhir_mapping.errors import Problem
from fhir_mapping.instants import Moment
from fhir_mapping.mapped import Origin
from fhir_mapping.observation import quantity
from twin_engine.twin import Context, Series

_GAPS = frozenset("ELU")


@dataclass(frozen=True, slots=True)
class Trace:
    """What the samples are of, and when the first was taken."""

    signal: Signal
    start: datetime
    origin: Origin
    context: Context | None


def read(data: dict[str, Any], trace: Trace, place: str) -> Series | Problem:
    """Return the samples in the unit of the signal; one that is not plausible makes all of them doubtful."""
    name, period, channels = trace.signal.name, data.get("period"), data.get("dimensions")
    line = _line(data, trace.signal)
    if line is None:
        text = "the unit is absent, unknown or contradicts itself"
        return Problem("unit", text, f"{place}.origin.unit", name)
    if not data.get("data"):
        return Problem("absent", "there is no sample", f"{place}.data", name)
    if period is None or channels is None or period <= 0:
        text = "the distance of the samples is not a time, or it is not said how many belong together"
        return Problem("value", text, f"{place}.period", name)
    tokens = data["data"].split(" ")
    wrong = _unbelievable(data, tokens, name, place)
    if wrong is not None:
        return wrong
    if _ends_after(len(tokens) // channels * period, trace):
        return Problem("time", "the samples reach into the future", f"{place}.period", name)
    offset, slope = line
    values = tuple([None if each in _GAPS else round(offset + slope * float(each), 10) for each in tokens])
    if any(not trace.signal.low <= value <= trace.signal.high for value in values if value is not None):
        text = "a sample is outside what is physically plausible"
        return Problem("range", text, f"{place}.data", name)
    below, above = (tuple([at for at, token in enumerate(tokens) if token == mark]) for mark in "LU")
    source, context = trace.origin.source, trace.context
    return Series(name, trace.start, source, period / 1000, values, channels, below, above, context)


def _unbelievable(data: dict[str, Any], tokens: list[str], name: str, place: str) -> Problem | None:
    """Return what contradicts the factor or the limits that the device states for its own numbers."""
    if data.get("factor") == 0:
        return Problem("value", "a factor of zero makes all samples the same", f"{place}.factor", name)
    low, high = data.get("lowerLimit", -inf), data.get("upperLimit", inf)
    if low > high:
        text = "the lower limit is above the upper limit"
        return Problem("value", text, f"{place}.lowerLimit", name)
    if (low, high) == (-inf, inf):
        return None
    if any(not low <= float(each) <= high for each in tokens if each not in _GAPS):
        return Problem("range", "a sample is beyond the limits of the device", f"{place}.data", name)
    return None


def _line(data: dict[str, Any], signal: Signal) -> tuple[float, float] | None:
    """Return the value, in the unit of the signal, of the number 0, and what each 1 adds."""
    origin = data["origin"]
    scale = quantity.scale(signal, origin)
    if scale is None or origin.get("value") is None:
        return None
    return origin["value"] * scale.factor + scale.offset, data.get("factor", 1) * scale.factor


def _ends_after(milliseconds: float, trace: Trace) -> bool:
    try:
        last = trace.start + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return True
    return Moment(last, exact=True).after(trace.origin.now)
