"""The conformance battery of twin models.

``check_model(model)`` holds a model to the contract of ``model.py`` with evidence made from the inputs it
declares. A hospital runs it on its own model before it plugs it in:

    from twin_engine.check import check_model
    check_model(MyModel())
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

from twin_engine.answers import Nonconformance, forecast_holds, refusal_holds
from twin_engine.continuity import continued, deterministic, resumed, same, unordered, withdrawn
from twin_engine.cost import affordable
from twin_engine.model import Model, Signal
from twin_engine.simulating import refuses_undeclared_plans, simulates
from twin_engine.specimen import (
    Answers,
    Case,
    aged,
    needed_names,
    ordinary,
    revalued,
    signal_of,
    without,
)
from twin_engine.twin import (
    Absence,
    Condition,
    Dose,
    Evidence,
    Finding,
    Forecast,
    Genotype,
    Implication,
    Item,
    Measurement,
    Refusal,
    Relative,
    Series,
    Treatment,
)

__all__ = ["Nonconformance", "check_card", "check_model"]

AT = datetime(2026, 3, 15, 12, tzinfo=UTC)


def check_model(model: Model, at: datetime = AT) -> None:
    """Hold ``model`` to every law of the contract, for a woman and a man of mid age at ``at``.

    Raises
    ------
    Nonconformance
        At the first law that is broken.
    """
    check_card(model)
    cases = [ordinary(model, sex, at) for sex in ("female", "male")]
    if not any(_forecasts(case.answers(case.state())) for case in cases):
        raise Nonconformance("ordinary evidence: no forecast from mid-range values of the declared inputs")
    for case in cases:
        for law in LAWS:
            law(case)


def check_card(model: Model) -> None:
    """Hold the card to be complete and the inputs to be named once."""
    for part in fields(model.card):
        value = getattr(model.card, part.name)
        if not value or (isinstance(value, tuple) and not all(text.strip() for text in value)):
            raise Nonconformance(f"card: {part.name} is empty")
    signals = (*model.inputs.signals, *model.inputs.findings)
    names = [signal.name for signal in signals]
    if len(set(names)) != len(names):
        raise Nonconformance("inputs: a signal is declared twice")
    if not set(model.inputs.diagnoses) <= set(model.inputs.conditions):
        raise Nonconformance("inputs: a diagnosis is not among the conditions")
    for way in (way for choice in model.inputs.choices for way in choice):
        if not set(way) <= set(names):
            raise Nonconformance("inputs: a choice names a signal that is not declared")
    if any(not signal.unit.strip() for signal in model.inputs.signals):
        raise Nonconformance("inputs: a signal has no unit")
    if any(not finding.values for finding in model.inputs.findings):
        raise Nonconformance("inputs: a finding declares no values")


def _forecasts(answers: Answers) -> list[Forecast]:
    return [answer for answer in answers if isinstance(answer, Forecast)]


def _refused(answers: Answers) -> bool:
    return any(isinstance(answer, Refusal) for answer in answers)


def answered(case: Case) -> None:
    """Each family of the card is answered once, at the instant asked."""
    answers = case.answers(case.state())
    if sorted(answer.family for answer in answers) != sorted(case.model.card.families):
        raise Nonconformance("families: each family of the card is to be answered once")
    if any(answer.at != case.at for answer in answers):
        raise Nonconformance("families: an answer is not of the instant asked")
    for refusal in (answer for answer in answers if isinstance(answer, Refusal)):
        refusal_holds(refusal)
    for forecast in _forecasts(answers):
        forecast_holds(forecast)


def ends(case: Case) -> None:
    """A forecast that rests on a condition or treatment with a recorded end expires with it at the latest."""
    end = case.at + timedelta(hours=1)
    inputs = case.model.inputs
    records: list[Item] = [
        *(Condition(name, f"Condition/{name}/_history/1", True, until=end) for name in inputs.conditions),
        *(
            Treatment(name, f"MedicationRequest/{name}/_history/1", True, until=end)
            for name in inputs.treatments
        ),
    ]
    for record in records:
        for forecast in _forecasts(case.of(case.subject, (*case.items, record))):
            if record.source in forecast.basis and forecast.expires > end:
                raise Nonconformance("ends: a forecast outlasts a condition or treatment that it rests on")


def declared_only(case: Case) -> None:
    """Evidence of undeclared kinds changes nothing."""
    stray = "Observation/undeclared/_history/1"
    undeclared: tuple[Item, ...] = (
        Measurement("undeclared", case.at, stray, 1e9),
        Finding("undeclared", case.at, stray, "undeclared"),
        Condition("undeclared", stray, True),
        Treatment("undeclared", stray, True),
        Genotype("undeclared", stray, "undeclared"),
        Absence("undeclared", case.at, stray, "unknown"),
        Series("undeclared", case.at, stray, 1.0, (1e9,)),
        Dose("undeclared", case.at, stray, 1e9),
        Relative("MTH", "undeclared", stray),
        Implication("diagnostic", stray, ("undeclared",), ("undeclared",), ("undeclared",)),
    )
    more = Evidence.of(case.subject, (*case.items, *undeclared))
    same(case, case.state(), case.state(more), "declared inputs")


def based(case: Case) -> None:
    """The basis names given sources only, and what it does not name has no part in the risks."""
    given = {case.subject.source, *(item.source for item in case.items)}
    for forecast in _forecasts(case.answers(case.state())):
        if not forecast.basis or not set(forecast.basis) <= given:
            raise Nonconformance("basis: it names no source or one that was not given")
        if not {part.source for part in forecast.contributions if part.source} <= set(forecast.basis):
            raise Nonconformance("basis: a contribution's source is not in it")
        kept = tuple(item for item in case.items if item.source in forecast.basis)
        again = [
            other for other in _forecasts(case.of(case.subject, kept)) if other.family == forecast.family
        ]
        if [other.risks for other in again] != [forecast.risks]:
            raise Nonconformance("basis: a source that it does not name has a part in the risks")


def refuses_missing(case: Case) -> None:
    """Without a needed input there is no forecast."""
    inputs = case.model.inputs
    alone = {name for choice in inputs.choices for way in choice for name in way}
    for name in needed_names(inputs) - alone:
        _must_refuse(case, name, without(case.items, {name}), "missing input")
    for choice in inputs.choices:
        names = {name for way in choice for name in way}
        _must_refuse(case, " or ".join(sorted(names)), without(case.items, names), "missing input")
    if case.items and not _refused(case.answers(case.model.prior(case.subject, case.at))):
        raise Nonconformance("missing input: the prior alone gives a forecast where inputs are needed")


def refuses_out_of_range(case: Case) -> None:
    """A value outside the declared range is refused, not replaced."""
    for signal in case.model.inputs.signals:
        for value in _beyond(signal):
            changed = revalued(case.items, signal.name, value)
            if changed != case.items:
                _must_refuse(case, signal.name, changed, "range")
    for finding in case.model.inputs.findings:
        changed = revalued(case.items, finding.name, "undeclared-answer")
        if changed != case.items:
            _must_refuse(case, finding.name, changed, "range")


def _beyond(signal: Signal) -> Iterator[float]:
    if signal.low is not None:
        yield signal.low - 1e-3
    if signal.high is not None:
        yield signal.high + 1e-3
    if signal.low is not None or signal.high is not None:
        yield math.nan


def refuses_stale(case: Case) -> None:
    """A value past its declared age is refused."""
    for signal in (*case.model.inputs.signals, *case.model.inputs.findings):
        if signal.max_age is not None and any(signal_of(item) == signal.name for item in case.items):
            older = tuple(
                aged(item, signal.max_age) if signal_of(item) == signal.name else item for item in case.items
            )
            _must_refuse(case, signal.name, older, "age of an input")


def refuses_out_of_scope(case: Case) -> None:
    """The dead are refused, and those outside the declared ages."""
    if not _refused(case.of(replace(case.subject, deceased=True), case.items)):
        raise Nonconformance("scope: a person who has died is given a forecast")
    low, high = case.model.inputs.ages
    outside = [age for age in (low - 1, high + 1) if 0 <= age <= 130]
    for age in outside:
        subject = replace(case.subject, birth_date=date(case.at.year - age, 1, 1))
        if not _refused(case.of(subject, case.items)):
            raise Nonconformance("scope: an age outside the declared ages is given a forecast")


def refuses_undiagnosed(case: Case) -> None:
    """Without a diagnosis that the model is for there is no forecast."""
    for name in case.model.inputs.diagnoses:
        items = tuple(item for item in case.items if not (isinstance(item, Condition) and item.name == name))
        _must_refuse(case, name, items, "scope")


def every_way(case: Case) -> None:
    """Every way of every choice gives a forecast where the first way does."""
    if not _forecasts(case.answers(case.state())) or case.subject.sex is None:
        return
    for index, choice in enumerate(case.model.inputs.choices):
        for way in range(1, len(choice)):
            ways = (*(0 for _ in range(index)), way)
            other = ordinary(case.model, case.subject.sex, case.at, ways)
            if not _forecasts(other.answers(other.state())):
                raise Nonconformance(f"choices: {' and '.join(choice[way])} gives no forecast")
            refuses_out_of_range(other)


def _must_refuse(case: Case, name: str, items: tuple[Item, ...], law: str) -> None:
    if not _refused(case.of(case.subject, items)):
        raise Nonconformance(f"{law}: {name} does not lead to a refusal")


Law = Callable[[Case], None]
LAWS: tuple[Law, ...] = (
    answered,
    deterministic,
    unordered,
    resumed,
    continued,
    withdrawn,
    ends,
    declared_only,
    based,
    refuses_missing,
    refuses_out_of_range,
    refuses_stale,
    refuses_out_of_scope,
    refuses_undiagnosed,
    every_way,
    simulates,
    refuses_undeclared_plans,
    affordable,
)
