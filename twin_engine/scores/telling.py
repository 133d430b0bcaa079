"""A score for a clinician: what moved it, on which value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from twin_engine import screening
from twin_engine.model import Inputs
from twin_engine.scores.choice import NEVER, Used
from twin_engine.twin import Contribution, Subject


@dataclass(frozen=True, slots=True)
class Telling:
    """``said`` names the inputs where ``screening.said`` would not; ``moved`` is what a weight multiplies."""

    inputs: Inputs
    moved: str
    said: Mapping[str, str]

    def contributions(
        self, subject: Subject, age: float, used: Mapping[str, Used], weights: Mapping[str, float]
    ) -> tuple[Contribution, ...]:
        """Return what ``age`` and each input add on the logarithmic scale, the largest first."""
        aged = {**used, "age": Used(age, (subject.source,), NEVER)}
        ordered = sorted(weights, key=lambda name: (-abs(weights[name]), name))
        return tuple(self._contribution(aged.get(name), name, weights[name]) for name in ordered)

    def _contribution(self, used: Used | None, name: str, weight: float) -> Contribution:
        value = self._value(name, used)
        source = next(iter(used.sources if used else ()), None)
        return Contribution(name, value, weight, source, f"{self.name(name)} {value} {self._effect(weight)}.")

    def name(self, name: str) -> str:
        """Return an input as it begins a sentence."""
        said = self.said.get(name) or screening.said(name)
        return said[0].upper() + said[1:]

    def _value(self, name: str, used: Used | None) -> str:
        if used is None:
            return "not known"
        units = {"age": "a"} | {signal.name: signal.unit for signal in self.inputs.signals}
        if name in units:
            return f"{used.value:.4g} {units[name]}"
        if any(name == finding.name for finding in self.inputs.findings):
            return used.how
        return "yes" if used.value else "no"

    def _effect(self, weight: float) -> str:
        if weight == 0:
            return "leaves the risk where the reference person has it"
        way = "raises" if weight > 0 else "lowers"
        return f"{way} {self.moved} by a factor of {math.exp(weight):.2f}"


def percent(probability: float) -> str:
    """Return the percentage with one decimal, rounded half up as published."""
    return str((Decimal(str(probability)) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP))
