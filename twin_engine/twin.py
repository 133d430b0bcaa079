"""Frozen values of the engine: what is known of a person, and what is foretold.

Every value names the ``source`` it came from: an opaque reference with version, for instance
``Observation/17/_history/3``. The engine never interprets it; it hands it back in ``basis`` so that a
forecast can be traced to the evidence it rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

Sex = Literal["female", "male"]

# The name of a treatment of unknown class; a model that draws conclusions from the absence of a
# treatment declares it among its treatments.
UNREAD_MEDICATION = "unread-medication"


@dataclass(frozen=True, slots=True)
class Subject:
    """The person. ``sex`` is the sex for clinical use; None where it is not recorded."""

    sex: Sex | None
    birth_date: date | None
    deceased: bool
    source: str

    def age_at(self, at: datetime) -> int | None:
        """Completed years at ``at``; None where the day of birth is unknown."""
        if self.birth_date is None:
            return None
        before = (at.month, at.day) < (self.birth_date.month, self.birth_date.day)
        return at.year - self.birth_date.year - before


@dataclass(frozen=True, slots=True, order=True)
class Measurement:
    """A number in the signal's own unit (``Signal.unit``) at an instant (aware)."""

    signal: str
    time: datetime
    source: str
    value: float


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A coded answer at an instant (aware): smoking status, level of consciousness."""

    signal: str
    time: datetime
    source: str
    value: str


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """A diagnosis by the engine's name for it (``diabetes``), active or not.

    ``until`` is a recorded end that was still to come when the record was read. Where ``confirmed`` is False
    something about this condition stands on record that could not be read or is not confirmed: neither
    presence nor absence follows from it.
    """

    name: str
    source: str
    active: bool
    onset: datetime | None = None
    until: datetime | None = None
    confirmed: bool = True

    def active_at(self, at: datetime) -> bool:
        """Tell whether the record says that the condition is active at ``at``."""
        return self.confirmed and self.active and _runs(self.until, at)

    def doubtful_at(self, at: datetime) -> bool:
        """Tell whether the record leaves open if the condition is active at ``at``."""
        return not self.confirmed and _runs(self.until, at)


@dataclass(frozen=True, slots=True, order=True)
class Treatment:
    """A medication by class (``statin``, ``antihypertensive``), current or not.

    ``until`` is its recorded end. Where ``confirmed`` is False a medication stands on record that could not
    be read: neither use nor absence follows from it. One whose class is not even suspected is named
    ``UNREAD_MEDICATION``.
    """

    name: str
    source: str
    active: bool
    since: datetime | None = None
    until: datetime | None = None
    confirmed: bool = True

    def active_at(self, at: datetime) -> bool:
        """Tell whether the record says that it is taken at ``at``."""
        return self.confirmed and self.active and _runs(self.until, at)

    def doubtful_at(self, at: datetime) -> bool:
        """Tell whether the record leaves open if it is taken at ``at``."""
        return not self.confirmed and _runs(self.until, at)


@dataclass(frozen=True, slots=True, order=True)
class Genotype:
    """A variant or diplotype of one gene as reported."""

    gene: str
    source: str
    variant: str
    zygosity: str | None = None
    significance: str | None = None


Item = Measurement | Finding | Condition | Treatment | Genotype


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one person. The order of arrival is not part of it."""

    subject: Subject
    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()
    conditions: tuple[Condition, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    genotypes: tuple[Genotype, ...] = ()

    @classmethod
    def of(cls, subject: Subject, items: Iterable[Item]) -> Evidence:
        """Sort ``items`` by kind, so that equal sets of items give equal evidence."""
        kinds: dict[type, list[Item]] = {
            kind: [] for kind in (Measurement, Finding, Condition, Treatment, Genotype)
        }
        for item in set(items):
            kinds[type(item)].append(item)
        ordered = {kind: tuple(sorted(found, key=_ORDERS[kind])) for kind, found in kinds.items()}
        return cls(
            subject,
            ordered[Measurement],  # type: ignore[arg-type]  # each list holds one kind only
            ordered[Finding],  # type: ignore[arg-type]
            ordered[Condition],  # type: ignore[arg-type]
            ordered[Treatment],  # type: ignore[arg-type]
            ordered[Genotype],  # type: ignore[arg-type]
        )


# Whole fields, so that no two different items tie; an absent field has no order of its own, its text has.
_ORDERS: Mapping[type, Callable[[Any], Any]] = {
    Measurement: lambda item: (item.signal, item.time, item.source, item.value),
    Finding: lambda item: (item.signal, item.time, item.source, item.value),
    Condition: lambda item: (
        item.name,
        item.source,
        item.active,
        str(item.onset),
        str(item.until),
        item.confirmed,
    ),
    Treatment: lambda item: (
        item.name,
        item.source,
        item.active,
        str(item.since),
        str(item.until),
        item.confirmed,
    ),
    Genotype: lambda item: (item.gene, item.source, item.variant, str(item.zygosity), str(item.significance)),
}


def _runs(until: datetime | None, at: datetime) -> bool:
    return until is None or at < until


@dataclass(frozen=True, slots=True)
class Plan:
    """A therapy or behaviour to try: a signal held at a value, a treatment given or stopped."""

    signals: Mapping[str, float] = field(default_factory=dict)
    treatments: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Risk:
    """One foretold outcome.

    ``outcome`` is a key of the outcome table of the mapping; ``probability`` in [0, 1] with its
    interval ``low``..``high``, or a ``qualitative`` grade (``low``, ``moderate``, ``high``), or both.
    ``until`` ends the period that the probability speaks about.
    """

    outcome: str
    until: datetime | None
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    qualitative: str | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """How far one input moved the forecast.

    ``weight`` is in the unit of ``Forecast.scale`` (log-odds for a logistic score, points for a
    point score); ``text`` says it for a clinician.
    """

    signal: str
    value: str
    weight: float
    source: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a model says of one outcome family, until it ``expires``."""

    family: str
    at: datetime
    expires: datetime
    risks: tuple[Risk, ...]
    basis: tuple[str, ...]
    rationale: str
    contributions: tuple[Contribution, ...] = ()
    scale: str = "log-odds"
    score: float | None = None
    trend: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no forecast: ``code`` is stable, ``text`` is for a person and names no value."""

    code: Literal["missing-input", "stale-input", "out-of-range", "out-of-scope", "unit", "unconfirmed"]
    signal: str
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A model that will not speak, and why. ``retry`` is when time alone may change that."""

    family: str
    at: datetime
    reasons: tuple[Reason, ...]
    basis: tuple[str, ...] = ()
    retry: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A simulated path: ``times`` (n,) in seconds from ``start``, ``values`` (n,) by name."""

    start: datetime
    times: tuple[float, ...]
    values: Mapping[str, tuple[float, ...]]
    horizon: timedelta
