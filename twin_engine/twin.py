"""Frozen values of the engine: what is known of a person, and what is foretold.

Every value names the ``source`` it came from: an opaque reference with version, for instance
``Observation/17/_history/3``. The engine never interprets it; it hands it back in ``basis`` so that a
forecast can be traced to the evidence it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

import msgspec

Sex = Literal["female", "male"]
GenotypeKind = Literal["variant", "genotype", "haplotype", "copy-number", "sequence"]
GenotypeState = Literal["present", "absent", "no-call", "indeterminate"]
ImplicationKind = Literal["diagnostic", "therapeutic", "molecular", "phase"]

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


class Ordered:
    """Sorts by whole fields, so that no two different items tie; an absent field comes before any other."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return _order(self) < _order(other) if type(self) is type(other) else NotImplemented


@dataclass(frozen=True, slots=True)
class Context:
    """How a value was obtained, as far as the record says.

    ``method``, ``body_site`` and ``device`` are codes (``system|code``) or references; ``low``..``high`` is
    the laboratory's reference range in the signal's unit; ``began`` is where the period of the value begins;
    ``derived_from`` and ``members`` are references.
    """

    method: str | None = None
    body_site: str | None = None
    device: str | None = None
    low: float | None = None
    high: float | None = None
    began: datetime | None = None
    derived_from: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


class Measurement(Ordered, msgspec.Struct, frozen=True, gc=False):
    """A number in the signal's own unit (``Signal.unit``) at an instant (aware).

    Made by the hundred thousand, hence a struct: a frozen dataclass takes fifteen times as long to make.
    """

    signal: str
    time: datetime
    source: str
    value: float
    context: Context | None = None


@dataclass(frozen=True, slots=True)
class Finding(Ordered):
    """A coded answer at an instant (aware): smoking status, level of consciousness."""

    signal: str
    time: datetime
    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Absence(Ordered):
    """The record says that there is no value, and why: a FHIR data-absent-reason (``asked-declined``)."""

    signal: str
    time: datetime
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Series(Ordered):
    """Samples at equal distances: a glucose trace, an electrocardiogram, an intracranial pressure wave.

    ``values`` (n * ``channels``,) are in the signal's unit, channel after channel at each instant; None where
    there is no sample. ``period`` is in seconds, from ``time`` on. ``below`` and ``above`` are the indices at
    which the device reported that it could only tell that the value is beyond its range.
    """

    signal: str
    time: datetime
    source: str
    period: float
    values: tuple[float | None, ...]
    channels: int = 1
    below: tuple[int, ...] = ()
    above: tuple[int, ...] = ()
    context: Context | None = None


@dataclass(frozen=True, slots=True)
class Dose(Ordered):
    """Something given or taken: ``amount`` in the substance's unit, at ``time`` or evenly until ``until``."""

    substance: str
    time: datetime
    source: str
    amount: float
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Relative(Ordered):
    """A condition of a relative: ``relation`` is a v3-RoleCode (``MTH``), ``onset`` an age in years."""

    relation: str
    condition: str
    source: str
    onset: float | None = None
    deceased: bool | None = None


@dataclass(frozen=True, slots=True)
class Condition(Ordered):
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


@dataclass(frozen=True, slots=True)
class Treatment(Ordered):
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


@dataclass(frozen=True, slots=True)
class Genotype(Ordered):
    """A variant, diplotype, haplotype or copy number of the germline, as reported.

    ``gene`` is the HGNC symbol, None where only a place on a reference sequence is known. ``variant`` is the
    name by which it is best known: HGVS on the coding sequence, else on the genome, else a place with both
    alleles (SPDI), else star alleles (``*1/*17``) or what the laboratory wrote; ``any`` where a gene was
    studied as a whole. ``names`` are all names given. ``state`` is ``absent`` where it was looked for and
    the reference was found. ``origin`` is ``germline``, ``likely-germline`` or ``de-novo``; what is somatic
    or fetal never gets here. ``significance`` is the ACMG class, ``phase`` is ``cis``, ``trans``,
    ``maternal`` or ``paternal``, ``region`` what was studied, each None where nothing is said.
    """

    gene: str | None
    source: str
    variant: str
    zygosity: str | None = None
    significance: str | None = None
    kind: GenotypeKind = "variant"
    state: GenotypeState = "present"
    origin: str | None = None
    names: tuple[str, ...] = ()
    copy_number: float | None = None
    phase: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Implication(Ordered):
    """What a laboratory concludes from genotypes.

    ``about`` names the condition, the medication or the feature of the gene, ``effect`` what is said of it: a
    clinical significance, a phenotype (``poor-metabolizer``), a functional effect; for two variants in
    ``derived_from`` whether they are in ``cis`` or ``trans``. ``derived_from`` are references to the
    genotypes; where one of them is no evidence of the twin (a somatic variant), nothing follows for the
    germline.
    ``origin`` is what the conclusion itself says (``germline``, ``likely-germline``,
    ``de-novo``), None where it says nothing: a model must not take None for germline.
    """

    kind: ImplicationKind
    source: str
    genes: tuple[str, ...]
    about: tuple[str, ...]
    effect: tuple[str, ...]
    evidence: str | None = None
    derived_from: tuple[str, ...] = ()
    origin: str | None = None


