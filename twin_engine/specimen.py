"""Made-up people for the conformance battery, from nothing but what a model declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from twin_engine.model import Inputs, Model, Signal
from twin_engine.twin import Condition, Evidence, Finding, Forecast, Item, Measurement, Refusal, Sex, Subject

SEED = 20260315
DIAGNOSED = timedelta(days=2922)  # how long ago, where a model is for people with a diagnosis
Answers = tuple[Forecast | Refusal, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One model with one person's ordinary evidence at ``at``."""

    model: Model
    subject: Subject
    items: tuple[Item, ...]
    at: datetime

    def state(self, evidence: Evidence | None = None) -> Any:  # the model's own type
        """Return the state that knows ``evidence``, or the case's own."""
        prior = self.model.prior(self.subject, self.at)
        return self.model.assimilate(prior, self.evidence() if evidence is None else evidence, self.at)

    def evidence(self) -> Evidence:
        """Return the case's evidence."""
        return Evidence.of(self.subject, self.items)

    def answers(self, state: Any) -> Answers:  # the model's own type
        """Return the forecast from ``state`` with the case's random numbers."""
        return self.model.forecast(state, self.at, np.random.default_rng(SEED))

    def of(self, subject: Subject, items: tuple[Item, ...]) -> Answers:
        """Return the forecast for other evidence."""
        other = replace(self, subject=subject, items=items)
        return other.answers(other.state())


def ordinary(model: Model, sex: Sex, at: datetime, ways: tuple[int, ...] = ()) -> Case:
    """Return a person with three recent values about the middle of each input that is needed.

    Of the choice numbered i the way numbered ``ways[i]`` is taken, the first where ``ways`` ends.
    """
    inputs = model.inputs
    low, high = inputs.ages
    subject = Subject(sex, date(at.year - (low + high) // 2 - 1, 7, 1), False, "Patient/check/_history/1")
    needed = needed_names(inputs, ways)
    signals = [signal for signal in inputs.signals if signal.name in needed]
    findings = [finding for finding in inputs.findings if finding.name in needed]
    items: tuple[Item, ...] = (
        *(item for signal in signals for item in _measured(signal, at)),
        *(item for finding in findings for item in _found(finding, at)),
        *(
            Condition(name, f"Condition/{name}/_history/1", True, onset=at - DIAGNOSED)
            for name in inputs.diagnoses
        ),
    )
    return Case(model, subject, items, at)


def needed_names(inputs: Inputs, ways: tuple[int, ...] = ()) -> set[str]:
    """Return the signals and findings that are needed where ``ways`` are taken."""
    chosen = (*ways, *(0 for _ in inputs.choices[len(ways) :]))
    names = {name for choice, way in zip(inputs.choices, chosen, strict=True) for name in choice[way]}
    return names | {signal.name for signal in (*inputs.signals, *inputs.findings) if signal.required}


def _measured(signal: Signal, at: datetime) -> Iterator[Measurement]:
    low = 0.0 if signal.low is None else signal.low
    high = low + 2 if signal.high is None else signal.high
    for part, time in enumerate(_times(signal, at)):
        value = low + (0.49 + part / 100) * (high - low)
        yield Measurement(signal.name, time, f"Observation/{signal.name}-{part}/_history/1", value)


def _found(finding: Signal, at: datetime) -> Iterator[Finding]:
    for part, time in enumerate(_times(finding, at)):
        yield Finding(finding.name, time, f"Observation/{finding.name}-{part}/_history/1", finding.values[0])


def _times(signal: Signal, at: datetime) -> tuple[datetime, ...]:
    step = min(signal.max_age or timedelta(days=1), timedelta(days=1)) / 8
    return (at - 3 * step, at - 2 * step, at - step)


def signal_of(item: Item) -> str | None:
    """Return the signal of a measurement or finding."""
    return item.signal if isinstance(item, Measurement | Finding) else None


def without(items: tuple[Item, ...], names: set[str]) -> tuple[Item, ...]:
    """Return ``items`` without the signals ``names``."""
    return tuple(item for item in items if signal_of(item) not in names)


def aged(item: Item, by: timedelta) -> Item:
    """Return ``item`` as if it were older."""
    if isinstance(item, Measurement):
        return msgspec.structs.replace(item, time=item.time - by)
    return replace(item, time=item.time - by) if isinstance(item, Finding) else item


def revalued(items: tuple[Item, ...], name: str, value: float | str) -> tuple[Item, ...]:
    """Return ``items`` with every value of one signal replaced."""
    return tuple(_revalued(item, value) if signal_of(item) == name else item for item in items)


def _revalued(item: Item, value: float | str) -> Item:
    if isinstance(item, Measurement):
        return msgspec.structs.replace(item, value=value)
    return replace(item, value=str(value)) if isinstance(item, Finding) else item
