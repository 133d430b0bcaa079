"""Is a model still as good as it promises? A test that may be looked at after every single outcome.

The evidence against a promise is an e-process: what a gambler would have made of 1 who bets against it, all
bets being fair or worse while the promise holds. It exceeds 1/error ever with a probability of at most
``error``, however often one looks (Ville's inequality) [1]_. The gambler spreads the stake over several sizes
of violation, and the evidence depends on sums alone, so that it is computed from tallies, in any order.

- A share of misses above its limit: the likelihood ratio of a Bernoulli with larger odds.
- More events than foretold: exp(t O - (e^t - 1) r E) for O events against E foretold and the ratio r, fair
  because E[exp(t y)] = 1 + p (e^t - 1) <= exp(p (e^t - 1)) for any event of probability p.

Forecasts whose periods overlap share their outcome and would be counted twice: of one person, only such count
as are apart, each begun after the last one counted was over [2]_.

References
----------
.. [1] Ramdas A, Grünwald P, Vovk V, Shafer G. Stat Sci 2023;38:576-601. doi:10.1214/23-STS894
.. [2] Henzi A, Ziegel JF. Biometrika 2022;109:647-663. doi:10.1093/biomet/asab047; corrected 109:1181
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from twin_engine.calibration import Bin, Limits, Line, line
from twin_engine.scoring import Group, Tally

State = Literal["sound", "drifting"]

# How much larger than promised odds or numbers may be: what is bet on.
MULTIPLES = (1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
# Among how many tests (measures, horizons, groups, two sides each) the chance of error is divided.
TESTS = 400
_EQUAL = 1e-9  # two levels no farther apart are one


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the outcomes say of a model; ``reasons`` are for people and name no person."""

    state: State
    reasons: tuple[str, ...] = ()


def excess_of_rate(hits: int, trials: int, limit: float) -> float:
    """Return the log-evidence that something happens more often than in the share ``limit`` of trials."""
    if not 0 < limit < 1:
        return 0.0
    gains = []
    for multiple in MULTIPLES:
        odds = multiple * limit / (1 - limit)
        larger = odds / (1 + odds)
        gains.append(hits * math.log(larger / limit) + (trials - hits) * math.log((1 - larger) / (1 - limit)))
    return _mean(gains)


def excess_of_events(observed: float, expected: float, ratio: float) -> float:
    """Return the log-evidence that more than ``ratio`` events happen for each that is foretold."""
    return _mean([observed * math.log(m) - (m - 1) * ratio * expected for m in MULTIPLES])


def lack_of_events(observed: float, expected: float, ratio: float) -> float:
    """Return the log-evidence that fewer than ``ratio`` events happen for each that is foretold."""
    return _mean([-observed * math.log(m) - (1 / m - 1) * ratio * expected for m in MULTIPLES])


def _mean(logs: list[float]) -> float:
    return float(np.logaddexp.reduce(logs)) - math.log(len(logs))


def verdict(limits: Limits, tallies: Iterable[Tally]) -> Verdict:
    """Return whether what was counted can be reconciled with what is promised."""
    groups: dict[Group, list[Tally]] = defaultdict(list)
    for tally in tallies:
        if tally.apart:
            for group in tally.groups():
                groups[group].append(tally)
    proof = math.log(max(TESTS, 2 * len(groups)) / limits.error)
    found = [
        f"{side}: {group}"
        for group, mine in sorted(groups.items())
        for side, evidence in _tested(limits, group, mine)
        if evidence >= proof
    ]
    return Verdict("drifting", tuple(found)) if found else Verdict("sound")


def _tested(limits: Limits, group: Group, mine: list[Tally]) -> Iterator[tuple[str, float]]:
    if group.kind == "course" and limits.coverage is not None:
        missed = misses(mine, limits.level)
        if missed is not None:
            n = sum(tally.n for tally in mine)
            yield "intervals too narrow", excess_of_rate(missed, n, 1 - limits.coverage[0])
            yield "intervals too wide", excess_of_rate(n - missed, n, limits.coverage[1])
    elif group.kind == "risk" and limits.ratio is not None:
        observed, expected = sum(one.observed for one in mine), sum(one.expected for one in mine)
        yield "fewer foretold than happened", excess_of_events(observed, expected, limits.ratio[1])
        yield "more foretold than happened", lack_of_events(observed, expected, limits.ratio[0])


def misses(tallies: Iterable[Tally], level: float) -> int | None:
    """Return how many values lay outside the central interval; None where its quantiles were not foretold."""
    low, high, missed = (1 - level) / 2, (1 + level) / 2, 0
    for tally in tallies:
        below, above = tally.between
        if any(below < edge - _EQUAL and above > edge + _EQUAL for edge in (low, high)):
            return None
        missed += tally.n * (above <= low + _EQUAL or below >= high - _EQUAL)
    return missed


@dataclass(frozen=True, slots=True)
class Record:
    """How the forecasts of a group did.

    ``n`` of them, ``apart`` of which share no outcome; the mean ``loss``. For courses ``coverage`` of the
    central interval asked for, None where it was not foretold, and the mean ``width`` of the widest. For
    risks how many events came, ``observed``, and were ``expected``, with the reliability ``bins`` and the
    calibration ``line`` through them.
    """

    group: Group
    n: int
    apart: int
    loss: float
    coverage: float | None = None
    width: float | None = None
    observed: float = 0.0
    expected: float = 0.0
    bins: tuple[Bin, ...] = ()
    line: Line | None = None


def records(tallies: Iterable[Tally], level: float = Limits().level) -> tuple[Record, ...]:
    """Return how each group's forecasts did, those of everybody before those of parts."""
    groups: dict[Group, list[Tally]] = defaultdict(list)
    for tally in tallies:
        for group in tally.groups():
            groups[group].append(tally)
    return tuple(_record(group, mine, level) for group, mine in sorted(groups.items()))


def _record(group: Group, mine: list[Tally], level: float) -> Record:
    n = sum(one.n for one in mine)
    apart = sum(one.n for one in mine if one.apart)
    bare = Record(group, n, apart, sum(one.loss for one in mine) / n)
    if group.kind == "course":
        missed = misses(mine, level)
        coverage = None if missed is None else 1 - missed / n
        return replace(bare, coverage=coverage, width=sum(one.width for one in mine) / n)
    bins = _bins(mine)
    fitted = line([b.foretold for b in bins], [b.happened for b in bins], [b.count for b in bins])
    observed, expected = sum(one.observed for one in mine), sum(one.expected for one in mine)
    return replace(bare, observed=observed, expected=expected, bins=bins, line=fitted)


def _bins(mine: list[Tally]) -> tuple[Bin, ...]:
    alike: dict[tuple[float, float], list[Tally]] = defaultdict(list)
    for tally in mine:
        alike[tally.between].append(tally)
    counted = [(sum(one.n for one in each), each) for _, each in sorted(alike.items())]
    return tuple(
        Bin(n, sum(one.expected for one in each) / n, sum(one.observed for one in each) / n)
        for n, each in counted
    )
