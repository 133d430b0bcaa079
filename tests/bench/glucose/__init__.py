"""Type 1 diabetes: simulation beside simglucose, filter beside filterpy. A section is a line here."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.figures import Figure
from tests.bench.glucose import filtering, simulation

SECTIONS: tuple[Callable[[bool], tuple[list[Figure], list[str]]], ...] = (
    simulation.measure,
    filtering.measure,
)


def measure(short: bool) -> tuple[list[Figure], list[str]]:
    """Measure every section."""
    figures: list[Figure] = []
    notes: list[str] = []
    for section in SECTIONS:
        found, said = section(short)
        figures += found
        notes += said
    return figures, notes
