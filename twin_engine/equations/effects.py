"""Published effects of treatments, so that a plan can change a forecast.

A relative risk was measured between groups of a trial. On a forecast whose baseline already contains
treatment it illustrates; it is no causal statement about one person. A treatment that is already taken has
had its effect: its factor is 1 (``started``). Each entry of ``effects.toml`` names its source and people.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

# Two-sided 95 %: the intervals of the table as standard deviations.
Z95 = 1.959963984540054

TREATMENTS = ("statin", "antihypertensive", "sglt2-inhibitor", "glp1-agonist")


@dataclass(frozen=True, slots=True)
class RelativeRisk:
    """A factor of a risk with its 95 % interval ``low``..``high``, and where it was measured."""

    treatment: str
    outcome: str
    ratio: float
    low: float
    high: float
    said: str
    population: str
    source: str


@dataclass(frozen=True, slots=True)
class MarkerEffect:
    """An effect on a marker: (value, standard deviation) of the shift and of the slowing of its course.

    ``shift`` is in the marker's unit or, where ``relative``, a share of its level, reached linearly over
    ``years``. ``slowing`` is a share of the slope.
    """

    treatment: str
    signal: str
    relative: bool
    years: float
    shift: tuple[float, float]
    slowing: tuple[float, float]
    population: str
    source: str


@dataclass(frozen=True, slots=True)
class Factor:
    """What several treatments together make of a risk: a factor with its 95 % interval."""

    ratio: float = 1.0
    low: float = 1.0
    high: float = 1.0


NO_EFFECT = Factor()


def relative_risk(treatment: str, outcome: str) -> RelativeRisk | None:
    """Return the effect of ``treatment`` on ``outcome``; None where the table has no published one.

    ``outcome`` is ``cardiovascular`` (any major event), ``coronary``, ``stroke``, ``heart-failure``,
    ``kidney`` or ``death``. A statin stands for 1 mmol/L lower LDL cholesterol, antihypertensives for
    5 mm[Hg] lower systolic pressure; the sources find the effect log-linear in these.
    """
    return _RISKS.get((treatment, outcome))


def marker_effect(treatment: str, signal: str) -> MarkerEffect | None:
    """Return the effect of ``treatment`` on the marker ``signal``; None where the table has none."""
    return _MARKERS.get((treatment, signal))


def started(treatments: Mapping[str, bool], taken: Iterable[str]) -> tuple[str, ...]:
    """Return what a plan begins: what it gives and is not taken already."""
    already = set(taken)
    return tuple(sorted(name for name, given in treatments.items() if given and name not in already))


def stopped(treatments: Mapping[str, bool], taken: Iterable[str]) -> tuple[str, ...]:
    """Return what a plan ends: what it withholds and is taken."""
    already = set(taken)
    return tuple(sorted(name for name, given in treatments.items() if not given and name in already))


def combined(treatments: Iterable[str], outcome: str) -> Factor:
    """Return the factor of ``treatments`` together on ``outcome``.

    Relative risks are multiplied, as if the treatments acted independently; the variances of their logarithms
    are added.
    """
    found = [risk for risk in (relative_risk(name, outcome) for name in treatments) if risk is not None]
    if not found:
        return NO_EFFECT
    middle = math.fsum(math.log(risk.ratio) for risk in found)
    spread = math.sqrt(math.fsum((math.log(risk.high / risk.low) / (2 * Z95)) ** 2 for risk in found))
    return Factor(math.exp(middle), math.exp(middle - Z95 * spread), math.exp(middle + Z95 * spread))


def _read() -> dict[str, Any]:
    text = files("twin_engine.equations").joinpath("effects.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _risk(entry: Mapping[str, Any], standard: Mapping[str, float]) -> RelativeRisk:
    power = standard[entry["treatment"]] / entry["per"] if "per" in entry else 1.0
    ratio, low, high = (entry[name] ** power for name in ("ratio", "low", "high"))
    said = (entry[name] for name in ("said", "population", "source"))
    return RelativeRisk(entry["treatment"], entry["outcome"], ratio, low, high, *said)


def _marker(entry: Mapping[str, Any]) -> MarkerEffect:
    return MarkerEffect(
        entry["treatment"],
        entry["signal"],
        entry["scale"] == "relative",
        entry["weeks"] * 7 / 365.25,
        _estimate(entry, "shift"),
        _estimate(entry, "slowing"),
        entry["population"],
        entry["source"],
    )


def _estimate(entry: Mapping[str, Any], name: str) -> tuple[float, float]:
    return entry[name], (entry[f"{name}_high"] - entry[f"{name}_low"]) / (2 * Z95)


_TABLE = _read()
_RISKS = {
    (entry["treatment"], entry["outcome"]): _risk(entry, _TABLE["standard"])
    for entry in _TABLE["relative_risk"]
}
_MARKERS = {(entry["treatment"], entry["signal"]): _marker(entry) for entry in _TABLE["marker"]}
