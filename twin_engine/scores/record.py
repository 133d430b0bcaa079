"""The state of a score: the newest value of each input, and every record of what it must know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin_engine import screening
from twin_engine.model import Inputs
from twin_engine.twin import Absence, Condition, Evidence, Finding, Measurement, Subject, Treatment


@dataclass(frozen=True, slots=True)
class Record:
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
    def of(cls, inputs: Inputs, evidence: Evidence, at: datetime) -> Record:
        """Keep of ``evidence`` what ``inputs`` declare."""
        measurements = screening.known(evidence.measurements, at)
        findings = screening.known(evidence.findings, at)
        absences = screening.known(evidence.absences, at)
        chosen = (screening.newest(measurements, signal.name) for signal in inputs.signals)
        answered = (screening.newest(findings, signal.name) for signal in inputs.findings)
        asked = (*inputs.signals, *inputs.findings)
        absent = (screening.newest(absences, signal.name) for signal in asked)
        conditions = (screening.lasting(set(evidence.conditions), name) for name in inputs.conditions)
        treatments = (screening.lasting(set(evidence.treatments), name) for name in inputs.treatments)
        return cls(
            at,
            evidence.subject,
            tuple(item for item in chosen if item is not None),
            tuple(item for item in answered if item is not None),
            tuple(record for records in conditions for record in records),
            tuple(record for records in treatments for record in records),
            tuple(item for item in absent if item is not None),
        )
