"""What every single answer of a model must hold, whatever the evidence."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import pairwise

from twin_engine.twin import Course, Forecast, Refusal, Risk, Summary, Trajectory


class Nonconformance(Exception):
    """A model breaks the contract; the text says which law and how."""


def refusal_holds(refusal: Refusal) -> None:
    """A refusal states its reasons, and a retry after it."""
    if not refusal.reasons or any(not reason.text.strip() for reason in refusal.reasons):
        raise Nonconformance("refusal: a refusal states its reasons")
    if refusal.retry is not None and refusal.retry <= refusal.at:
        raise Nonconformance("refusal: retry is not after the refusal")


def forecast_holds(forecast: Forecast) -> None:
    """A forecast expires later, says something and holds finite numbers."""
    if not forecast.expires > forecast.at:
        raise Nonconformance("expiry: a forecast expires after it is made")
    if not forecast.risks or not forecast.rationale.strip():
        raise Nonconformance("forecast: risks and a rationale are stated")
    weights = [part.weight for part in forecast.contributions]
    if not all(math.isfinite(number) for number in (*weights, forecast.score or 0.0)):
        raise Nonconformance("forecast: a score or weight is not finite")
    for risk in forecast.risks:
        _risk_holds(risk, forecast.at)
    for course in forecast.courses:
        course_holds(course)
    for summary in forecast.summaries:
        _summary_holds(summary)


def _risk_holds(risk: Risk, at: datetime) -> None:
    if risk.probability is None and not risk.qualitative:
        raise Nonconformance("risk: neither a probability nor a grade")
    numbers = [number for number in (risk.low, risk.probability, risk.high) if number is not None]
    if not all(0 <= number <= 1 for number in numbers):
        raise Nonconformance("risk: a probability is outside 0 to 1")
    if numbers != sorted(numbers):
        raise Nonconformance("risk: a probability is outside its interval")
    if risk.until is not None and risk.until <= at:
        raise Nonconformance("risk: the period ends before it begins")


def course_holds(course: Course) -> None:
    """A course goes forward, has a median, and a higher level is nowhere below a lower one."""
    levels = [level for level, _ in course.quantiles]
    if 0.5 not in levels or levels != sorted(set(levels)) or not levels[0] > 0 or not levels[-1] < 1:
        raise Nonconformance("course: levels are to rise within 0 to 1, the median among them")
    if not course.times or any(b <= a for a, b in pairwise(course.times)):
        raise Nonconformance("course: times are to rise")
    values = [values for _, values in course.quantiles]
    if any(len(each) != len(course.times) for each in values):
        raise Nonconformance("course: each level needs one number a time")
    if not all(math.isfinite(value) for each in values for value in each):
        raise Nonconformance("course: a value is not finite")
    if any(low > high for one, other in pairwise(values) for low, high in zip(one, other, strict=True)):
        raise Nonconformance("course: the quantiles cross")


def _summary_holds(summary: Summary) -> None:
    numbers = [number for number in (summary.low, summary.value, summary.high) if number is not None]
    if not all(math.isfinite(number) for number in numbers) or numbers != sorted(numbers):
        raise Nonconformance("summary: a number is not finite or outside its interval")
    if not summary.unit.strip() or summary.end <= summary.start:
        raise Nonconformance("summary: it needs a unit and a period")


def path_holds(path: Trajectory) -> None:
    """A path starts now, goes forward and is finite."""
    if not path.times or path.times[0] != 0 or any(b <= a for a, b in pairwise(path.times)):
        raise Nonconformance("simulation: times are to rise from 0")
    if not path.values or any(len(values) != len(path.times) for values in path.values.values()):
        raise Nonconformance("simulation: each value needs one number a time")
    if not all(math.isfinite(value) for values in path.values.values() for value in values):
        raise Nonconformance("simulation: a value is not finite")
    for course in path.courses:
        course_holds(course)