Item = (
    Measurement
    | Finding
    | Condition
    | Treatment
    | Genotype
    | Absence
    | Series
    | Dose
    | Relative
    | Implication
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one person. The order of arrival is not part of it."""

    subject: Subject
    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()
    conditions: tuple[Condition, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    genotypes: tuple[Genotype, ...] = ()
    absences: tuple[Absence, ...] = ()
    series: tuple[Series, ...] = ()
    doses: tuple[Dose, ...] = ()
    relatives: tuple[Relative, ...] = ()
    implications: tuple[Implication, ...] = ()

    @classmethod
    def of(cls, subject: Subject, items: Iterable[Item]) -> Evidence:
        """Sort ``items`` by kind, so that equal sets of items give equal evidence."""
        found: dict[str, list[Item]] = {name: [] for name in KINDS.values()}
        for item in set(items):
            found[KINDS[type(item)]].append(item)
        ordered: dict[str, Any] = {name: tuple(sorted(each)) for name, each in found.items()}
        return cls(subject, **ordered)

    def all(self) -> tuple[Item, ...]:
        """Return every item, kind after kind."""
        return tuple(item for name in KINDS.values() for item in getattr(self, name))


# Each kind of item, and the field of Evidence that holds it.
KINDS: Mapping[type, str] = {
    Measurement: "measurements",
    Finding: "findings",
    Condition: "conditions",
    Treatment: "treatments",
    Genotype: "genotypes",
    Absence: "absences",
    Series: "series",
    Dose: "doses",
    Relative: "relatives",
    Implication: "implications",
}


def _order(item: Any) -> tuple[Any, ...]:
    return tuple(_comparable(getattr(item, name)) for name in type(item).__match_args__)


def _comparable(value: object) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if isinstance(value, bool | int | float):
        return (1, value)
    return (1, value.timestamp()) if isinstance(value, datetime) else (2, str(value))


def _runs(until: datetime | None, at: datetime) -> bool:
    return until is None or at < until


@dataclass(frozen=True, slots=True)
class Plan:
    """A therapy or behaviour to try.

    A signal held at a value, a treatment given or stopped, ``doses`` given or eaten beside what is on record
    (``Dose.source`` is empty), and substances whose every later dose is given ``scaled`` by a factor: 0
    misses it.
    """

    signals: Mapping[str, float] = field(default_factory=dict)
    treatments: Mapping[str, bool] = field(default_factory=dict)
    doses: tuple[Dose, ...] = ()
    scaled: Mapping[str, float] = field(default_factory=dict)


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
class Course:
    """How a signal is foretold to go on: quantiles of an ensemble.

    ``times`` (n,) are seconds from ``start``. ``quantiles`` gives for each level, rising and with 0.5 among
    them, the values (n,) in ``unit`` (UCUM).
    """

    signal: str
    unit: str
    start: datetime
    times: tuple[float, ...]
    quantiles: tuple[tuple[float, tuple[float, ...]], ...]

    def median(self) -> tuple[float, ...]:
        """Return the values (n,) of the level 0.5."""
        return dict(self.quantiles)[0.5]


@dataclass(frozen=True, slots=True)
class Summary:
    """A number that a model derives of a period: time in range, an insulin requirement.

    ``value`` in ``unit`` (UCUM) with its 90 % interval ``low``..``high`` where it is an estimate. ``basis``
    are references to what it rests on.
    """

    name: str
    unit: str
    value: float
    start: datetime
    end: datetime
    low: float | None = None
    high: float | None = None
    basis: tuple[str, ...] = ()


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
    courses: tuple[Course, ...] = ()
    summaries: tuple[Summary, ...] = ()


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
class Proposal:
    """A therapy that a model proposes; nothing is done before a human agrees.

    With an ``amount`` it is to be given: so much in ``unit`` (UCUM), in all or, where ``hourly``, in every
    hour from ``start`` to ``until``. Without one the treatment as a whole is to be begun. Where ``withhold``
    is set it is not to be given, or is to be stopped. ``limits`` say in sentences what bounds were kept to.
    """

    treatment: str
    at: datetime
    start: datetime
    until: datetime
    rationale: str
    amount: float | None = None
    unit: str | None = None
    hourly: bool = False
    withhold: bool = False
    limits: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A simulated path: ``times`` (n,) in seconds from ``start``, ``values`` (n,) by name.

    ``courses`` hold the same with its uncertainty, where the model knows it.
    """

    start: datetime
    times: tuple[float, ...]
    values: Mapping[str, tuple[float, ...]]
    horizon: timedelta
    courses: tuple[Course, ...] = ()
