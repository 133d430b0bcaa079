"""From what is known of a person to one complete NEWS2 set, or the reasons why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from twin_engine import screening
from twin_engine.model import Signal
from twin_engine.models.news2 import card
from twin_engine.models.news2.scoring import Vitals
from twin_engine.twin import Absence, Condition, Evidence, Finding, Measurement, Reason, Subject

SCORED = (*card.VITAL_SIGNS, card.CONSCIOUSNESS)
CHARTED = frozenset(signal.name for signal in (*SCORED, *card.OXYGEN_SUPPLY))
# How far back the score is sought that the present one is compared with.
TREND_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Chart:
    """The newest value of each sign; of a finding, every answer of that instant."""

    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, measurements: Sequence[Measurement], findings: Sequence[Finding]) -> Chart:
        """Keep the newest of each declared signal."""
        chosen = (screening.newest(measurements, signal.name) for signal in card.INPUTS.signals)
        answered = (_answers(findings, signal.name) for signal in card.INPUTS.findings)
        return cls(
            tuple(item for item in chosen if item is not None),
            tuple(item for group in answered for item in group),
        )

    def newest(self, signal: Signal) -> Measurement | Finding | None:
        """Return the newest value of ``signal``, a measurement or a finding."""
        measured = screening.newest(self.measurements, signal.name)
        return measured if measured is not None else screening.newest(self.findings, signal.name)

    def supply(self) -> list[Measurement | Finding]:
        """Return what the newest instant says of supplemental oxygen."""
        names = {signal.name for signal in card.OXYGEN_SUPPLY}
        charted: tuple[Measurement | Finding, ...] = (*self.measurements, *self.findings)
        told = [item for item in charted if item.signal in names]
        last = max((item.time for item in told), default=None)
        return [item for item in told if item.time == last]


@dataclass(frozen=True, slots=True)
class State:
    """The newest set as of ``at``, and the set that stood before any value of it."""

    at: datetime
    subject: Subject
    now: Chart = Chart()
    before: Chart = Chart()
    before_at: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    absences: tuple[Absence, ...] = ()

    @classmethod
    def of(cls, evidence: Evidence, at: datetime) -> State:
        """Keep of ``evidence`` what the score can use."""
        measurements = screening.known(evidence.measurements, at)
        findings = screening.known(evidence.findings, at)
        absences = screening.known(evidence.absences, at)
        absent = (screening.newest(absences, signal.name) for signal in SCORED)
        now = Chart.of(measurements, findings)
        before_at = _before(now, (*measurements, *findings))
        records = (screening.lasting(set(evidence.conditions), name) for name in card.INPUTS.conditions)
        return cls(
            at,
            evidence.subject,
            now,
            Chart()
            if before_at is None
            else Chart.of(_until(measurements, before_at), _until(findings, before_at)),
            before_at,
            tuple(record for group in records for record in group),
            tuple(item for item in absent if item is not None),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """A complete set: what each sign was, whence, and until when the set stands."""

    vitals: Vitals
    said: dict[str, tuple[str, tuple[str, ...]]]
    until: datetime
    scale_note: str


@dataclass(frozen=True, slots=True)
class Scale:
    """The SpO2 scale to take, on which sources, when records alone may change it, and why it is taken."""

    number: int
    sources: tuple[str, ...]
    turns: tuple[datetime, ...]
    note: str


def read(state: State, chart: Chart, at: datetime) -> Reading | tuple[Reason, ...]:
    """Return the complete set of ``chart`` at ``at``, or every reason why it is not complete."""
    items = {signal.name: chart.newest(signal) for signal in SCORED}
    doubts = [screening.doubt(signal, items[signal.name], at, state.absences) for signal in SCORED]
    supply = _supply(chart, at)
    scale = _scale(state, at)
    reasons = [
        reason
        for reason in (*doubts, *(part for part in (supply, scale) if isinstance(part, Reason)))
        if reason
    ]
    if reasons or isinstance(supply, Reason) or isinstance(scale, Reason):
        return tuple(reasons)
    present = {name: item for name, item in items.items() if item is not None}
    on_oxygen, suppliers = supply
    said: dict[str, tuple[str, tuple[str, ...]]] = {
        name: (_said(item), (item.source,)) for name, item in present.items()
    }
    said["supplemental-oxygen"] = ("oxygen" if on_oxygen else "air", tuple(item.source for item in suppliers))
    said["spo2-scale"] = (str(scale.number), scale.sources)
    stale = min(item.time for item in (*present.values(), *suppliers)) + card.SET_AGE
    vitals = _vitals(present, scale.number, on_oxygen=on_oxygen)
    return Reading(vitals, said, min((stale, *scale.turns)), scale.note)


def _vitals(present: dict[str, Measurement | Finding], scale: int, *, on_oxygen: bool) -> Vitals:
    value = {name: item.value for name, item in present.items() if isinstance(item, Measurement)}
    return Vitals(
        respiratory_rate=value["respiratory-rate"],
        oxygen_saturation=value["oxygen-saturation"],
        scale=scale,
        on_oxygen=on_oxygen,
        systolic=value["systolic-blood-pressure"],
        heart_rate=value["heart-rate"],
        alert=present["consciousness"].value == "alert",
        temperature=value["body-temperature"],
    )


def _supply(chart: Chart, at: datetime) -> tuple[bool, list[Measurement | Finding]] | Reason:
    told = chart.supply()
    if not told:
        return Reason(
            "missing-input", "supplemental-oxygen", "Neither air nor supplemental oxygen is recorded."
        )
    signals = {signal.name: signal for signal in card.OXYGEN_SUPPLY}
    doubt = next(filter(None, (screening.doubt(signals[item.signal], item, at) for item in told)), None)
    if doubt is not None:
        return doubt
    votes = {_is_oxygen(item) for item in told}
    if len(votes) > 1:
        return Reason("unconfirmed", "supplemental-oxygen", "Records of one instant disagree on oxygen.")
    return votes.pop(), told


def _is_oxygen(item: Measurement | Finding) -> bool:
    if isinstance(item, Finding):
        return item.value == "oxygen"
    air = 21.0 if item.signal == card.OXYGEN_FRACTION.name else 0.0
    return item.value > air


def _scale(state: State, at: datetime) -> Scale | Reason:
    """Take a recorded decision before any diagnosis: RCP 2017 leaves scale 2 to a competent clinician."""
    told = [item for item in state.now.findings if item.signal == card.SCALE.name]
    doubt = next(filter(None, (screening.doubt(card.SCALE, item, item.time) for item in told)), None)
    if doubt is not None:
        return doubt
    decided = {item.value for item in told}
    if len(decided) > 1:
        return Reason("unconfirmed", card.SCALE.name, "Findings of one instant disagree on the SpO2 scale.")
    if decided:
        number = int(decided.pop())
        sources = tuple(item.source for item in told)
        return Scale(number, sources, (), f"SpO2 scale {number}, as recorded by the ward.")
    return _diagnosed(screening.lasting(state.conditions, card.HYPERCAPNIC), at)


def _diagnosed(records: tuple[Condition, ...], at: datetime) -> Scale:
    active = tuple(record for record in records if record.active_at(at))
    sources = tuple(record.source for record in active or records)
    turns = tuple(screening.turns(records, at))
    if active:
        return Scale(2, sources, turns, "SpO2 scale 2: an active record of chronic hypercapnic failure.")
    why = "no scale is recorded and no active record of chronic hypercapnic failure"
    if any(record.doubtful_at(at) for record in records):
        why = "no scale is recorded and a record of chronic hypercapnic failure is not confirmed"
    return Scale(1, sources, turns, f"SpO2 scale 1: {why}.")


def _answers(findings: Iterable[Finding], name: str) -> tuple[Finding, ...]:
    mine = {item for item in findings if item.signal == name}
    last = max((item.time for item in mine), default=None)
    return tuple(sorted(item for item in mine if item.time == last))


def _before(now: Chart, items: Iterable[Measurement | Finding]) -> datetime | None:
    """Return the last instant, within the window, that no value of the present set is from."""
    present = [item.time for item in (*(now.newest(signal) for signal in SCORED), *now.supply()) if item]
    if not present:
        return None
    first, last = min(present), max(present)
    earlier = (item.time for item in items if item.signal in CHARTED and item.time < first)
    found = max(earlier, default=None)
    return found if found is not None and found >= last - TREND_WINDOW else None


def _until(items: Iterable[screening.Timed], until: datetime) -> list[screening.Timed]:
    return [item for item in items if item.time <= until]


def _said(item: Measurement | Finding) -> str:
    if isinstance(item, Finding):
        return item.value
    units = {signal.name: signal.unit for signal in card.INPUTS.signals}
    return f"{item.value:.4g} {units[item.signal]}"
