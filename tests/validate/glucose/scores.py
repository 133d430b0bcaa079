"""Scores of forecasts: paired differences, coverage of intervals, alarms of low glucose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tests.validate.glucose.protocol import DUE, WARM, Person
from twin_engine.models.glucose.learned_features import SAME, usable
from twin_engine.models.glucose.metrics import LOW, Episode, episodes
from twin_engine.prediction import replayed

Array = NDArray[np.float64]

NOMINAL = 0.9
AHEAD = 60.0  # minutes before a low in which an alarm is of use; as long is silence after an alarm
_DAY = 1440.0


def better(ours: Array, theirs: Array) -> tuple[float, float, float]:
    """Return by how many percent the mean of ``ours`` (n,) is below that of ``theirs``, with a 95 % interval.

    People are drawn again with replacement, each with both errors.
    """
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, len(ours), (10_000, len(ours)))
    gains = 100 * (1 - ours[drawn].mean(axis=1) / theirs[drawn].mean(axis=1))
    low, high = np.quantile(gains, (0.025, 0.975)).tolist()
    return 100 * (1 - float(ours.mean() / theirs.mean())), low, high


def covered(person: Person, foretold: Array, spread: Array) -> tuple[Array, Array]:
    """Return shares of outcomes within, and median widths (mg/dL) of, the 90 % intervals at both horizons.

    Intervals learn from three fifths of the record on; only those of the test are scored. An outcome is told
    only when all readings up to its time are in.
    """
    follows = usable(person.trace) & (person.trace.minutes >= person.after(WARM))
    tested = person.scored[follows]
    shares, widths = [], []
    for k, due in enumerate(DUE):
        size = spread[follows, k]
        scores = np.abs(foretold - person.truth)[follows, k] / size
        radius = replayed(scores, int(due / SAME) + 1, (NOMINAL,))[:, 0]
        counts = tested & np.isfinite(scores)
        shares.append(float(np.mean((scores <= radius)[counts])))
        widths.append(float(np.median((2 * radius * size)[counts])))
    return np.array(shares), np.array(widths)


def alarms(people: Sequence[Person], looks: Mapping[str, Array]) -> tuple[float, float, dict[str, float]]:
    """Return sensitivity (%) at one false alarm a day, minutes of warning, and each person's sensitivity.

    An alarm sounds when glucose is not low but what it ``looks`` like (n,) falls under a threshold, the same
    for all people; it is true where a low of 15 minutes begins within the hour. The threshold is the one at
    which there is one false alarm a person and day.
    """
    low, high = np.nanquantile(np.concatenate([looks[one.name][one.scored] for one in people]), (0, 1))
    for _ in range(15):
        middle = (low + high) / 2
        if _false(people, looks, middle) <= 1:
            low = middle
        else:
            high = middle
    found = {person.name: _warned(person, looks[person.name], low) for person in people}
    every = [minutes for one in found.values() for minutes in one]
    heard = [minutes for minutes in every if minutes > 0]
    shares = {name: 100 * float(np.mean(np.array(one) > 0)) for name, one in found.items() if one}
    warning = float(np.median(heard)) if heard else 0.0
    return 100 * len(heard) / max(len(every), 1), warning, shares


def _lows(person: Person) -> list[Episode]:
    found = episodes(person.trace.minutes, person.trace.glucose, LOW)
    return [one for one in found if one.start >= person.begin + AHEAD]


def _sounded(person: Person, look: Array, threshold: float) -> Array:
    """Return the minutes of alarms."""
    under = person.scored & (person.trace.glucose >= LOW) & (look < threshold)
    minutes: list[float] = []
    for minute in person.trace.minutes[under].tolist():
        if not minutes or minute - minutes[-1] >= AHEAD:
            minutes.append(minute)
    return np.array(minutes)


def _false(people: Sequence[Person], looks: Mapping[str, Array], threshold: float) -> float:
    """Return false alarms a person and day."""
    wrong, days = 0, 0.0
    for person in people:
        begins = np.array([one.start for one in episodes(person.trace.minutes, person.trace.glucose, LOW)])
        at = _sounded(person, looks[person.name], threshold)
        true = ((begins > at[:, None]) & (begins <= at[:, None] + AHEAD)).any(axis=1)
        wrong += int(np.sum(~true))
        days += len(np.unique(person.trace.minutes[person.scored] // 5)) * 5 / _DAY
    return wrong / days


def _warned(person: Person, look: Array, threshold: float) -> list[float]:
    """Return for each low by how many minutes it was told before, 0 where it was not."""
    at = _sounded(person, look, threshold)
    before = [one.start - at[(at < one.start) & (at >= one.start - AHEAD)] for one in _lows(person)]
    return [float(minutes.max(initial=0.0)) for minutes in before]
