"""Whether proposals keep the limits, told apart from how they were made.

Nothing here is shared with ``limits.bounded``: what is proposed is laid out minute by minute as it would be
given, and looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from twin_engine.models.glucose.limits import Limits, Situation
from twin_engine.models.glucose.record import FAST
from twin_engine.twin import Proposal

RESEARCH = "Research use only. Not for treatment."
UNIT = "[iU]"
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(minutes=10)
_SLACK = 1e-6


def violations(proposals: Sequence[Proposal], situation: Situation, limits: Limits) -> tuple[str, ...]:
    """Return every limit that ``proposals``, all of one moment, break."""
    if not proposals:
        return ()
    return (
        *_of_form(proposals),
        *_of_knowledge(situation, limits),
        *_of_amount(proposals, situation, limits),
    )


def _of_form(proposals: Sequence[Proposal]) -> Iterator[str]:
    if len({one.hourly for one in proposals}) < len(proposals):
        yield "more than one basal rate or bolus"
    for one in proposals:
        if one.treatment != FAST or one.unit != UNIT or one.amount is None:
            yield "something other than an amount of rapid-acting insulin"
        elif not 0 <= one.amount < float("inf"):
            yield "an amount that is none"
        if not (one.at <= one.start and _SHORTEST <= one.until - one.at <= _LONGEST):
            yield "no expiry within ten minutes"
        if RESEARCH not in one.rationale or not one.limits:
            yield "a use that is not said"


def _of_knowledge(situation: Situation, limits: Limits) -> Iterator[str]:
    """Yield what is not known; a number that is none compares as false, so each must be told to hold."""
    if not 0 <= situation.age <= limits.fresh:
        yield "glucose that is old"
    if not 0 <= situation.width <= limits.width:
        yield "an uncertain forecast"
    if not (0 < situation.glucose < 1e4 and 0 <= situation.foretold < 1e4):
        yield "glucose that is not known"
    if not (0 < situation.weight < 1e4 and 0 <= situation.usual < 1e4):
        yield "a person who is not known"
    if not (0 <= situation.on_board < 1e4 and 0 <= situation.day < 1e4 and situation.since_bolus >= 0):
        yield "insulin that is not known"


def _of_amount(proposals: Sequence[Proposal], situation: Situation, limits: Limits) -> Iterator[str]:
    boluses = sum(one.amount or 0.0 for one in proposals if not one.hourly and not one.withhold)
    rates = [0.0 if one.withhold else one.amount or 0.0 for one in proposals if one.hourly]
    low = not (situation.glucose >= limits.suspend and situation.foretold >= limits.suspend)
    if low and (boluses > 0 or any(rate > 0 for rate in rates)):
        yield "insulin while glucose is low or going to be"
    if boluses > limits.bolus + _SLACK:
        yield "a bolus above the largest"
    if boluses > 0 and not situation.since_bolus >= limits.interval:
        yield "a bolus too soon after another"
    running = situation.running
    for rate in rates:
        if running is None or not rate <= running + limits.basal_rise * situation.usual + _SLACK:
            yield "a basal rate that rises too fast"
        if not rate <= limits.basal_factor * situation.usual + _SLACK:
            yield "a basal rate above the highest"
    added = _added(proposals, boluses, situation.usual)
    if added > 0:
        if not (situation.on_board + added) / situation.weight <= limits.on_board + _SLACK:
            yield "too much insulin on board"
        if not (situation.day + added) / situation.weight <= limits.day + _SLACK:
            yield "too much insulin in a day"


def _added(proposals: Sequence[Proposal], boluses: float, usual: float) -> float:
    """Return what the proposals give beyond the usual basal rate until they expire, in U."""
    given = np.zeros(int(_LONGEST / timedelta(minutes=1)))
    for one in proposals:
        if one.hourly and not one.withhold and one.amount is not None:
            minutes = round((one.until - one.at) / timedelta(minutes=1))
            given[:minutes] += max(one.amount - usual, 0.0) / 60
    return boluses + float(given.sum())
