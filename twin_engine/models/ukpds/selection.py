"""From what is known of a person to the numbers the equations take, or the reasons why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from twin_engine import screening
from twin_engine.equations import ckd_epi
from twin_engine.equations.cholesterol import MMOL_PER_MG_DL
from twin_engine.model import Signal
from twin_engine.models.ukpds import card
from twin_engine.models.ukpds.equations import Profile
from twin_engine.models.ukpds.multistate import EVENTS, History
from twin_engine.twin import Absence, Condition, Evidence, Finding, Measurement, Reason, Subject, Treatment
from twin_engine.years import birthday

NEVER = datetime.max.replace(tzinfo=UTC)
DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class State:
    """The newest value of each input as of ``at``, and every record of the conditions and treatments.

    ``absences`` are the newest word of the record on each input that it has no value for.
    """

    at: datetime
    subject: Subject
    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()
    conditions: tuple[Condition, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    absences: tuple[Absence, ...] = ()

    @classmethod
    def of(cls, evidence: Evidence, at: datetime) -> State:
        """Keep of ``evidence`` what the equations can use."""
        measurements = screening.known(evidence.measurements, at)
        findings = screening.known(evidence.findings, at)
        absences = screening.known(evidence.absences, at)
        inputs = (*card.INPUTS.signals, *card.INPUTS.findings)
        chosen = (screening.newest(measurements, signal.name) for signal in card.INPUTS.signals)
        answered = (screening.newest(findings, signal.name) for signal in card.INPUTS.findings)
        absent = (screening.newest(absences, signal.name) for signal in inputs)
        conditions = (screening.lasting(set(evidence.conditions), name) for name in card.INPUTS.conditions)
        treatments = (screening.lasting(set(evidence.treatments), name) for name in card.INPUTS.treatments)
        return cls(
            at,
            evidence.subject,
            tuple(item for item in chosen if item is not None),
            tuple(item for item in answered if item is not None),
            tuple(record for records in conditions for record in records),
            tuple(record for records in treatments for record in records),
            tuple(item for item in absent if item is not None),
        )


@dataclass(frozen=True, slots=True)
class Used:
    """One input as used: where it came from and until when it holds."""

    value: float
    sources: tuple[str, ...] = ()
    until: datetime = NEVER


@dataclass(frozen=True, slots=True)
class Selected:
    """What the equations take, its sources, and until when it holds.

    ``taken`` are the treatments that are taken, ``doubtful`` those of which that is not clear.
    """

    profile: Profile
    history: History
    taken: tuple[str, ...]
    doubtful: tuple[str, ...]
    sources: tuple[str, ...]
    until: datetime


def select(state: State, at: datetime) -> Selected | tuple[Reason, ...]:
    """Return what the equations take as of ``at``, or every reason why there is nothing."""
    parts = _parts(state, at)
    doubts = (*_person(state, at), *(part for part in parts.values() if isinstance(part, Reason)))
    if doubts:
        return doubts
    treated = {name: _recorded(name, state.treatments, at) for name in card.INPUTS.treatments}
    used = {name: part for name, part in (parts | treated).items() if isinstance(part, Used)}
    return Selected(
        _profile(state, used, at),
        _history(used),
        tuple(name for name in treated if name in used and used[name].value),
        tuple(name for name in treated if name not in used),
        tuple(sorted({state.subject.source, *(one for part in used.values() for one in part.sources)})),
        min(part.until for part in used.values()),
    )


def _parts(state: State, at: datetime) -> dict[str, Used | Reason]:
    reported = (signal for signal in card.INPUTS.signals if signal.required)
    return {
        **{signal.name: _reported(state, signal, at) for signal in reported},
        card.BODY_MASS_INDEX.name: _body_mass_index(state, at),
        card.EGFR.name: _egfr(state, at),
        card.SMOKING.name: _smoking(state, at),
        card.DIABETES: _duration(state, at),
        **{name: _happened(name, state, at) for name in card.HISTORIES},
        card.PERIPHERAL: _happened(card.PERIPHERAL, state, at),
        card.FIBRILLATION: _recorded(card.FIBRILLATION, state.conditions, at),
        card.UNSPECIFIC: _specific(state, at),
    }


def _history(used: Mapping[str, Used]) -> History:
    happened = {event for condition, event in card.HISTORIES.items() if used[condition].value}
    return tuple(int(event in happened) for event in EVENTS)


def _profile(state: State, used: dict[str, Used], at: datetime) -> Profile:
    sex, born = state.subject.sex, birthday(state.subject, 0)
    if sex is None or born is None:
        raise ValueError("the person was not screened")
    return Profile(
        sex=sex,
        age=_years(born, at),
        duration=used[card.DIABETES].value,
        body_mass_index=used[card.BODY_MASS_INDEX.name].value,
        egfr=used[card.EGFR.name].value,
        hba1c=used[card.HBA1C.name].value,
        hdl=used[card.HDL.name].value * MMOL_PER_MG_DL,
        ldl=used[card.LDL.name].value * MMOL_PER_MG_DL,
        systolic=used[card.SYSTOLIC.name].value,
        heart_rate=used[card.HEART_RATE.name].value,
        leukocytes=used[card.LEUKOCYTES.name].value,
        haemoglobin=used[card.HAEMOGLOBIN.name].value,
        albuminuria=used[card.ALBUMIN.name].value >= card.ALBUMINURIA_FROM,
        peripheral_disease=bool(used[card.PERIPHERAL].value),
        atrial_fibrillation=bool(used[card.FIBRILLATION].value),
        smoking=bool(used[card.SMOKING.name].value),
    )


def _years(since: datetime, at: datetime) -> float:
    return (at - since).total_seconds() / 86400 / DAYS_A_YEAR


def _person(state: State, at: datetime) -> Iterable[Reason]:
    subject = state.subject
    if subject.deceased:
        yield Reason("out-of-scope", "deceased", "The person has died.")
    if subject.sex is None:
        yield Reason("missing-input", "sex", "No sex for clinical use, female or male, is recorded.")
    age = subject.age_at(at)
    if age is None:
        yield Reason("missing-input", "birth-date", "No complete date of birth is recorded.")
    elif not card.AGES[0] <= age <= card.AGES[1]:
        yield Reason("out-of-scope", "birth-date", "The model is used for 25 to 90 years of age.")
    if any(record.active_at(at) for record in screening.lasting(state.conditions, card.TYPE_1)):
        yield Reason("out-of-scope", card.TYPE_1, "A record of type 1 diabetes: the model is of type 2.")


def _duration(state: State, at: datetime) -> Used | Reason:
    records = screening.lasting(state.conditions, card.DIABETES)
    active = [record for record in records if record.active_at(at)]
    if not active:
        if any(record.doubtful_at(at) for record in records):
            return _unconfirmed(card.DIABETES)
        return Reason("out-of-scope", card.DIABETES, "No active record of type 2 diabetes.")
    begun = [record.onset for record in active if record.onset is not None and record.onset <= at]
    if not begun:
        return Reason("missing-input", card.DIABETES, "No date of the diagnosis of type 2 diabetes is known.")
    return Used(_years(min(begun), at), tuple(record.source for record in active), _ends(active, at))


def _reported(state: State, signal: Signal, at: datetime) -> Used | Reason:
    item = screening.newest(state.measurements, signal.name)
    doubt = screening.doubt(signal, item, at, state.absences)
    if doubt is not None or item is None:
        return doubt or Reason("missing-input", signal.name, "Not known.")
    return Used(item.value, (item.source,), _until(signal, item))


def _until(signal: Signal, item: Measurement | Finding) -> datetime:
    return screening.stale_from(signal, item) or NEVER


def _smoking(state: State, at: datetime) -> Used | Reason:
    item = screening.newest(state.findings, card.SMOKING.name)
    doubt = screening.doubt(card.SMOKING, item, at, state.absences)
    if doubt is not None or item is None:
        return doubt or Reason("missing-input", card.SMOKING.name, "Not known.")
    return Used(float(item.value == "current"), (item.source,), _until(card.SMOKING, item))


def _egfr(state: State, at: datetime) -> Used | Reason:
    reported = screening.newest(state.measurements, card.EGFR.name)
    creatinine = screening.newest(state.measurements, card.CREATININE.name)
    if creatinine is None or (reported is not None and reported.time >= creatinine.time):
        return _reported(state, card.EGFR, at)
    doubt = screening.doubt(card.CREATININE, creatinine, at, state.absences)
    if doubt is not None:
        return doubt
    age, sex = state.subject.age_at(creatinine.time), state.subject.sex
    if age is None or sex is None or age < ckd_epi.ADULT:
        return Reason(
            "missing-input", card.EGFR.name, "Creatinine alone, without adult age and sex, gives no eGFR."
        )
    rate = ckd_epi.egfr(creatinine.value, age, sex)
    return _derived(card.EGFR, rate, (card.CREATININE, creatinine))


def _body_mass_index(state: State, at: datetime) -> Used | Reason:
    reported = screening.newest(state.measurements, card.BODY_MASS_INDEX.name)
    weight = screening.newest(state.measurements, card.WEIGHT.name)
    height = screening.newest(state.measurements, card.HEIGHT.name)
    if weight is None or height is None or (reported is not None and reported.time >= weight.time):
        return _reported(state, card.BODY_MASS_INDEX, at)
    doubt = screening.doubt(card.WEIGHT, weight, at, state.absences)
    doubt = doubt or screening.doubt(card.HEIGHT, height, at, state.absences)
    if doubt is not None:
        return doubt
    index = weight.value / (height.value / 100) ** 2
    return _derived(card.BODY_MASS_INDEX, index, (card.WEIGHT, weight), (card.HEIGHT, height))


def _derived(signal: Signal, value: float, *parts: tuple[Signal, Measurement]) -> Used | Reason:
    """Hold a computed value to the range of the signal it stands for."""
    items = [item for _, item in parts]
    standing = Measurement(signal.name, items[0].time, items[0].source, value)
    doubt = screening.doubt(signal, standing, items[0].time)
    if doubt is not None:
        return doubt
    return Used(value, tuple(item.source for item in items), min(_until(*part) for part in parts))


def _happened(name: str, state: State, at: datetime) -> Used | Reason:
    """Answer from any confirmed record, active or past: what happened stays in the history."""
    records = screening.lasting(state.conditions, name)
    confirmed = [record for record in records if record.confirmed]
    if not confirmed and any(record.doubtful_at(at) for record in records):
        return _unconfirmed(name)
    return Used(float(bool(confirmed)), tuple(record.source for record in confirmed), _ends(confirmed, at))


def _specific(state: State, at: datetime) -> Used | Reason:
    """Refuse a cardiovascular disease of which no record says which one it is."""
    known = {record.name for record in state.conditions if record.confirmed or record.doubtful_at(at)}
    if card.UNSPECIFIC in known and known.isdisjoint(card.SPECIFIC):
        return Reason(
            "unconfirmed", card.UNSPECIFIC, "No record says which cardiovascular disease it is or was."
        )
    return Used(0.0)


def _recorded(name: str, records: Iterable[screening.Lasting], at: datetime) -> Used | Reason:
    mine = screening.lasting(records, name)
    active = [record for record in mine if record.active_at(at)]
    if not active and any(record.doubtful_at(at) for record in mine):
        return _unconfirmed(name)
    sources = tuple(record.source for record in active or mine)
    return Used(float(bool(active)), sources, _ends(active, at))


def _ends(records: Iterable[Condition | Treatment], at: datetime) -> datetime:
    return min(screening.turns(records, at), default=NEVER)


def _unconfirmed(name: str) -> Reason:
    return Reason(
        "unconfirmed", name, f"A record of {screening.said(name)} is not confirmed or could not be read."
    )
