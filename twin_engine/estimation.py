"""Estimation in time: ensembles that meet observations, and where to begin again when the past changed.

A filter carries an ensemble from one observation to the next. What it has become must follow from the
evidence alone, and not from the order in which that arrived, so late or withdrawn data means to run again
from before them. A ``Checkpoint`` keeps the ensemble of an instant together with a digest of everything
that was used up to it: as long as the digest of today's evidence agrees, the filter may begin there, and
comes to the same bits as from the beginning. Noise depends on the instant, not on the way there
(``ensemble.normal``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Instants = NDArray[np.int64]


def assimilated(
    members: Array, foretold: Array, observed: Array, variance: Array, inflation: float = 1.0
) -> Array:
    """Return members (N, n) that know ``observed`` (m,), whose errors are independent with ``variance`` (m,).

    ``foretold`` (N, m) is what each member says of it. A member holds whatever is to be estimated: states and
    logarithms of parameters alike. ``inflation`` spreads the members about their mean before. Deterministic:
    the serial square-root filter of Whitaker & Hamill 2002, see ``ensemble.update``.
    """
    from twin_engine.ensemble import update

    z, h = np.array(members, np.float64), np.array(foretold, np.float64)
    update(z, h, np.asarray(observed, np.float64), np.asarray(variance, np.float64), inflation)
    return z


def noise(seed: int, time: int, count: int) -> Array:
    """Return standard normal deviates (count,) that are a function of ``seed`` and ``time``."""
    from twin_engine.ensemble import fill

    drawn = np.empty(count)
    fill(drawn, seed, time)
    return drawn


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The ensemble at ``time`` (in the filter's own unit), and the digest of what was used up to it."""

    time: int
    digest: str
    members: Array


def boundaries(first: int, at: int, every: int, kept: int) -> tuple[int, ...]:
    """Return the last ``kept`` multiples of ``every`` after ``first`` and before ``at``, in rising order.

    They lie on a grid that does not depend on ``first`` or ``at``, so that a later update meets them again.
    """
    grid = range((first // every + 1) * every, at, every)
    return tuple(grid[-kept:]) if kept else ()


def digests(context: bytes, times: Instants, rows: Array, instants: Iterable[int]) -> dict[int, str]:
    """Return for each of ``instants`` the digest of ``context`` and of all rows that are used up to it.

    ``rows`` (k, c) are used at ``times`` (k,), which rise; one at the instant itself counts.
    """
    running, done, found = hashlib.sha256(context), 0, {}
    # One row after another, so that where the instants fall makes no difference.
    whole = np.column_stack((np.ascontiguousarray(times, "<i8").view("<f8"), np.asarray(rows, "<f8")))
    for instant in sorted(set(instants)):
        end = int(np.searchsorted(times, instant, side="right"))
        running.update(whole[done:end].tobytes())
        found[instant], done = running.copy().hexdigest(), end
    return found


def carried(
    known: Iterable[Checkpoint],
    wanted: Sequence[int],
    digest: Mapping[int, str],
    begin: Callable[[], tuple[int, Array]],
    advance: Callable[[int, Array, int], Array],
) -> tuple[Checkpoint, ...]:
    """Return a checkpoint at each instant ``wanted`` (rising), from those ``known`` that still hold.

    ``digest`` names what is used up to each instant, wanted or known. ``begin()`` gives the first instant and
    its ensemble, ``advance(time, members, until)`` carries an ensemble on; to go in two steps must give the
    same bits as to go in one.
    """
    holding = {one.time: one for one in known if digest.get(one.time) == one.digest}
    for until in wanted:
        if until in holding:
            continue
        before = [time for time in holding if time < until]
        time, members = (max(before), holding[max(before)].members) if before else begin()
        holding[until] = Checkpoint(until, digest[until], advance(time, members, until))
    return tuple(holding[time] for time in wanted)
