"""From evidence to the state of the type 1 diabetes twin."""

from __future__ import annotations

from datetime import datetime, timedelta

from twin_engine import screening
from twin_engine.models.glucose import control
from twin_engine.models.glucose.card import GLUCOSE, INPUTS, UNMODELLED, WEIGHT
from twin_engine.models.glucose.following import MEMORY, Followed, followed, onward, week
from twin_engine.models.glucose.record import LISTED, Given, Grid, Readings, given, newest, readings
from twin_engine.models.glucose.state import Ahead, State
from twin_engine.models.glucose.underway import underway
from twin_engine.twin import Absence, Condition, Evidence, Measurement

AHEAD = 480  # minutes
_RECENT = 360  # minutes of readings that stay in the state
_TWO_DAYS = timedelta(days=2)


def assimilated(state: State, evidence: Evidence, at: datetime) -> State:
    """Return what follows from ``evidence`` at ``at``; ``state`` gives only checkpoints to go on from."""
    grid = week(at)
    recorded, inputs = readings(evidence, grid), given(evidence, grid, MEMORY)
    weight = _weight(evidence, at)
    before = state.filter.checkpoints if state.filter else ()
    here = followed(recorded, inputs, grid, weight.value if weight and _usable(weight, at) else None, before)
    return State(
        at=at,
        subject=evidence.subject,
        conditions=_conditions(evidence),
        newest=newest(evidence, grid),
        weight=weight,
        absences=_absences(evidence, at),
        unmodelled=_unmodelled(evidence, at),
        filter=here,
        ahead=None if here is None else _ahead(inputs, grid, here),
        recent=_recent(recorded, grid),
        control=control.controlled(evidence, at),
        underway=None if here is None else underway(evidence, grid, here.basal),
        sources=_sources(recorded, inputs, weight),
    )


def _weight(evidence: Evidence, at: datetime) -> Measurement | None:
    return screening.newest(screening.known(evidence.measurements, at), WEIGHT.name)


def _usable(weight: Measurement, at: datetime) -> bool:
    return screening.doubt(WEIGHT, weight, at) is None


def _conditions(evidence: Evidence) -> tuple[Condition, ...]:
    records = set(evidence.conditions)
    return tuple(one for name in INPUTS.conditions for one in screening.lasting(records, name))


def _absences(evidence: Evidence, at: datetime) -> tuple[Absence, ...]:
    last = screening.newest(screening.known(evidence.absences, at), GLUCOSE.name)
    return () if last is None else (last,)


def _unmodelled(evidence: Evidence, at: datetime) -> bool:
    """Tell whether insulin whose absorption is not modelled is still at work."""
    return any(dose.substance in UNMODELLED and at - _TWO_DAYS <= dose.time <= at for dose in evidence.doses)


def _ahead(inputs: Given, grid: Grid, here: Followed) -> Ahead:
    rest = onward(inputs, grid, AHEAD, here.basal)
    return Ahead(rest.insulin, rest.slow)


def _recent(recorded: Readings, grid: Grid) -> Readings:
    kept = recorded.minutes >= grid.minutes - _RECENT
    return Readings(recorded.minutes[kept] - grid.minutes, recorded.values[kept], ())


def _sources(recorded: Readings, inputs: Given, weight: Measurement | None) -> tuple[str, ...]:
    """Return what the state rests on: all doses and meals, and the newest readings."""
    own = () if weight is None else (weight.source,)
    return tuple(sorted({*recorded.sources[-LISTED:], *inputs.sources[-LISTED:], *own}))
