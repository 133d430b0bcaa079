"""From the record to the values of a marker that a twin follows, and whether it may."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from twin_engine import screening
from twin_engine.linear import Observation, Trend, filtered, foretold
from twin_engine.model import Inputs, Signal
from twin_engine.models.progression.parameters import Population
from twin_engine.twin import Absence, Condition, Evidence, Measurement, Reason, Subject, Treatment

NEVER = datetime.max.replace(tzinfo=UTC)
WINDOW = timedelta(days=3653)
YEAR = timedelta(days=365.25)


@dataclass(frozen=True, slots=True)
class State:
    """Every value of the marker as of ``at``, the newest of the rest, and the conditions and treatments."""

    at: datetime
    subject: Subject
    measurements: tuple[Measurement, ...] = ()
    conditions: tuple[Condition, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    absences: tuple[Absence, ...] = ()

    @classmethod
    def of(cls, evidence: Evidence, at: datetime, inputs: Inputs) -> State:
        """Keep of ``evidence`` what ``inputs`` name."""
        names = {signal.name for signal in inputs.signals}
        known = screening.known(evidence.measurements, at)
        absences = screening.known(evidence.absences, at)
        absent = (screening.newest(absences, signal.name) for signal in inputs.signals)
        conditions = (screening.lasting(set(evidence.conditions), name) for name in inputs.conditions)
        treatments = (screening.lasting(set(evidence.treatments), name) for name in inputs.treatments)
        return cls(
            at,
            evidence.subject,
            tuple(sorted({item for item in known if item.signal in names})),
            tuple(record for records in conditions for record in records),
            tuple(record for records in treatments for record in records),
            tuple(item for item in absent if item is not None),
        )


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the marker as it is followed."""

    time: datetime
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Selected:
    """What is known of a person: the trend of the marker at the instant asked, and what it rests on.

    ``group`` is the part of the population that the prior is of, ``count`` how many values were followed;
    ``taken`` are the treatments that are taken, ``doubtful`` those of which that is not clear.
    """

    trend: Trend
    group: str
    count: int
    taken: tuple[str, ...]
    doubtful: tuple[str, ...]
    sources: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a forecast rests on: a yes or no, its sources, and until when it holds."""

    holds: bool
    sources: tuple[str, ...] = ()
    until: datetime = NEVER


def values(
    state: State, signal: Signal, at: datetime, read: Callable[[Measurement], float | None]
) -> tuple[Value, ...] | Reason:
    """Return the values of ``signal`` as ``read``, one a month, or why the newest cannot be used.

    Values taken within days of each other share what moved them, so of each calendar month (UTC) the middle
    one stands for all, the lower of two. An earlier value out of range is left out; values older than ten
    years are. ``read`` gives None for a value that it cannot read.
    """
    newest = screening.newest(state.measurements, signal.name)
    doubt = screening.doubt(signal, newest, at, state.absences)
    if doubt is not None or newest is None:
        return doubt or Reason("missing-input", signal.name, "Not known.")
    months: dict[tuple[int, int], list[Value]] = {}
    for item in state.measurements:
        if item.signal != signal.name or item.time < at - WINDOW or screening.doubt(signal, item, item.time):
            continue
        value = read(item)
        if value is not None:
            month = item.time.astimezone(UTC)
            months.setdefault((month.year, month.month), []).append(Value(item.time, value, item.source))
    return tuple(_middle(months[month]) for month in sorted(months))


def _middle(month: list[Value]) -> Value:
    ordered = sorted(month, key=lambda each: (each.value, each.time, each.source))
    return ordered[(len(ordered) - 1) // 2]


def trend(series: Iterable[Value], population: Population, group: str, at: datetime) -> Trend:
    """Return what is known at ``at`` of somebody of ``group`` with ``series``, which is not empty.

    Time is in years from ``at``.
    """
    observations = [Observation((each.time - at) / YEAR, each.value, population.error**2) for each in series]
    start = min(each.time for each in observations)
    path = filtered(population.prior(group), start, observations, population.noise)
    # A clock may run ahead of ours: what was measured just now is not carried back.
    return foretold(path.filtered[-1], max(-path.observations[-1].time, 0.0), population.noise)


def selected(
    state: State,
    series: tuple[Value, ...],
    population: Population,
    group: str,
    parts: Iterable[Part],
    names: Iterable[str],
    at: datetime,
) -> Selected:
    """Put together what a forecast rests on; ``names`` are the treatments whose use matters to a plan."""
    treated = {name: recorded(name, state.treatments, at) for name in names}
    every = [*parts, *(part for part in treated.values() if isinstance(part, Part))]
    sources = {state.subject.source, *(each.source for each in series)}
    return Selected(
        trend(series, population, group, at),
        group,
        len(series),
        tuple(name for name, part in treated.items() if isinstance(part, Part) and part.holds),
        tuple(name for name, part in treated.items() if isinstance(part, Reason)),
        tuple(sorted(sources.union(*(part.sources for part in every)))),
        min((part.until for part in every), default=NEVER),
    )


def recorded(name: str, records: Iterable[screening.Lasting], at: datetime) -> Part | Reason:
    """Answer yes from an active record, no from ended ones or none; a record in doubt answers neither."""
    mine = screening.lasting(records, name)
    active = [record for record in mine if record.active_at(at)]
    if not active and any(record.doubtful_at(at) for record in mine):
        return unconfirmed(name)
    sources = tuple(record.source for record in active or mine)
    return Part(bool(active), sources, min(screening.turns(active, at), default=NEVER))


def excluded(name: str, records: Iterable[Condition], text: str) -> Reason | None:
    """Return why a person with any record of the condition ``name``, active or past, is out of scope."""
    mine = screening.lasting(records, name)
    if any(record.confirmed for record in mine):
        return Reason("out-of-scope", name, text)
    return unconfirmed(name) if mine else None


def person(subject: Subject, at: datetime, ages: tuple[int, int]) -> Iterable[Reason]:
    """Yield why there is no forecast for ``subject``."""
    if subject.deceased:
        yield Reason("out-of-scope", "deceased", "The person has died.")
    age = subject.age_at(at)
    if age is None:
        yield Reason("missing-input", "birth-date", "No complete date of birth is recorded.")
    elif not ages[0] <= age <= ages[1]:
        yield Reason("out-of-scope", "birth-date", f"The model is used for {ages[0]} to {ages[1]} years.")


def unconfirmed(name: str) -> Reason:
    """Return that a record of ``name`` says neither yes nor no."""
    return Reason(
        "unconfirmed", name, f"A record of {screening.said(name)} is not confirmed or could not be read."
    )
