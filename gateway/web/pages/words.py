"""How values are said to a clinician: names, units, times with their zone, probabilities."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from fhir_mapping.codes import DERIVED, OUTCOMES, TARGETS, Signal
from fhir_mapping.terms import DOSES
from gateway.operations.switches import Switch
from gateway.web.pages.axes import SHORT
from twin_engine.drift import Record, Verdict
from twin_engine.scoring import Group
from twin_engine.twin import Contribution, Dose, Forecast, Refusal, Risk

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
    "1": "",
    "[iU]": "U",
    "[iU]/h": "U/h",
    "mg/dL/[iU]": "mg/dL per U",
    "g/[iU]": "g per U",
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
_THOUSAND = 999.5
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


def dosed(dose: Dose) -> str:
    """Return how much was given, and until when where it was not at once."""
    units = DOSES[dose.substance].units if dose.substance in DOSES else {}
    amount = f"{dose.amount:.4g} {next(iter(units), '')}".strip()
    return f"{amount} until {moment(dose.until)}" if dose.until else amount


def moment(at: datetime) -> str:
    """Return an instant in the zone of this server, with the zone."""
    local = at.astimezone()
    return f"{day(local)}, {local:%H:%M %Z}"


def day(on: date) -> str:
    """Return a date; the month is a word, so that nobody reads it the other way round."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def ending(until: datetime, since: datetime) -> str:
    """Return when a period ends: to the minute where it is short."""
    return moment(until) if until - since <= SHORT else day(until)


def number(value: float) -> str:
    """Return a number with three figures, whole where it has more before the point."""
    return f"{value:.3g}" if abs(value) < _THOUSAND else f"{value:.0f}"


def percent(probability: float) -> str:
    """Return a probability as per cent with one decimal, rounded half up."""
    rounded = (Decimal(str(probability)) * 100).quantize(_TENTH, ROUND_HALF_UP)
    return "under 0.1 %" if rounded < _TENTH and probability > 0 else f"{rounded} %"


def outcome(key: str) -> str:
    """Return the name of an outcome."""
    return OUTCOMES[key].text if key in OUTCOMES else label(key)


def derived(key: str) -> str:
    """Return the name of a number that a model derived."""
    return DERIVED[key].text if key in DERIVED else label(key)


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


def not_shown(switch: Switch) -> str:
    """Return that a model is not shown at a hospital, since when and why."""
    model = f"{switch.model.upper()} {switch.version} is not shown at this hospital"
    return f"{model}: {switch.said}" if switch.by else f"{model}: nobody has switched it on"


def record(done: Record) -> str:
    """Return how the forecasts of a group did."""
    said = came(done)
    return f"{group(done.group)}: {done.n} forecasts{', ' if said else ''}{said}"


def group(what: Group) -> str:
    """Return what was foretold, and how long before; some names of outcomes say that themselves."""
    named = OUTCOMES[what.what].text if what.what in OUTCOMES else ""
    return named if " within " in named else str(what).capitalize()


def came(done: Record) -> str:
    """Return what came of forecasts."""
    if done.group.kind == "risk":
        return f"{done.observed:g} events where {done.expected:.1f} were expected"
    return "" if done.coverage is None else f"{percent(done.coverage)} of values inside the 90 % interval"


def verdict(found: Verdict) -> str:
    """Return what follows from the outcomes."""
    if found.state == "sound":
        return "Within the limits that the model promises, as far as the outcomes can tell."
    return f"Outside the limits that the model promises: {'; '.join(found.reasons)}."


FILTERS = (
    label,
    unit,
    quantity,
    moment,
    day,
    ending,
    number,
    percent,
    outcome,
    derived,
    grade,
    effect,
    direction,
    figure,
    reason,
    lacking,
    delivery,
    level,
    not_shown,
    record,
    group,
    came,
    verdict,
)
