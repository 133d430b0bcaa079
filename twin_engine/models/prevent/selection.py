"""From what is known of a person to the numbers the equations take, or the reasons why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from twin_engine import screening
from twin_engine.equations import ckd_epi
from twin_engine.model import Signal
from twin_engine.models.prevent import card
from twin_engine.models.prevent.equations import Profile
from twin_engine.twin import (
    UNREAD_MEDICATION,
    Absence,
    Condition,
    Evidence,
    Finding,
    Measurement,
    Reason,
    Sex,
    Subject,
    Treatment,
)
from twin_engine.years import next_birthday

_NEVER = datetime.max.replace(tzinfo=UTC)


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
        chosen = (screening.newest(measurements, signal.name) for signal in card.INPUTS.signals)
        answered = (screening.newest(findings, signal.name) for signal in card.INPUTS.findings)
        inputs = (*card.INPUTS.signals, *card.INPUTS.findings)
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
    """One input as used: where it came from, until when it holds, and how it was come by."""

    value: float
    sources: tuple[str, ...]
    until: datetime
    how: str = "as reported"


@dataclass(frozen=True, slots=True)
class Selected:
    """The equations' input with the trace of each part, by the engine's name for it."""

    profile: Profile
    used: dict[str, Used]
    until: datetime


def select(state: State, at: datetime) -> Selected | tuple[Reason, ...]:
    """Return the profile as of ``at``, or every reason why there is none."""
    parts = {
        card.SYSTOLIC.name: _reported(state, card.SYSTOLIC, at),
        card.TOTAL_CHOLESTEROL.name: _reported(state, card.TOTAL_CHOLESTEROL, at),
        card.HDL_CHOLESTEROL.name: _reported(state, card.HDL_CHOLESTEROL, at),
        card.BODY_MASS_INDEX.name: _body_mass_index(state, at),
        card.EGFR.name: _egfr(state, at),
        card.SMOKING.name: _smoking(state, at),
        "diabetes": _recorded("diabetes", state.conditions, at),
        "statin": _recorded("statin", state.treatments, at),
        "antihypertensive": _recorded("antihypertensive", state.treatments, at),
    }
    doubts = (*_person(state, at), *(part for part in parts.values() if isinstance(part, Reason)))
    sex, age, birthday = state.subject.sex, state.subject.age_at(at), next_birthday(state.subject, at)
    if doubts or sex is None or age is None or birthday is None:
        return doubts
    used = {name: part for name, part in parts.items() if isinstance(part, Used)}
    used |= _unread(state, at)
    return Selected(_profile(sex, age, used), used, min(birthday, *(part.until for part in used.values())))


def _profile(sex: Sex, age: int, used: dict[str, Used]) -> Profile:
    return Profile(
        sex=sex,
        age=age,
        systolic=used["systolic-blood-pressure"].value,
        total_cholesterol=used["total-cholesterol"].value,
        hdl_cholesterol=used["hdl-cholesterol"].value,
        body_mass_index=used["body-mass-index"].value,
        egfr=used["egfr"].value,
        diabetes=bool(used["diabetes"].value),
        smoking=bool(used["smoking-status"].value),
        antihypertensive=bool(used["antihypertensive"].value),
        statin=bool(used["statin"].value),
    )


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
        yield Reason("out-of-scope", "birth-date", "The equations hold for 30 to 79 years of age.")
    for name in ("cardiovascular-disease", "heart-failure"):
        records = screening.lasting(state.conditions, name)
        if any(record.confirmed for record in records):
            yield Reason(
                "out-of-scope", name, f"A record of {screening.said(name)}: prevention is not primary."
            )
        elif records:
            yield _unconfirmed(name)


def _reported(state: State, signal: Signal, at: datetime) -> Used | Reason:
    item = screening.newest(state.measurements, signal.name)
    doubt = screening.doubt(signal, item, at, state.absences)
    if doubt is not None or item is None:
        return doubt or Reason("missing-input", signal.name, "Not known.")
    return Used(item.value, (item.source,), _until(signal, item))


def _until(signal: Signal, item: Measurement | Finding) -> datetime:
    return screening.stale_from(signal, item) or _NEVER


def _smoking(state: State, at: datetime) -> Used | Reason:
    item = screening.newest(state.findings, card.SMOKING.name)
    doubt = screening.doubt(card.SMOKING, item, at, state.absences)
    if doubt is not None or item is None:
        return doubt or Reason("missing-input", card.SMOKING.name, "Not known.")
    return Used(float(item.value == "current"), (item.source,), _until(card.SMOKING, item), item.value)


def _egfr(state: State, at: datetime) -> Used | Reason:
    reported = screening.newest(state.measurements, card.EGFR.name)
    creatinine = screening.newest(state.measurements, card.CREATININE.name)
    if creatinine is None or (reported is not None and reported.time >= creatinine.time):
        return _reported(state, card.EGFR, at)
    doubt = screening.doubt(card.CREATININE, creatinine, at, state.absences)
    if doubt is not None:
        return doubt
    age, sex = state.subject.age_at(creatinine.time), state.subject.sex
    if age is None or sex is None or age < 18:
        return Reason(
            "missing-input", card.EGFR.name, "Creatinine alone, without adult age and sex, gives no eGFR."
        )
    rate = ckd_epi.egfr(creatinine.value, age, sex)
    return _derived(card.EGFR, rate, "CKD-EPI 2021 from creatinine", (card.CREATININE, creatinine))


def _body_mass_index(state: State, at: datetime) -> Used | Reason:
    reported = screening.newest(state.measurements, card.BODY_MASS_INDEX.name)
    weight = screening.newest(state.measurements, card.WEIGHT.name)
    height = screening.newest(state.measurements, card.HEIGHT.name)
    if weight is None or height is None or (reported is not None and reported.time >= weight.time):
        return _reported(state, card.BODY_MASS_INDEX, at)
    if reported is not None and screening.doubt(card.HEIGHT, height, at):
        return _reported(state, card.BODY_MASS_INDEX, at)
    doubt = screening.doubt(card.WEIGHT, weight, at, state.absences)
    doubt = doubt or screening.doubt(card.HEIGHT, height, at, state.absences)
    if doubt is not None:
        return doubt
    index = weight.value / (height.value / 100) ** 2
    parts = ((card.WEIGHT, weight), (card.HEIGHT, height))
    return _derived(card.BODY_MASS_INDEX, index, "from weight and height", *parts)


def _derived(signal: Signal, value: float, how: str, *parts: tuple[Signal, Measurement]) -> Used | Reason:
    """Hold a computed value to the range of the signal it stands for."""
    items = [item for _, item in parts]
    standing = Measurement(signal.name, items[0].time, items[0].source, value)
    doubt = screening.doubt(signal, standing, items[0].time)
    if doubt is not None:
        return doubt
    return Used(value, tuple(item.source for item in items), min(_until(*part) for part in parts), how)


def _recorded(name: str, records: Iterable[screening.Lasting], at: datetime) -> Used | Reason:
    """Answer yes from an active record, no from ended ones or none; a record in doubt answers neither."""
    mine = screening.lasting(records, name)
    active = [record for record in mine if record.active_at(at)]
    if not active and any(record.doubtful_at(at) for record in mine):
        return _unconfirmed(name)
    sources = tuple(record.source for record in active or mine)
    how = "active record" if active else "only ended records" if mine else "no record"
    return Used(float(bool(active)), sources, _ends(active, at), how)


def _unread(state: State, at: datetime) -> dict[str, Used]:
    """Keep the medications of unknown class on record: they have no weight, but absence rests on them too."""
    records = [
        record for record in screening.lasting(state.treatments, UNREAD_MEDICATION) if record.doubtful_at(at)
    ]
    if not records:
        return {}
    sources = tuple(record.source for record in records)
    return {UNREAD_MEDICATION: Used(0.0, sources, _ends(records, at), "not read")}


def _ends(records: Iterable[Condition | Treatment], at: datetime) -> datetime:
    return min(screening.turns(records, at), default=_NEVER)


def _unconfirmed(name: str) -> Reason:
    return Reason(
        "unconfirmed", name, f"A record of {screening.said(name)} is not confirmed or could not be read."
    )
