"""From an ensemble of paths to what is foretold: quantiles, chances of events, intervals that learn.

Adaptive conformal intervals [1]_ widen an interval by a radius, the quantile of past nonconformity scores
at a level that moves: up after a miss, down after a hit. Whatever the scores do, the share of misses tends
to the nominal one. Here the outcome comes a horizon later than the interval, so that what was issued is
handed back with its score; the guarantee stays, with a slower start.

Where the share of misses cannot be met otherwise the radius is infinite: the interval is then all that the
sensor can show, and ``widened`` cuts it there.

References
----------
.. [1] Gibbs I, Candès E. Adaptive conformal inference under distribution shift. NeurIPS 2021.
   arXiv:2106.00170
.. [2] Romano Y, Patterson E, Candès E. Conformalized quantile regression. NeurIPS 2019. arXiv:1905.03222
.. [3] Wilson EB. J Am Stat Assoc 1927;22:209-212. doi:10.1080/01621459.1927.10502953
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin_engine.twin import Course

Floats = NDArray[np.float64]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_Z90 = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True, slots=True)
class Event:
    """The chance of an event, with the 90 % interval that the size of the ensemble leaves."""

    probability: float
    low: float
    high: float


def course(
    signal: str,
    unit: str,
    start: datetime,
    times: ArrayLike,
    paths: ArrayLike,
    levels: tuple[float, ...] = LEVELS,
) -> Course:
    """Return the quantiles of ``paths`` (members, n) at ``times`` (n,), seconds from ``start``.

    Raises
    ------
    ValueError
        A path is not finite.
    """
    ensemble = _finite(paths)
    fan = np.maximum.accumulate(np.quantile(ensemble, levels, axis=0), axis=0)
    values = tuple((level, tuple(row)) for level, row in zip(levels, fan.tolist(), strict=True))
    return Course(signal, unit, start, tuple(np.asarray(times, float).tolist()), values)


def crossing(
    times: ArrayLike,
    paths: ArrayLike,
    limit: float,
    side: Literal["below", "above"],
    window: tuple[float, float],
    samples: int = 1,
) -> Event:
    """Return the chance that a path is beyond ``limit`` for ``samples`` times in a row within ``window``.

    ``paths`` (members, n) at ``times`` (n,); ``window`` in the same unit, both ends included. A value at the
    limit is not beyond it.

    Raises
    ------
    ValueError
        A path is not finite, or the window holds fewer than ``samples`` times.
    """
    at = np.asarray(times, float)
    seen = _finite(paths)[:, (at >= window[0]) & (at <= window[1])]
    if seen.shape[1] < samples:
        raise ValueError("the window holds fewer times than are to be beyond the limit")
    beyond = seen < limit if side == "below" else seen > limit
    runs = np.lib.stride_tricks.sliding_window_view(beyond, samples, axis=1).min(axis=2)
    return share(int(np.count_nonzero(runs.max(axis=1))), seen.shape[0])


def share(hits: int, members: int) -> Event:
    """Return ``hits`` of ``members`` as a chance with its Wilson interval [3]_."""
    z2, p = _Z90**2, hits / members
    middle = (p + z2 / (2 * members)) / (1 + z2 / members)
    half = _Z90 * math.sqrt(p * (1 - p) / members + z2 / (4 * members**2)) / (1 + z2 / members)
    return Event(p, min(max(middle - half, 0.0), p), max(min(middle + half, 1.0), p))


def _finite(paths: ArrayLike) -> Floats:
    ensemble = np.asarray(paths, float)
    if not np.isfinite(ensemble).all():
        raise ValueError("a path of the ensemble is not finite")
    return ensemble


@dataclass(frozen=True, slots=True)
class Conformal:
    """What was learned of intervals of the coverages ``nominal`` (k,), rising.

    ``alphas`` (k,) are the adapted shares of misses; ``scores`` (m,) the last at most ``window``
    nonconformity scores in the order in which they arrived. ``gamma`` is the step of the adaptation.
    """

    nominal: tuple[float, ...]
    alphas: Floats
    scores: Floats
    gamma: float
    window: int


def conformal(nominal: tuple[float, ...], gamma: float = 0.005, window: int = 1000) -> Conformal:
    """Return the state that has seen nothing: every radius is infinite."""
    return Conformal(nominal, 1 - np.array(nominal), np.empty(0), gamma, window)


def radii(known: Conformal) -> Floats:
    """Return the radius (k,) by which each interval is widened; a wider interval has no smaller one."""
    ordered = np.sort(known.scores)
    return _radii(ordered.tolist(), known.alphas.tolist())


def learned(known: Conformal, score: float, issued: Floats) -> Conformal:
    """Return what is known once the ``score`` of an interval arrived that was widened by ``issued`` (k,).

    A score is how far the outcome lies outside the interval that was widened, negative inside [2]_. One that
    is not finite, of an outcome that was never seen, teaches nothing.
    """
    if not math.isfinite(score):
        return known
    missed = score > issued
    alphas = known.alphas + known.gamma * (1 - np.array(known.nominal) - missed)
    return replace(known, alphas=alphas, scores=np.append(known.scores, score)[-known.window :])


def replayed(
    scores: ArrayLike, delay: int, nominal: tuple[float, ...], gamma: float = 0.005, window: int = 1000
) -> Floats:
    """Return the radii (..., n, k) that would have been issued over whole series of ``scores`` (..., n).

    The outcome of the i-th interval is known when the (i + ``delay``)-th is issued, ``delay`` >= 1. Each
    series learns for itself; the same as ``learned`` step by step, without sorting at each step.
    """
    series = np.asarray(scores, float)
    flat = series.reshape(-1, series.shape[-1])
    issued = [_replayed(row.tolist(), delay, nominal, gamma, window) for row in flat]
    return np.array(issued).reshape(*series.shape, len(nominal))


def _replayed(
    scores: list[float], delay: int, nominal: tuple[float, ...], gamma: float, window: int
) -> list[list[float]]:
    alphas = [1 - coverage for coverage in nominal]
    ordered: list[float] = []
    arrived: deque[float] = deque()
    issued: list[list[float]] = []
    for step in range(len(scores)):
        score = scores[step - delay] if step >= delay else math.nan
        if math.isfinite(score):
            for k, (coverage, radius) in enumerate(zip(nominal, issued[step - delay], strict=True)):
                alphas[k] += gamma * (1 - coverage - (score > radius))
            insort(ordered, score)
            arrived.append(score)
            if len(arrived) > window:
                del ordered[bisect_left(ordered, arrived.popleft())]
        issued.append(_radii(ordered, alphas).tolist())
    return issued


def _radii(ordered: list[float], alphas: list[float]) -> Floats:
    return np.maximum.accumulate([_quantile(ordered, alpha) for alpha in alphas])


def _quantile(ordered: list[float], alpha: float) -> float:
    """Return the conformal quantile: the ceil((m + 1)(1 - alpha))-th of m scores."""
    rank = math.ceil((len(ordered) + 1) * (1 - alpha) - 1e-9)
    if rank > len(ordered):
        return math.inf
    return ordered[rank - 1] if rank > 0 else -math.inf


def widened(foretold: Course, radius: ArrayLike, low: float, high: float) -> Course:
    """Return ``foretold`` with each central interval widened by its ``radius`` (k,) or (k, n).

    The levels of the course lie symmetrically about 0.5, k pairs of them, and radii begin with the narrowest.
    Values stay within ``low``..``high``, and no quantile passes another or the median.
    """
    levels = [level for level, _ in foretold.quantiles]
    fan = np.array([values for _, values in foretold.quantiles])
    middle = len(levels) // 2
    wider = np.broadcast_to(np.asarray(radius, float).T, (fan.shape[1], middle)).T
    lower = np.minimum(fan[:middle][::-1] - wider, fan[middle])
    upper = np.maximum(fan[middle + 1 :] + wider, fan[middle])
    below, above = np.minimum.accumulate(lower)[::-1], np.maximum.accumulate(upper)
    rows = np.clip(np.concatenate([below, fan[middle : middle + 1], above]), low, high).tolist()
    values = tuple((level, tuple(row)) for level, row in zip(levels, rows, strict=True))
    return replace(foretold, quantiles=values)
