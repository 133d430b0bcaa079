"""One input of a score as it is used, or the reason why it cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from twin_engine import screening
from twin_engine.model import Signal
from twin_engine.scores.record import Record
from twin_engine.twin import (
    UNREAD_MEDICATION,
    Condition,
    Finding,
    Measurement,
    Reason,
    Subject,
    Treatment,
)
from twin_engine.years import next_birthday

P = TypeVar("P")
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Used:
    """One input as used: where it came from, until when it holds, and how it was come by."""

    value: float
    sources: tuple[str, ...]
    until: datetime
    how: str = "as reported"


Part = Used | Reason


@dataclass(frozen=True, slots=True)
class Selected(Generic[P]):
    """What an equation takes, with the trace of each part by the engine's name for it.

    ``left`` are the reasons why inputs that are not needed are not used.
    """

    profile: P
    used: Mapping[str, Used]
    until: datetime
    left: tuple[Reason, ...] = ()

    def basis(self, subject: Subject) -> tuple[str, ...]:
        """Return every source that the forecast rests on."""
        return tuple(sorted({subject.source, *(src for part in self.used.values() for src in part.sources)}))


def selected(profile: P, used: Mapping[str, Used], record: Record, at: datetime) -> Selected[P]:
    """Return the selection, which holds until the next birthday or until a part of it ends."""
    ends = [part.until for part in used.values()]
    birthday = next_birthday(record.subject, at)
    return Selected(profile, used, min([*ends, *([birthday] if birthday else [])]))


def usable(parts: Mapping[str, Part]) -> dict[str, Used]:
    """Return the parts that can be used."""
    return {name: part for name, part in parts.items() if isinstance(part, Used)}


def doubts(parts: Mapping[str, Part]) -> tuple[Reason, ...]:
    """Return the reasons why the other parts cannot be used."""
    return tuple(part for part in parts.values() if isinstance(part, Reason))


def living(subject: Subject, at: datetime, ages: tuple[int, int], text: str) -> Iterator[Reason]:
    """Yield why a person who is dead or not of ``ages`` is out of scope; ``text`` says which ages are."""
    if subject.deceased:
        yield Reason("out-of-scope", "deceased", "The person has died.")
    age = subject.age_at(at)
    if age is None:
        yield Reason("missing-input", "birth-date", "No complete date of birth is recorded.")
    elif not ages[0] <= age <= ages[1]:
        yield Reason("out-of-scope", "birth-date", text)


def sexed(subject: Subject) -> Iterator[Reason]:
    """Yield why a score that is made for women and men does not speak."""
    if subject.sex is None:
        yield Reason("missing-input", "sex", "No sex for clinical use, female or male, is recorded.")


def excluded(record: Record, names: Iterable[str], why: str) -> Iterator[Reason]:
    """Yield why a condition that was ever recorded puts the person out of scope."""
    for name in names:
        records = screening.lasting(record.conditions, name)
        if any(each.confirmed for each in records):
            yield Reason("out-of-scope", name, f"A record of {screening.said(name)}: {why}")
        elif records:
            yield unconfirmed(name)


def reported(record: Record, signal: Signal, at: datetime) -> Part:
    """Return the newest value of ``signal``."""
    item = screening.newest(record.measurements, signal.name)
    doubt = screening.doubt(signal, item, at, record.absences)
    if doubt is not None or item is None:
        return doubt or Reason("missing-input", signal.name, "Not known.")
    return Used(item.value, (item.source,), until(signal, item))


def answered(record: Record, signal: Signal, yes: str, at: datetime) -> Part:
    """Return 1 where the newest answer to ``signal`` is ``yes``, else 0."""
    item = screening.newest(record.findings, signal.name)
    doubt = screening.doubt(signal, item, at, record.absences)
    if doubt is not None or item is None:
        return doubt or Reason("missing-input", signal.name, "Not known.")
    return Used(float(item.value == yes), (item.source,), until(signal, item), item.value)


def recorded(name: str, records: Iterable[screening.Lasting], at: datetime) -> Part:
    """Answer yes from an active record, no from ended ones or none; a record in doubt answers neither."""
    mine = screening.lasting(records, name)
    active = [record for record in mine if record.active_at(at)]
    if not active and any(record.doubtful_at(at) for record in mine):
        return unconfirmed(name)
    sources = tuple(record.source for record in active or mine)
    how = "active record" if active else "only ended records" if mine else "no record"
    return Used(float(bool(active)), sources, _ends(active, at), how)


def unread(record: Record, at: datetime) -> dict[str, Used]:
    """Keep the medications of unknown class on record: they have no weight, but absence rests on them too."""
    records = [
        each for each in screening.lasting(record.treatments, UNREAD_MEDICATION) if each.doubtful_at(at)
    ]
    if not records:
        return {}
    sources = tuple(each.source for each in records)
    return {UNREAD_MEDICATION: Used(0.0, sources, _ends(records, at), "not read")}


def until(signal: Signal, item: Measurement | Finding) -> datetime:
    """Return the first instant at which ``item`` is too old."""
    return screening.stale_from(signal, item) or NEVER


def unconfirmed(name: str) -> Reason:
    """Return why a condition or treatment of which something unread stands on record settles nothing."""
    return Reason(
        "unconfirmed", name, f"A record of {screening.said(name)} is not confirmed or could not be read."
    )


def _ends(records: Iterable[Condition | Treatment], at: datetime) -> datetime:
    return min(screening.turns(records, at), default=NEVER)
