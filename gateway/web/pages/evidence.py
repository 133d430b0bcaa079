"""The rows of the evidence table: what is known, when, from where, and which assessment rests on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from urllib.parse import quote, urlsplit

from fhir_mapping.genomics.vcf import is_imported
from gateway.operations.portrait import Portrait, Told
from gateway.operations.pull import versioned
from gateway.web.pages import words
from gateway.web.pages.charts import Line, line
from twin_engine.model import Inputs, Model
from twin_engine.store import EvidenceRecord
from twin_engine.twin import (
    Absence,
    Condition,
    Dose,
    Finding,
    Forecast,
    Genotype,
    Implication,
    Item,
    Measurement,
    Relative,
    Series,
    Treatment,
)

MOST_ROWS = 200
MOST_ALIKE = 5  # rows of one name; the course of a signal shows the others


@dataclass(frozen=True, slots=True)
class Link:
    """A version of a resource; ``url`` leads into the EHR."""

    words: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of the patient; ``earlier`` counts those of its name that are not listed after it."""

    what: str
    value: str
    at: datetime | None
    link: Link
    used: tuple[str, ...]
    course: Line | None = None
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """``used`` is what the assessments rest on, ``other`` the rest, the newest first; ``left_out`` counts."""

    used: tuple[Fact, ...]
    other: tuple[Fact, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A resource of which something cannot be used, and why."""

    link: Link
    reasons: tuple[str, ...]


def link(base_url: str, source: str) -> Link:
    """Return where a reference with version leads: not to what came from a file, or to a version of ours."""
    reference, _, version = source.partition("/_history/")
    path = reference if not version or version.startswith("sha256-") else source
    said = f"{reference}, version {version}" if version else reference
    leads = urlsplit(base_url).scheme in ("http", "https") and not is_imported(reference)
    return Link(said, f"{base_url}/{quote(path)}" if leads else None)


def evidence(portrait: Portrait, models: Mapping[str, Model]) -> Evidence:
    """Return the facts of a twin."""
    uses = [_Use.of(told, models) for told in portrait.told]
    items = [item for record in portrait.evidence for item in record.items]
    courses = _courses(items)
    facts = [_fact(portrait, item, uses, courses) for item in items]
    person = [fact for record in portrait.evidence for fact in _person(portrait, record, uses)]
    used = _newest_alike(fact for fact in facts if fact.used)
    other = sorted((fact for fact in facts if not fact.used), key=_newest_first)
    return Evidence((*person, *used), tuple(other[:MOST_ROWS]), max(len(other) - MOST_ROWS, 0))


def _newest_alike(facts: Iterable[Fact]) -> Iterator[Fact]:
    """Yield the newest facts of each name, and with the last of them how many more there are."""
    ordered = sorted(facts, key=lambda fact: (fact.what, _newest_first(fact)))
    for _, group in groupby(ordered, key=lambda fact: fact.what):
        alike = list(group)
        shown, more = alike[:MOST_ALIKE], max(len(alike) - MOST_ALIKE, 0)
        yield from shown[:-1]
        yield replace(shown[-1], earlier=more)


def unusable(portrait: Portrait) -> tuple[Unusable, ...]:
    """Return what could not be used."""
    return tuple(
        Unusable(link(portrait.hospital.base_url, versioned(record)), record.reasons)
        for record in portrait.evidence
        if record.reasons
    )


@dataclass(frozen=True, slots=True)
class _Use:
    """What one assessment rests on: sources, and which of the names in them count."""

    name: str
    basis: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, told: Told, models: Mapping[str, Model]) -> _Use:
        forecast = told.answer if isinstance(told.answer, Forecast) else None
        return cls(
            told.card.name.upper(),
            frozenset(forecast.basis if forecast else ()),
            _names(models[told.card.name].inputs),
        )


def _names(inputs: Inputs) -> frozenset[str]:
    signals = (signal.name for signal in (*inputs.signals, *inputs.findings))
    return frozenset((*signals, *inputs.conditions, *inputs.treatments, *inputs.genes))


def _courses(items: Iterable[Item]) -> dict[str, list[tuple[datetime, float]]]:
    courses: dict[str, list[tuple[datetime, float]]] = {}
    for item in items:
        if isinstance(item, Measurement):
            courses.setdefault(item.signal, []).append((item.time, item.value))
    return courses


def _fact(
    portrait: Portrait, item: Item, uses: list[_Use], courses: Mapping[str, list[tuple[datetime, float]]]
) -> Fact:
    name, value, at = _said(item, portrait.at)
    used = tuple(dict.fromkeys(use.name for use in uses if item.source in use.basis and name in use.names))
    course = line(courses[name]) if used and isinstance(item, Measurement) else None
    return Fact(words.label(name), value, at, link(portrait.hospital.base_url, item.source), used, course)


def _lasts(item: Condition | Treatment, at: datetime, word: str) -> str:
    if not item.confirmed:
        return "not confirmed"
    return word if item.active_at(at) else f"not {word}"


def _said(item: Item, now: datetime) -> tuple[str, str, datetime | None]:
    match item:
        case Measurement() | Finding() | Absence() | Series() | Dose():
            return _timed(item)
        case Condition():
            return item.name, _lasts(item, now, "active"), item.onset
        case Treatment():
            return item.name, _lasts(item, now, "current"), item.since
        case Genotype():
            state = None if item.state == "present" else item.state
            meaning = (item.variant, state, item.zygosity, item.significance)
            return item.gene or "genome", ", ".join(part for part in meaning if part), None
        case Relative():
            return item.condition, f"relative ({item.relation})", None
        case Implication():
            return ", ".join(item.genes) or item.kind, ", ".join((*item.about, *item.effect)), None


def _timed(item: Measurement | Finding | Absence | Series | Dose) -> tuple[str, str, datetime]:
    match item:
        case Measurement():
            return item.signal, words.measured(item.signal, item.value), item.time
        case Finding():
            return item.signal, item.value.replace("-", " "), item.time
        case Absence():
            return item.signal, f"absent: {item.reason.replace('-', ' ')}", item.time
        case Series():
            return item.signal, f"{len(item.values)} samples, {item.period:g} s apart", item.time
        case Dose():
            return item.substance, words.dosed(item), item.time


def _person(portrait: Portrait, record: EvidenceRecord, uses: list[_Use]) -> list[Fact]:
    if record.subject is None:
        return []
    subject = record.subject
    born = words.day(subject.birth_date) if subject.birth_date else "not known"
    value = f"{born}; {subject.sex or 'sex not known'}"
    used = tuple(dict.fromkeys(use.name for use in uses if subject.source in use.basis))
    where = link(portrait.hospital.base_url, subject.source)
    return [Fact("Date of birth; sex", value, record.last_updated, where, used)]


def _newest_first(fact: Fact) -> tuple[float, str]:
    return (-fact.at.timestamp() if fact.at else 0.0, fact.what)
