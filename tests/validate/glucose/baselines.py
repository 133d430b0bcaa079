"""What has to be beaten: persistence, ridge with inputs, gradient boosting on the same features.

Features are the glucose of the last hour, boluses and carbohydrates fading with four time constants, and the
time of the day. Each is taught for one person at a time on all days of the people of the other folds and on
that person's own days before the test, once. Settings were chosen in favour of the baselines, on the days of
the test itself:

- ``ridge``: a row of the person counts 20 times;
- ``gradient_boosting``: likewise, and past glucose is given as change up to now, which helps trees a lot
  (the same trees with glucose as it was and every row alike, as is usual, are ``gradient_boosting_plain``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.validate.glucose.protocol import DUE, Person
from twin_engine.models.glucose.learned_features import HORIZONS, Trace, features, targets, usable

Array = NDArray[np.float64]

NAMES = (
    "glucose",
    *(f"change-{lag}" for lag in range(5, 61, 5)),
    *(f"{what}-{decay}" for what in ("bolus", "food") for decay in (20, 45, 90, 180)),
    *(f"{wave}-{k}" for k in (1, 2) for wave in ("sine", "cosine")),
)
LAGGED = slice(1, 13)
_COLUMNS = [HORIZONS.index(one) for one in DUE]
_THINNED = 20.0  # minutes between rows of other people


@dataclass(frozen=True, slots=True)
class Lessons:
    """Rows (n, p), changes of glucose (n, 2) after them, and how much each row counts."""

    x: Array
    y: Array
    weight: Array


def _all(trace: Trace) -> tuple[Array, Array, Array]:
    later, known = targets(trace)
    y = (later - trace.glucose[:, None])[:, _COLUMNS]
    taught = usable(trace) & ~np.isnan(y).any(axis=1)
    return features(trace, NAMES), y, np.where(taught, known[:, _COLUMNS[-1]], np.inf)


def lessons(person: Person, own: float, cached: dict[int, tuple[Array, Array, Array]]) -> Lessons:
    """Return what may be learned for ``person``, of whom a row counts ``own`` times."""
    parts = []
    for trace in (*person.others, person.trace):
        if id(trace) not in cached:
            cached[id(trace)] = _all(trace)
        x, y, known = cached[id(trace)]
        mine = trace is person.trace
        rows = np.flatnonzero(known < (person.begin if mine else np.inf))
        step = 1 if mine else max(round(_THINNED / float(np.median(np.diff(trace.minutes)))), 1)
        parts.append((x[rows[::step]], y[rows[::step]], np.full(len(rows[::step]), own if mine else 1.0)))
    return Lessons(*(np.concatenate(one) for one in zip(*parts, strict=True)))


def persistence(people: Sequence[Person]) -> dict[str, Array]:
    return {person.name: np.repeat(person.trace.glucose[:, None], 2, axis=1) for person in people}


def ridge(people: Sequence[Person]) -> dict[str, Array]:
    def taught(x: Array, y: Array, weight: Array) -> Callable[[Array], Array]:
        model = make_pipeline(StandardScaler(), Ridge(1000.0))
        return model.fit(x, y, ridge__sample_weight=weight).predict

    return _taught(people, taught, own=20.0)


def gradient_boosting(people: Sequence[Person]) -> dict[str, Array]:
    return _taught(people, _boosted, own=20.0)


def gradient_boosting_plain(people: Sequence[Person]) -> dict[str, Array]:
    def taught(x: Array, y: Array, weight: Array) -> Callable[[Array], Array]:
        found = _boosted(_as_it_was(x), y, weight)
        return lambda rows: found(_as_it_was(rows))

    return _taught(people, taught, own=1.0)


def _as_it_was(x: Array) -> Array:
    was = x.copy()
    was[:, LAGGED] = x[:, :1] - x[:, LAGGED]
    return was


def _boosted(x: Array, y: Array, weight: Array) -> Callable[[Array], Array]:
    trees = [
        HistGradientBoostingRegressor(
            learning_rate=0.05,
            max_iter=200,
            max_leaf_nodes=15,
            min_samples_leaf=200,
            l2_regularization=10.0,
            max_features=0.3,
            early_stopping=False,
            random_state=0,
        ).fit(x, column, weight)
        for column in y.T
    ]
    return lambda rows: np.column_stack([one.predict(rows) for one in trees])


def _taught(
    people: Sequence[Person], teach: Callable[[Array, Array, Array], Callable[[Array], Array]], own: float
) -> dict[str, Array]:
    cached: dict[int, tuple[Array, Array, Array]] = {}
    found = {}
    for person in people:
        given = lessons(person, own, cached)
        foretell = teach(given.x, given.y, given.weight)
        change = np.full(person.truth.shape, np.nan)
        change[person.scored] = foretell(cached[id(person.trace)][0][person.scored])
        found[person.name] = person.trace.glucose[:, None] + change
    return found


BASELINES: Mapping[str, Callable[[Sequence[Person]], dict[str, Array]]] = {
    "persistence": persistence,
    "ridge": ridge,
    "gradient_boosting": gradient_boosting,
    "gradient_boosting_plain": gradient_boosting_plain,
}
