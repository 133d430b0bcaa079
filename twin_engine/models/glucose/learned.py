"""Forecasts of glucose learned from people, and from day to day from the one person.

A few small networks, taught on other people, turn what was known at a reading (``learned_features``) into
features; these and the plain ones are weighed together linearly, for each horizon, into the change of glucose
to come. The weights are one person's own: every midnight they are the least squares over that person's past,
older days counting less, beside which the means over the population count as ``WORTH`` minutes of readings.
So a new person starts with the population's weights and moves away from them as the own record grows.
Weights follow from sums over the record, so the order in which readings became known does not matter.

What is foretold is a change of glucose and how large the error usually is (``spread``); an interval
comes from both by the adaptive conformal radius (``twin_engine.prediction``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin_engine.models.glucose.learned_features import (
    DAY,
    HORIZONS,
    NAMES,
    Trace,
    features,
    targets,
    usable,
)
from twin_engine.models.glucose.learned_network import Network, Single, begun, hidden, rounded, taught
from twin_engine.models.glucose.learned_population import Population, shipped

Array = NDArray[np.float64]

__all__ = ["Foretold", "Population", "Sums", "fitted", "followed", "foretold", "shipped", "summed", "weights"]

WORTH = 10000.0  # minutes of readings
FADES = 90.0  # days after which a day counts a third
MEMBERS, EPOCHS = 3, 10
_EVERY = 5.0  # minutes: readings of the population are thinned to about twice this
_REACH = 6.0  # standard deviations that a feature may be away from its mean
_SCALE = np.array([12.0, 22, 29, 35, 42, 47])  # mg/dL: about the errors at the horizons
_RIDGE = 1e-6
_LEAST = 2.0  # mg/dL: no forecast is surer than that


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over one person's past, per network: ``gram`` (k, f, f) and ``cross`` (k, f, 6)."""

    gram: Array
    cross: Array


@dataclass(frozen=True, slots=True)
class Foretold:
    """Glucose (n, 6) in mg/dL at ``HORIZONS`` after each reading, and the usual size of the error (n, 6)."""

    glucose: Array
    spread: Array


def fitted(people: Sequence[Trace], seed: int = 1, names: tuple[str, ...] = NAMES) -> Population:
    """Return what the ``people`` teach; each counts by the root of the length of the record."""
    parts = [_lessons(person, names) for person in people]
    x = np.concatenate([part[0] for part in parts])
    y = np.concatenate([part[1] for part in parts])
    weight = np.concatenate([np.full(len(part[0]), len(part[0]) ** -0.5) for part in parts])
    weight /= weight.sum()
    mean, sd = x.mean(0), x.std(0) + 1e-6
    z = _standardised(x, mean, sd)
    networks = tuple(_taught(z, y, weight, seed + k) for k in range(MEMBERS))
    sums = [_means(network, z, y, weight) for network in networks]
    gram, cross, spread = (np.array(one) for one in zip(*sums, strict=True))
    return Population(names, mean, sd, networks, gram, cross, spread)


def _lessons(person: Trace, names: tuple[str, ...]) -> tuple[Array, Array]:
    """Return features and changes at about every ten minutes of a record."""
    y = targets(person)[0] - person.glucose[:, None]
    rows = np.flatnonzero(usable(person) & ~np.isnan(y).any(axis=1))
    step = max(round(2 * _EVERY / float(np.median(np.diff(person.minutes)))), 1)
    return features(person, names)[rows[::step]], y[rows[::step]]


def _standardised(x: Array, mean: Array, sd: Array) -> Single:
    return np.clip((x - mean) / sd, -_REACH, _REACH).astype(np.float32)


