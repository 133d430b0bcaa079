"""A foretold course or a derived number <-> Observation (R4).

A course carries our own code and never that of the measured signal: a forecast must not be taken for a
measurement by whoever searches for glucose. Each quantile is a component, SampledData where the instants
are evenly apart, else one value an instant. What a model derived of a period carries LOINC's code where
there is one, which says itself that it is a summary; an estimate carries its 90 % interval as components.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from fhir_mapping import device, evidence, heading, narrative, timestamps
from fhir_mapping.codes import DERIVED
from fhir_mapping.heading import NOT_FOR_SOLE_USE, Heading, as_we_write
from twin_engine.twin import Course, Summary

FORECAST, QUANTILE = "urn:didymos:forecast", "urn:didymos:quantile"
SUMMARY, BOUND = "urn:didymos:summary", "urn:didymos:bound"
UCUM = "http://unitsofmeasure.org"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
# R4 lets an Observation be derived from these of what twins rest on.
_DERIVABLE = ("Observation/", "MolecularSequence/")


@dataclass(frozen=True, slots=True)
class Derived:
    """A course or a number as one resource; ``basis`` are references with version."""

    heading: Heading
    value: Course | Summary
    basis: tuple[str, ...]


def render(derived: Derived) -> dict[str, Any]:
    """Return the Observation."""
    head, value = derived.heading, derived.value
    said = _course(value) if isinstance(value, Course) else _summary(value)
    resource = heading.render("Observation", head) | {
        "status": "final",
        "subject": {"reference": head.subject},
        "device": device.reference(),
        "text": narrative.render(head.software.title, (said["code"]["text"], NOT_FOR_SOLE_USE)),
        "note": [{"text": NOT_FOR_SOLE_USE}],
        **said,
    }
    rests = [evidence.render(one) for one in derived.basis if one.startswith(_DERIVABLE)]
    return resource | ({"derivedFrom": rests} if rests else {})


@as_we_write("Observation")
def read(resource: dict[str, Any]) -> Derived:
    """Return what ``render`` was given, save what of the basis an Observation cannot name.

    Raises
    ------
    Unusable
        It is not as we write it.
    """
    forecast = any(coding["system"] == FORECAST for coding in resource["code"]["coding"])
    value = _read_course(resource) if forecast else _read_summary(resource)
    return Derived(heading.read(resource), value, evidence.listed(resource.get("derivedFrom", ())))


def _course(course: Course) -> dict[str, Any]:
    first, last = (course.start + timedelta(seconds=course.times[n]) for n in (0, -1))
    return {
        "category": _category("exam"),
        "code": {
            "coding": [{"system": FORECAST, "code": course.signal}],
            "text": f"Forecast, not a measurement: {course.signal}",
        },
        "issued": timestamps.render(course.start),
        "effectivePeriod": {"start": timestamps.render(first), "end": timestamps.render(last)},
        "component": list(_components(course)),
    }


def _components(course: Course) -> Iterator[dict[str, Any]]:
    step = _step(course.times)
    for level, values in course.quantiles:
        if step is not None:
            yield {"code": _own(QUANTILE, f"{level:g}"), "valueSampledData": _sampled(course, step, values)}
            continue
        for at, value in zip(course.times, values, strict=True):
            yield {
                "code": _own(QUANTILE, f"{level:g}@{at!r}"),
                "valueQuantity": _quantity(value, course.unit),
            }


def _step(times: tuple[float, ...]) -> float | None:
    """Return the seconds between the instants where they are evenly apart."""
    steps = {after - before for before, after in pairwise(times)}
    return steps.pop() if len(steps) == 1 else None


def _sampled(course: Course, step: float, values: Iterable[float]) -> dict[str, Any]:
    return {
        "origin": _quantity(0, course.unit),
        "period": step * 1000,
        "dimensions": 1,
        "data": " ".join(repr(value) for value in values),
    }


def _summary(summary: Summary) -> dict[str, Any]:
    known = DERIVED.get(summary.name)
    coding = [*({"system": system, "code": code} for system, code, _ in known.coding)] if known else []
    said: dict[str, Any] = {
        "category": _category("laboratory" if coding else "exam"),
        "code": {
            "coding": [*coding, {"system": SUMMARY, "code": summary.name}],
            "text": known.text if known else summary.name,
        },
        "issued": timestamps.render(summary.end),
        "effectivePeriod": {"start": timestamps.render(summary.start), "end": timestamps.render(summary.end)},
        "valueQuantity": _quantity(summary.value, summary.unit),
    }
    bounds = (("low", summary.low), ("high", summary.high))
    interval = [
        {"code": _own(BOUND, name), "valueQuantity": _quantity(value, summary.unit)}
        for name, value in bounds
        if value is not None
    ]
    return said | ({"component": interval} if interval else {})


def _category(code: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": _CATEGORY, "code": code}]}]


def _own(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _code(concept: dict[str, Any], system: str) -> str:
    return next(str(coding["code"]) for coding in concept["coding"] if coding["system"] == system)


def _read_course(resource: dict[str, Any]) -> Course:
    start = timestamps.read(resource["issued"])
    first = timestamps.read(resource["effectivePeriod"]["start"])
    parts = resource["component"]
    if "valueSampledData" in parts[0]:
        data = [part["valueSampledData"] for part in parts]
        rows = [tuple(float(value) for value in each["data"].split(" ")) for each in data]
        step = data[0]["period"] / 1000
        times = tuple((first - start).total_seconds() + n * step for n in range(len(rows[0])))
        levels = [float(_code(part["code"], QUANTILE)) for part in parts]
        unit = data[0]["origin"]["code"]
    else:
        named = [_code(part["code"], QUANTILE).split("@") for part in parts]
        levels = sorted({float(level) for level, _ in named})
        times = tuple(sorted({float(at) for _, at in named}))
        values = [float(part["valueQuantity"]["value"]) for part in parts]
        rows = [tuple(values[n * len(times) : (n + 1) * len(times)]) for n in range(len(levels))]
        unit = parts[0]["valueQuantity"]["code"]
    return Course(
        _code(resource["code"], FORECAST), unit, start, times, tuple(zip(levels, rows, strict=True))
    )


def _read_summary(resource: dict[str, Any]) -> Summary:
    bounds = {
        _code(part["code"], BOUND): part["valueQuantity"]["value"] for part in resource.get("component", ())
    }
    value, period = resource["valueQuantity"], resource["effectivePeriod"]
    return Summary(
        _code(resource["code"], SUMMARY),
        value["code"],
        value["value"],
        timestamps.read(period["start"]),
        timestamps.read(period["end"]),
        bounds.get("low"),
        bounds.get("high"),
    )
