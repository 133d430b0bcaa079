"""What is known of a marker in the population: ``parameters.toml``, with the sources."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from twin_engine.linear import Noise, Trend


@dataclass(frozen=True, slots=True)
class Population:
    """A marker on the scale it is followed on.

    ``error`` is the SD of one value, ``noise`` how it wanders a year; the priors are (mean, SD), the slopes
    by group.
    """

    error: float
    noise: Noise
    level: tuple[float, float]
    slopes: Mapping[str, tuple[float, float]]

    def prior(self, group: str) -> Trend:
        """Return what is known of somebody of ``group`` who was never measured."""
        (level, level_spread), (slope, slope_spread) = self.level, self.slopes[group]
        return Trend(np.array([level, slope]), np.diag([level_spread**2, slope_spread**2]))


def _population(table: Mapping[str, Any]) -> Population:
    level, slope = table["noise"]
    slopes = {name: (mean, spread) for name, (mean, spread) in table["slopes"].items()}
    return Population(table["error"], Noise(level, slope), (table["level"][0], table["level"][1]), slopes)


def _read() -> dict[str, Population]:
    text = files("twin_engine.models.progression").joinpath("parameters.toml").read_text(encoding="utf-8")
    return {name: _population(table) for name, table in tomllib.loads(text).items()}


POPULATIONS = _read()
