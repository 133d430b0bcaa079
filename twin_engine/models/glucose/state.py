"""What the type 1 diabetes twin knows of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin_engine.models.glucose.following import Followed
from twin_engine.models.glucose.minimal import Array
from twin_engine.models.glucose.record import Readings
from twin_engine.twin import Absence, Condition, Measurement, Subject, Summary


@dataclass(frozen=True, slots=True)
class Control:
    """How glucose was controlled over whole days: metrics, and the grade of the risk of severe lows."""

    summaries: tuple[Summary, ...]
    grade: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ahead:
    """Inputs that are given already and go on, U/min (n,): basal and what remains of long-acting insulin."""

    insulin: Array
    slow: Array


@dataclass(frozen=True, slots=True)
class Underway:
    """What is recorded and goes on: see ``underway``.

    Insulin ``on_board`` and given in the last ``day`` in U; whether it is ``pumped``, and the ``rate`` of the
    pump in U/h, None where it is not known; the newest bolus; food in g/min of the next minutes (n,).
    """

    on_board: float
    day: float
    pumped: bool
    rate: float | None
    bolus_at: datetime | None
    eating: Array


@dataclass(frozen=True, slots=True)
class State:
    """As of ``at``: the filter, the readings of the last hours, and what the last days amount to."""

    at: datetime
    subject: Subject
    conditions: tuple[Condition, ...] = ()
    newest: Measurement | None = None
    weight: Measurement | None = None
    absences: tuple[Absence, ...] = ()
    unmodelled: bool = False
    filter: Followed | None = None
    ahead: Ahead | None = None
    recent: Readings | None = None
    control: Control | None = None
    underway: Underway | None = None
    sources: tuple[str, ...] = ()
