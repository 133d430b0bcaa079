"""How values are said to a clinician: names, units, times with their zone, probabilities."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from fhir_mapping.codes import OUTCOMES, TARGETS, Signal
from twin_engine.twin import Contribution, Forecast, Refusal, Risk

_NAMES = {
    "age": "Age",
    "egfr": "eGFR",
    "hdl-cholesterol": "HDL cholesterol",
    "spo2-scale": "SpO₂ scale",
    "birth-date": "Date of birth",
}
_UNITS = {
    "mm[Hg]": "mmHg",
    "kg/m2": "kg/m²",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "Cel": "°C",
    "a": "years",
}
_SIGNAL_UNITS = {target.name: target.unit for target in TARGETS.values() if isinstance(target, Signal)}
_REASONS = {
    "missing-input": "Missing",
    "stale-input": "Too old",
    "out-of-range": "Outside the range the model accepts",
    "out-of-scope": "Outside the model's scope",
    "unit": "Unit not usable",
    "unconfirmed": "Not confirmed",
}
_DELIVERIES = {
    "pending": "On its way to the EHR.",
    "intended": "On its way to the EHR.",
    "parked": "The EHR did not say whether it was stored; this is being looked up.",
    "kept": "Kept here; this EHR takes no risk assessments.",
    "refused": "The EHR did not take it; it is kept here.",
    "withheld": "Withheld from the EHR; it is kept here.",
}
_LEVELS = {
    "verified": "Verified: it computes what its publication says.",
    "validated": "Validated: scored here on people it had not seen.",
    "illustrative": "Illustrative: not evidence for care.",
}
_FEW = 2
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIMES, _MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"
_TENTH = Decimal("0.1")


def label(name: str) -> str:
    """Return a name of the engine as words."""
    return _NAMES.get(name) or name.replace("-", " ").capitalize()


def unit(code: str) -> str:
    """Return a UCUM unit as it is written on charts."""
    return _UNITS.get(code, code)


def quantity(said: str) -> str:
    """Return ``132 mm[Hg]`` as ``132 mmHg``; other texts stay as they are."""
    value, _, code = said.partition(" ")
    return f"{value} {unit(code)}" if code else said.replace("-", " ")


def measured(signal: str, value: float) -> str:
    """Return a value of a signal with its unit."""
    return f"{value:.4g} {unit(_SIGNAL_UNITS.get(signal, ''))}".strip()


def moment(at: datetime) -> str:
    """Return an instant in the zone of this server, with the zone."""
    local = at.astimezone()
    return f"{day(local)}, {local:%H:%M %Z}"


def day(on: date) -> str:
    """Return a date; the month is a word, so that nobody reads it the other way round."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def percent(probability: float) -> str:
    """Return a probability as per cent with one decimal, rounded half up."""
    rounded = (Decimal(str(probability)) * 100).quantize(_TENTH, ROUND_HALF_UP)
    return "under 0.1 %" if rounded < _TENTH and probability > 0 else f"{rounded} %"


def outcome(key: str) -> str:
    """Return the name of an outcome."""
    return OUTCOMES[key].text if key in OUTCOMES else label(key)


def grade(qualitative: str) -> str:
    """Return a qualitative risk as words."""
    return f"{qualitative.replace('-', ' to ').capitalize()} risk"


def points(score: float) -> str:
    """Return a score; one point is singular."""
    return f"{score:g} point" if abs(score) == 1 else f"{score:g} points"


def effect(contribution: Contribution, scale: str) -> str:
    """Return how far an input moved the result, in the unit of the model's scale."""
    weight = contribution.weight
    if scale == "log-odds":
        return f"odds {_TIMES} {math.exp(weight):.2f}"
    if scale == "points":
        return "0 points" if weight == 0 else f"{'+' if weight > 0 else _MINUS}{points(abs(weight))}"
    return f"{weight:+.3g} {scale}"


def direction(contribution: Contribution) -> str:
    """Return whether an input raised or lowered the risk."""
    if contribution.weight == 0:
        return "no change"
    return "raises" if contribution.weight > 0 else "lowers"


def figure(forecast: Forecast) -> str:
    """Return the figure that stands for a forecast."""
    if forecast.score is not None:
        return points(forecast.score)
    first = forecast.risks[0] if forecast.risks else None
    if first is None:
        return "no figure"
    return _said(first)


def _said(risk: Risk) -> str:
    if risk.probability is not None:
        return percent(risk.probability)
    return grade(risk.qualitative) if risk.qualitative else "no figure"


def reason(code: str) -> str:
    return _REASONS.get(code, label(code))


def lacking(refusal: Refusal) -> str:
    """Return what stands in the way of an assessment, in few words."""
    names = list(dict.fromkeys(label(reason.signal) for reason in refusal.reasons))
    shown = ", ".join(names[:_FEW])
    return f"{shown} and {len(names) - _FEW} more" if len(names) > _FEW else shown


def delivery(state: str) -> str:
    return _DELIVERIES.get(state, "Not known.")


def level(evidence: str) -> str:
    return _LEVELS[evidence]


FILTERS = (
    label,
    quantity,
    moment,
    day,
    percent,
    outcome,
    grade,
    effect,
    direction,
    figure,
    reason,
    lacking,
    delivery,
    level,
)
