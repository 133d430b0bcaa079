"""How glucose was controlled over the last fourteen full days (UTC)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from twin_engine.models.glucose.metrics import DAYS, ENOUGH, Metrics, grade, metrics, sufficiency
from twin_engine.models.glucose.record import LISTED, Grid, readings
from twin_engine.models.glucose.state import Control
from twin_engine.twin import Evidence, Summary


def controlled(evidence: Evidence, at: datetime) -> Control | None:
    """Return metrics and grade; None where less than 70 % of the days have readings."""
    end = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    grid = Grid(end - timedelta(days=DAYS), end)
    recorded = readings(evidence, grid)
    active = sufficiency(recorded.minutes, 0, grid.minutes)
    if active < ENOUGH:
        return None
    found = metrics(recorded.values)
    summaries = tuple(_summaries(found, active, grid))
    return Control(summaries, grade(found.lbgi), recorded.sources[-LISTED:])


def _summaries(found: Metrics, active: float, grid: Grid) -> Iterator[Summary]:
    named = (
        ("sensor-active", "%", 100 * active),
        ("glucose-mean", "mg/dL", found.mean),
        ("glucose-management-indicator", "%", found.gmi),
        ("glucose-variation", "%", found.cv),
        ("time-in-range", "%", found.in_range),
        ("time-below-70", "%", found.low),
        ("time-below-54", "%", found.very_low),
        ("time-above-180", "%", found.high),
        ("time-above-250", "%", found.very_high),
        ("low-blood-glucose-index", "1", found.lbgi),
        ("high-blood-glucose-index", "1", found.hbgi),
    )
    for name, unit, value in named:
        yield Summary(name, unit, value, grid.start, grid.at)
