"""Parameters of ``$simulate`` -> a plan to try on a twin, and a simulated path -> Parameters.

Parameters in: ``hours`` (valueDecimal), and any number of

- ``dose``: parts ``substance`` (valueCode), ``amount`` (valueDecimal, in the substance's unit), ``after``
  (valueDecimal, minutes from now) and ``over`` (valueDecimal, minutes);
- ``scaled``: parts ``substance`` (valueCode) and ``factor`` (valueDecimal);
- ``signal``: parts ``name`` (valueCode) and ``value`` (valueDecimal, in the signal's unit);
- ``treatment``: parts ``name`` (valueCode) and ``given`` (valueBoolean).

Out come ``start`` and, for each value, its courses as Observations; a model that will not try the plan
answers with its reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from fhir_mapping import course_observation, guard, timestamps, validation
from fhir_mapping.course_observation import Derived
from fhir_mapping.errors import Unusable
from fhir_mapping.heading import Heading
from twin_engine.twin import Course, Dose, Plan, Trajectory

LIMITS = guard.Limits(size=64_000, depth=12, nodes=2_000)
_LONGEST = 24 * 366 * 50.0  # hours
_VALUE = "Parameters.parameter.value"
_Value = TypeVar("_Value", float, str, bool)


@dataclass(frozen=True, slots=True)
class Trial:
    """A plan as it was asked for, until when."""

    plan: Plan
    until: datetime


def read(body: bytes, now: datetime) -> Trial:
    """Return what is to be tried from ``now`` on.

    Raises
    ------
    Unusable
        The body is not valid Parameters, or names what no plan has.
    """
    resource = guard.resource(body, LIMITS)
    if resource["resourceType"] != "Parameters":
        raise Unusable("structure", "the body is not Parameters", 422, "resourceType")
    validation.check(resource)
    named: dict[str, list[dict[str, Any]]] = {}
    for each in resource.get("parameter", ()):
        named.setdefault(each["name"], []).append(each)
    if set(named) - {"hours", *_PARTS} or len(named.get("hours", ())) != 1:
        text = "the parameters are hours, once, and dose, scaled, signal and treatment"
        raise Unusable("not-supported", text, 422, "Parameters.parameter.name")
    hours = _value(named["hours"][0], float)
    if not 0 < hours <= _LONGEST:
        raise Unusable(
            "value", "hours are more than 0 and at most 50 years", 422, "Parameters.parameter.value"
        )
    plan = Plan(
        signals=dict(_signal(each) for each in named.get("signal", ())),
        treatments=dict(_treatment(each) for each in named.get("treatment", ())),
        doses=tuple(_dose(each, now) for each in named.get("dose", ())),
        scaled=dict(_scaled(each) for each in named.get("scaled", ())),
    )
    return Trial(plan, now + timedelta(hours=hours))


def render(head: Heading, path: Trajectory, identify: Callable[[str], str]) -> dict[str, Any]:
    """Return what a trial shows; ``identify`` gives the id of the course of a value."""
    courses = path.courses or tuple(_bare(path))
    observations = [
        course_observation.render(Derived(_headed(head, identify(course.signal)), course, ()))
        for course in courses
    ]
    said = [{"name": "course", "resource": each} for each in observations]
    start = {"name": "start", "valueDateTime": timestamps.render(path.start)}
    return {"resourceType": "Parameters", "parameter": [start, *said]}


def _headed(head: Heading, identifier: str) -> Heading:
    return Heading(identifier, head.subject, (head.identifier[0], identifier), head.software, head.labels)


def _bare(path: Trajectory) -> Iterable[Course]:
    """Yield a path that comes without its uncertainty, a probability or score, as its median alone."""
    for name, values in path.values.items():
        yield Course(name, "1", path.start, path.times, ((0.5, values),))


_PARTS = {
    "dose": {"substance", "amount", "after", "over"},
    "scaled": {"substance", "factor"},
    "signal": {"name", "value"},
    "treatment": {"name", "given"},
}


def _parts(parameter: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {each["name"]: each for each in parameter.get("part", ())}
    if len(found) != len(parameter.get("part", ())) or set(found) - _PARTS[parameter["name"]]:
        raise Unusable(
            "not-supported", "a part is named twice or unknown", 422, "Parameters.parameter.part.name"
        )
    return found


def _value(parameter: dict[str, Any] | None, kind: type[_Value]) -> _Value:
    """Return the value of a parameter, in whichever of FHIR's types of its kind it came."""
    values = [value for key, value in (parameter or {}).items() if key.startswith("value")]
    wanted = (int, float) if kind is float else (kind,)
    # To Python a truth value is an integer too.
    if len(values) == 1 and isinstance(values[0], wanted) and (kind is bool) == isinstance(values[0], bool):
        return kind(values[0])
    raise Unusable("required", "a part of the plan is missing or of another type", 422, _VALUE)


def _signal(parameter: dict[str, Any]) -> tuple[str, float]:
    parts = _parts(parameter)
    return _value(parts.get("name"), str), _value(parts.get("value"), float)


def _treatment(parameter: dict[str, Any]) -> tuple[str, bool]:
    parts = _parts(parameter)
    return _value(parts.get("name"), str), _value(parts.get("given"), bool)


def _scaled(parameter: dict[str, Any]) -> tuple[str, float]:
    parts = _parts(parameter)
    return _value(parts.get("substance"), str), _value(parts.get("factor"), float)


def _dose(parameter: dict[str, Any], now: datetime) -> Dose:
    parts = _parts(parameter)
    after, over = (_value(parts[name], float) if name in parts else 0.0 for name in ("after", "over"))
    if not (0 <= after <= _LONGEST * 60 and 0 <= over <= _LONGEST * 60):
        raise Unusable(
            "value", "a dose is given from now on, over minutes", 422, "Parameters.parameter.part.value"
        )
    time = now + timedelta(minutes=after)
    until = time + timedelta(minutes=over) if over else None
    return Dose(_value(parts.get("substance"), str), time, "", _value(parts.get("amount"), float), until)
