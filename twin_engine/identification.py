"""Identification of a person's parameters: the most probable ones, and their whole posterior.

The posterior of a physiological model has several summits, so least squares begins at many points, and the
sampler is a population whose members learn their steps from each other: differential evolution Markov chain
(ter Braak 2006, doi:10.1007/s11222-006-8769-1) with snooker steps (ter Braak & Vrugt 2008,
doi:10.1007/s11222-008-9104-9). Both take functions of a batch of points, so that a compiled model is called
once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Residuals = Callable[[Array], Array]
LogDensity = Callable[[Array], Array]

_STEP = float(np.sqrt(np.finfo(np.float64).eps))
# Every tenth step goes the whole way between two members, which lets it change summits; another tenth is a
# snooker step: the shares that ter Braak & Vrugt recommend.
_WHOLE, _SNOOKER = 0.1, 0.1


@dataclass(frozen=True, slots=True)
class Fit:
    """The best of several descents: ``point`` (p,), half its sum of squares, and those of all starts (s,)."""

    point: Array
    objective: float
    objectives: Array


@dataclass(frozen=True, slots=True)
class Posterior:
    """Draws (steps, chains, p) with their log density (steps, chains), and the share of accepted steps."""

    draws: Array
    log_density: Array
    accepted: float

    def flat(self) -> Array:
        """Return all draws (steps * chains, p)."""
        return self.draws.reshape(-1, self.draws.shape[-1])


def fitted(residuals: Residuals, low: Array, high: Array, starts: Array) -> Fit:
    """Return the best fit within ``low``..``high`` (p,) over descents from ``starts`` (s, p).

    ``residuals`` turns points (n, p) into residuals (n, k), priors among them. Trust-region reflective least
    squares (Branch, Coleman & Li 1999, doi:10.1137/S1064827595289108) with a Jacobian of differences.
    """
    from scipy.optimize import least_squares

    def jacobian(point: Array) -> Array:
        return _differences(residuals, point, high)

    inner = np.clip(starts, low + 1e-6 * (high - low), high - 1e-6 * (high - low))
    found = [
        least_squares(lambda x: residuals(x[None])[0], start, jacobian, (low, high), ftol=1e-5, max_nfev=100)
        for start in inner
    ]
    best = min(found, key=lambda one: float(one.cost))
    return Fit(best.x, float(best.cost), np.array([one.cost for one in found]))


def _differences(residuals: Residuals, point: Array, high: Array) -> Array:
    """Return the Jacobian (k, p) by forward differences, backward where a bound is in the way."""
    step = _STEP * np.maximum(np.abs(point), 1.0)
    step = np.where(point + step > high, -step, step)
    found = residuals(np.vstack((point, point + np.diag(step))))
    return np.asarray((found[1:] - found[0]).T / step, np.float64)


def sampled(
    log_density: LogDensity, starts: Array, steps: int, rng: np.random.Generator, burn: int = 0
) -> Posterior:
    """Return the posterior drawn by as many chains as ``starts``: ``steps`` of each after ``burn`` others.

    ``log_density`` turns points (n, p) into numbers (n,), minus infinity where a point is impossible. In each
    step one half of the chains moves by differences within the other half, then the other by the first.
    """
    x = np.array(starts, np.float64)
    value = log_density(x)
    halves = np.array_split(np.arange(len(x)), 2)
    draws, values, moves = np.empty((steps, *x.shape)), np.empty((steps, len(x))), 0
    for step in range(burn + steps):
        for mine, others in (halves, halves[::-1]):
            proposed, tilt = _proposal(x[mine], x[others], rng)
            found = log_density(proposed)
            taken = np.log(rng.random(len(mine))) < found - value[mine] + tilt
            x[mine[taken]], value[mine[taken]] = proposed[taken], found[taken]
            moves += int(taken.sum()) if step >= burn else 0
        if step >= burn:
            draws[step - burn], values[step - burn] = x, value
    return Posterior(draws, values, moves / (steps * len(x)))


def _proposal(x: Array, others: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return new points for ``x`` (n, p) and the logarithm of what their acceptance is multiplied by."""
    n, p = x.shape
    one, two, three = (others[index] for index in _three(n, len(others), rng))
    if rng.random() < _SNOOKER:
        return _snooker(x, one, two, three, rng)
    scale = 1.0 if rng.random() < _WHOLE else 2.38 / np.sqrt(2 * p)
    return x + scale * (one - two) + rng.normal(0, 1e-6, x.shape), np.zeros(n)


def _three(n: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
    """Return three different members for each of ``n``."""
    order = np.argsort(rng.random((n, size)), axis=1)
    return order[:, 0], order[:, 1], order[:, 2]


def _snooker(
    x: Array, anchor: Array, one: Array, two: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Step along the line through an anchor by the difference of two projections on it."""
    line = x - anchor
    length = np.maximum(np.einsum("ij,ij->i", line, line), np.finfo(np.float64).tiny)
    share = np.einsum("ij,ij->i", one - two, line) / length
    proposed = x + (rng.uniform(1.2, 2.2, len(x)) * share)[:, None] * line
    after = np.einsum("ij,ij->i", proposed - anchor, proposed - anchor)
    return proposed, 0.5 * (x.shape[1] - 1) * np.log(np.maximum(after, np.finfo(np.float64).tiny) / length)


def spread(draws: Array) -> Array:
    """Return the potential scale reduction of each parameter (p,), of chains split in two.

    Near 1 where the chains agree: Gelman et al. 2013, Bayesian Data Analysis, section 11.4. ``draws`` are
    (steps, chains, p).
    """
    between, within, steps = _variances(_split(draws))
    return np.asarray(np.sqrt((steps - 1) / steps + between / (steps * within)), np.float64)


def effective(draws: Array) -> Array:
    """Return the effective number of draws of each parameter (p,): section 11.5 of the same book.

    ``draws`` are (steps, chains, p). Autocorrelations are summed as long as pairs of them are positive (Geyer
    1992, doi:10.1214/ss/1177011137).
    """
    split = _split(draws)
    between, within, steps = _variances(split)
    total = (steps - 1) / steps * within + between / steps
    rho = 1 - (within - np.mean(_autocovariance(split), axis=1)) / total
    pairs = rho[: steps // 2 * 2].reshape(-1, 2, rho.shape[-1]).sum(axis=1)
    kept = np.cumprod(pairs > 0, axis=0)
    return np.asarray(split.shape[0] * split.shape[1] / np.maximum(2 * (kept * pairs).sum(axis=0) - 1, 1e-3))


def _split(draws: Array) -> Array:
    half = len(draws) // 2
    return np.concatenate((draws[:half], draws[half : 2 * half]), axis=1)


def _variances(draws: Array) -> tuple[Array, Array, int]:
    steps = len(draws)
    between = steps * np.var(np.mean(draws, axis=0), axis=0, ddof=1)
    within = np.mean(np.var(draws, axis=0, ddof=1), axis=0)
    return between, np.maximum(within, np.finfo(np.float64).tiny), steps


def _autocovariance(draws: Array) -> Array:
    """Return autocovariances (steps, chains, p) by the fast Fourier transform."""
    steps = len(draws)
    centred = draws - draws.mean(axis=0)
    power = np.abs(np.fft.rfft(centred, 2 * steps, axis=0)) ** 2
    return np.asarray(np.fft.irfft(power, axis=0)[:steps] / steps, np.float64)
