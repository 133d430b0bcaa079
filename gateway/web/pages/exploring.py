"""The therapy explorer: a form of doses, and what the twin makes of them beside doing nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import BadRequest
from twin_engine.model import Model
from twin_engine.twin import Dose, Plan

FAST, FOOD = "fast-acting-insulin", "carbohydrate-intake"
HOURS = 6


@dataclass(frozen=True, slots=True)
class Field:
    """One number that the form asks for."""

    name: str
    label: str
    unit: str
    usual: float
    most: float
    step: float


FIELDS = (
    Field("bolus", "Bolus of fast-acting insulin", "U", 0, 50, 0.1),
    Field("food", "Carbohydrates eaten", "g", 0, 300, 1),
    Field("after", "Minutes from now until they are eaten", "min", 0, 240, 5),
    Field("basal", "Basal rate of the pump", "% of now", 100, 300, 5),
)


def explorable(model: Model) -> bool:
    """Tell whether a model takes what the form asks for."""
    return FAST in model.inputs.doses and any(signal.name == FOOD for signal in model.inputs.signals)


def asked(form: Mapping[str, str]) -> dict[str, float]:
    """Return the numbers of the form.

    Raises
    ------
    BadRequest
        One is missing, no number, or out of its range.
    """
    return {field.name: _number(field, form.get(field.name, "")) for field in FIELDS}


def _number(field: Field, text: str) -> float:
    try:
        value = float(text.strip() or "nan")
    except ValueError:
        value = math.nan
    if not 0 <= value <= field.most:
        raise BadRequest(f"{field.label} is a number from 0 to {field.most:g} {field.unit}")
    return value


def plan(numbers: Mapping[str, float], now: datetime) -> Plan:
    """Return what is to be tried from ``now`` on."""
    doses = []
    if numbers["bolus"]:
        doses.append(Dose(FAST, now, "", numbers["bolus"]))
    if numbers["food"]:
        doses.append(Dose(FOOD, now + timedelta(minutes=numbers["after"]), "", numbers["food"]))
    return Plan(doses=tuple(doses), scaled={FAST: numbers["basal"] / 100})
