"""The law of what a model's work costs: counted, not timed, so that it is the same on every machine.

What is written in C or compiled counts as one call, however long it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import FrameType
from typing import Any

import msgspec

from twin_engine.answers import Nonconformance
from twin_engine.encoding import encode
from twin_engine.specimen import Case, aged, signal_of
from twin_engine.twin import Finding, Item, Measurement

TIMES = 20  # as much evidence as an ordinary person's, each part from an hour before the last
CALLS = 50_000
CALLS_PER_ITEM = 1_000
STATE_BYTES = 2**20


def affordable(case: Case) -> None:
    """Twenty times the evidence leads to a bounded number of calls and to a state under 1 MB."""
    more = replace(case, items=_repeated(case.items))
    state = more.state()
    more.answers(state)  # what is loaded or compiled once is not counted
    if _calls(lambda: more.answers(more.state())) > CALLS + CALLS_PER_ITEM * len(more.items):
        raise Nonconformance("cost: too many calls for the evidence given")
    if len(encode(state)) > STATE_BYTES:
        raise Nonconformance("cost: the state is over 1 MB")


def _repeated(items: tuple[Item, ...]) -> tuple[Item, ...]:
    timed = [item for item in items if signal_of(item) is not None]
    return (*items, *(_before(item, hours) for hours in range(1, TIMES) for item in timed))


def _before(item: Item, hours: int) -> Item:
    """Return ``item`` as another resource told it ``hours`` before."""
    older, source = aged(item, timedelta(hours=hours)), f"Observation/{hours}-before-{item.source}"
    if isinstance(older, Measurement):
        return msgspec.structs.replace(older, source=source)
    return replace(older, source=source) if isinstance(older, Finding) else older


def _calls(work: Callable[[], object]) -> int:
    """Return how many calls of Python's the work takes, in all modules."""
    count = 0

    def tally(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