def _taught(z: Single, y: Array, weight: Array, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    blank = begun(z.shape[1], len(HORIZONS), rng)
    scaled, counts = (y / _SCALE).astype(np.float32), (weight * len(z)).astype(np.float32)
    return rounded(taught(blank, z, scaled, counts, EPOCHS, rng))


def _means(network: Network, z: Single, y: Array, weight: Array) -> tuple[Array, Array, Array]:
    h = _weighed(network, z)
    weighted = h * weight[:, None]
    gram, cross = weighted.T @ h, weighted.T @ y
    error = np.abs(y - h @ _solved(gram, cross))
    return gram, cross, _solved(gram, weighted.T @ error)


def _weighed(network: Network, z: Single) -> Array:
    """Return what is weighed (n, f): the hidden layers, the plain features and a constant."""
    return np.hstack([hidden(network, z), z, np.ones((len(z), 1))]).astype(np.float64)


def _solved(gram: Array, cross: Array) -> Array:
    size = gram.shape[-1]
    ridge = _RIDGE * np.trace(gram, axis1=-2, axis2=-1)[..., None, None] * np.eye(size)
    return np.asarray(np.linalg.solve(gram + ridge, cross), np.float64)


def weights(population: Population, own: Sums | None = None) -> Array:
    """Return the weights (k, f, 6) of a person with the sums ``own``; the population's without any."""
    if own is None:
        return _solved(population.gram, population.cross)
    return _solved(own.gram + WORTH * population.gram, own.cross + WORTH * population.cross)


def summed(population: Population, trace: Trace, at: float) -> Sums:
    """Return the sums over what was known of a person at minute ``at``."""
    known = trace.until(at)
    return _Record.of(population, known).sums(-np.inf, at, at)


def foretold(population: Population, own: Array, trace: Trace) -> Foretold:
    """Return forecasts (n, 6) from each reading of ``trace`` by the weights ``own`` (k, f, 6)."""
    record = _Record.of(population, trace)
    return record.foretold(own, np.arange(len(trace.minutes)))


def followed(population: Population, trace: Trace) -> Foretold:
    """Return what would have been foretold at each reading, weights being learned anew every midnight."""
    record = _Record.of(population, trace)
    at = trace.minutes
    days = np.unique(at // DAY)
    k, f, h = population.cross.shape
    own = Sums(np.zeros((k, f, f)), np.zeros((k, f, h)))
    found = Foretold(np.empty((len(at), h)), np.empty((len(at), h)))
    last = -np.inf
    for midnight in (days * DAY).tolist():
        own = _added(own, record.sums(last, midnight, midnight), midnight - last)
        rows = np.flatnonzero(at // DAY == midnight // DAY)
        part = record.foretold(weights(population, own), rows)
        found.glucose[rows], found.spread[rows] = part.glucose, part.spread
        last = midnight
    return found


def _added(own: Sums, more: Sums, minutes: float) -> Sums:
    kept = np.exp(-minutes / DAY / FADES)
    return Sums(kept * own.gram + more.gram, kept * own.cross + more.cross)


@dataclass(frozen=True, slots=True)
class _Record:
    """One person's record as the networks see it, with what each reading teaches and when."""

    population: Population
    trace: Trace
    weighed: tuple[Array, ...]
    change: Array
    known: Array
    counts: Array

    @classmethod
    def of(cls, population: Population, trace: Trace) -> _Record:
        z = _standardised(features(trace, population.names), population.mean, population.sd)
        later, known = targets(trace)
        teaches = usable(trace) & ~np.isnan(later).any(axis=1)
        return cls(
            population,
            trace,
            tuple(_weighed(network, z) for network in population.networks),
            np.nan_to_num(later - trace.glucose[:, None]),
            np.where(teaches, known[:, -1], np.inf),
            np.minimum(np.diff(trace.minutes, prepend=trace.minutes[:1]), 15.0),
        )

    def sums(self, begin: float, end: float, at: float) -> Sums:
        """Return the sums over what became known from ``begin`` until ``end``, as they count at ``at``."""
        rows = np.flatnonzero((self.known >= begin) & (self.known < end))
        counts = self.counts[rows] * np.exp((self.known[rows] - at) / DAY / FADES)
        grams, crosses = [], []
        for h in (one[rows] for one in self.weighed):
            weighted = h * counts[:, None]
            grams.append(weighted.T @ h)
            crosses.append(weighted.T @ self.change[rows])
        return Sums(np.array(grams), np.array(crosses))

    def foretold(self, own: Array, rows: NDArray[np.int_]) -> Foretold:
        """Return the means of the networks' forecasts from the readings ``rows``."""
        pairs = list(zip(self.weighed, own, self.population.spread, strict=True))
        change = np.mean([h[rows] @ w for h, w, _ in pairs], axis=0)
        spread = np.mean([h[rows] @ s for h, _, s in pairs], axis=0)
        return Foretold(self.trace.glucose[rows, None] + change, np.maximum(spread, _LEAST))
