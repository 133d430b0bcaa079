"""Laws of a model's state: from which evidence it follows, and that nothing else has a part in it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from twin_engine.answers import Nonconformance
from twin_engine.encoding import decode, encode, encode_forecasts
from twin_engine.specimen import SEED, Case
from twin_engine.twin import Evidence, Finding, Measurement


def same(case: Case, one: Any, other: Any, law: str) -> None:  # states of the model's own type
    """Hold two states and their forecasts to be the same."""
    if encode(one) != encode(other):
        raise Nonconformance(f"{law}: the state differs")
    if encode_forecasts(case.answers(one)) != encode_forecasts(case.answers(other)):
        raise Nonconformance(f"{law}: the forecast differs")


def deterministic(case: Case) -> None:
    """The same evidence and the same random numbers give the same state and forecast."""
    same(case, case.state(), case.state(), "determinism")
    state = case.state()
    if encode_forecasts(case.answers(state)) != encode_forecasts(case.answers(state)):
        raise Nonconformance("determinism: a forecast changes the state")


def unordered(case: Case) -> None:
    """The order and the repetition of evidence change nothing."""
    own = case.evidence()
    shuffled = random.Random(SEED)  # noqa: S311  # an order, not a secret
    for _ in range(3):
        same(case, case.state(), case.state(_mixed(own, shuffled)), "order")
    state = case.state()
    same(case, state, case.model.assimilate(state, own, case.at), "repetition")


def _mixed(evidence: Evidence, order: random.Random) -> Evidence:
    def mixed(items: tuple[Any, ...]) -> tuple[Any, ...]:
        doubled = [*items, *items[::2]]
        order.shuffle(doubled)
        return tuple(doubled)

    return replace(evidence, measurements=mixed(evidence.measurements), findings=mixed(evidence.findings))


def resumed(case: Case) -> None:
    """A stored state resumes bit for bit."""
    state = case.state()
    again = decode(case.model.state_type, encode(state))
    same(case, state, again, "resume")
    prior = case.model.prior(case.subject, case.at)
    again = decode(case.model.state_type, encode(prior))
    same(case, case.state(), case.model.assimilate(again, case.evidence(), case.at), "resume")


def continued(case: Case) -> None:
    """A state that knew a part of the evidence, whichever, arrives where one from the prior does."""
    for earlier in _moments(case):
        prior = case.model.prior(case.subject, earlier)
        whole = case.model.assimilate(prior, case.evidence(), case.at)
        for part in (case.items, case.items[::2], case.items[1::2], case.items[:1], case.items[-1:]):
            known = case.model.assimilate(prior, Evidence.of(case.subject, part), earlier)
            stored = decode(case.model.state_type, encode(known))
            again = case.model.assimilate(stored, case.evidence(), case.at)
            same(case, whole, again, "continuation")


def _moments(case: Case) -> set[datetime]:
    """Return instants by which none, some and all of the evidence was known."""
    times = sorted(item.time for item in case.items if isinstance(item, Measurement | Finding))
    return {case.at - timedelta(days=1), case.at, *times[len(times) // 2 :][:1]}


def withdrawn(case: Case) -> None:
    """A state that knew more than is left arrives where one that never knew it does."""
    prior = case.model.prior(case.subject, case.at)
    for kept in (case.items[::2], case.items[:-1], ()):
        left = Evidence.of(case.subject, kept)
        known = case.model.assimilate(case.state(), left, case.at)
        same(case, case.model.assimilate(prior, left, case.at), known, "withdrawal")
