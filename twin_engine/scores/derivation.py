"""Inputs that can be come by in two ways: reported, or computed from others where these are newer."""

from __future__ import annotations

from datetime import datetime

from twin_engine import screening
from twin_engine.equations import ckd_epi
from twin_engine.model import Signal
from twin_engine.scores.choice import Part, Used, reported, until
from twin_engine.scores.record import Record
from twin_engine.twin import Measurement, Reason


def egfr(record: Record, rate: Signal, creatinine: Signal, at: datetime) -> Part:
    """Return the reported eGFR, or CKD-EPI 2021 from creatinine with the age at the sample, if newer."""
    given = screening.newest(record.measurements, rate.name)
    sample = screening.newest(record.measurements, creatinine.name)
    if sample is None or (given is not None and given.time >= sample.time):
        return reported(record, rate, at)
    doubt = screening.doubt(creatinine, sample, at, record.absences)
    if doubt is not None:
        return doubt
    age, sex = record.subject.age_at(sample.time), record.subject.sex
    if age is None or sex is None or age < ckd_epi.ADULT:
        return Reason(
            "missing-input", rate.name, "Creatinine alone, without adult age and sex, gives no eGFR."
        )
    return derived(
        rate, ckd_epi.egfr(sample.value, age, sex), "CKD-EPI 2021 from creatinine", (creatinine, sample)
    )


def body_mass_index(record: Record, index: Signal, weight: Signal, height: Signal, at: datetime) -> Part:
    """Return the reported body-mass index, or weight over height squared, if the weight is newer."""
    given = screening.newest(record.measurements, index.name)
    heavy = screening.newest(record.measurements, weight.name)
    tall = screening.newest(record.measurements, height.name)
    if heavy is None or tall is None or (given is not None and given.time >= heavy.time):
        return reported(record, index, at)
    if given is not None and screening.doubt(height, tall, at):
        return reported(record, index, at)
    doubt = screening.doubt(weight, heavy, at, record.absences)
    doubt = doubt or screening.doubt(height, tall, at, record.absences)
    if doubt is not None:
        return doubt
    parts = ((weight, heavy), (height, tall))
    return derived(index, heavy.value / (tall.value / 100) ** 2, "from weight and height", *parts)


def derived(signal: Signal, value: float, how: str, *parts: tuple[Signal, Measurement]) -> Part:
    """Hold a computed value to the range of the signal it stands for."""
    items = [item for _, item in parts]
    standing = Measurement(signal.name, items[0].time, items[0].source, value)
    doubt = screening.doubt(signal, standing, items[0].time)
    if doubt is not None:
        return doubt
    return Used(value, tuple(item.source for item in items), min(until(*part) for part in parts), how)
