"""Forecasts of glucose, scored on T1D-UOM: people, and days, that were not learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.validate.findings import Finding
from tests.validate.glucose import baselines, physiology, scores, uom
from tests.validate.glucose.protocol import DUE, WARM, Person, enrolled, macro
from twin_engine.models.glucose import error_grid
from twin_engine.models.glucose.learned import Population, fitted, followed, foretold, weights
from twin_engine.models.glucose.learned_features import HORIZONS, NAMES, usable

Array = NDArray[np.float64]

SHORT = ("2305", "2307", "2404")  # the three shortest records
GOALS = dict(zip(DUE, (3.0, 5.0), strict=True))  # percent better than the best baseline
_COLUMNS = [HORIZONS.index(one) for one in DUE]
_INPUTS = ("bolus", "food", "insulin", "since", "meals", "long-acting", "basal")
_HABITS = ("sine", "cosine", "usual", "above", "spread-day")


@dataclass(frozen=True, slots=True)
class Ours:
    """Forecasts and usual errors (n, 2) of each person; ``population`` are forecasts as for a stranger."""

    glucose: dict[str, Array]
    spread: dict[str, Array]
    population: dict[str, Array]


def validate(short: bool) -> tuple[list[Finding], list[str]]:
    """Return all findings; the short form has three people and leaves out what each part adds."""
    records = uom.people()
    if not records:
        return [], [f"SKIPPED: no T1D-UOM at {uom.folder()}; set {uom.VARIABLE} to its folder"]
    people = enrolled({name: records[name] for name in SHORT} if short else records)
    ours = _ours(people)
    theirs = {name: forecast(people) for name, forecast in baselines.BASELINES.items()}
    found = [*_errors("", people, ours.glucose)]
    for name, forecasts in theirs.items():
        found += _errors(f"{name}.", people, forecasts)
    found += _compared(people, ours, theirs)
    found += _coverage(people, ours)
    for name, forecasts in {"": ours.glucose, **theirs}.items():
        found += _alarms(f"{name}." if name else "", people, forecasts)
    found += _zones(people, ours)
    found += _parts(people, ours, short)
    return found, [*_notes(people), *_verdict(found)]


def _ours(people: Sequence[Person], names: tuple[str, ...] = NAMES) -> Ours:
    taught: dict[frozenset[int], Population] = {}
    found = Ours({}, {}, {})
    for person in people:
        who = frozenset(id(other) for other in person.others)
        if who not in taught:
            taught[who] = fitted(person.others, names=names)
        population = taught[who]
        own = followed(population, person.trace)
        found.glucose[person.name] = own.glucose[:, _COLUMNS]
        found.spread[person.name] = own.spread[:, _COLUMNS]
        stranger = foretold(population, weights(population), person.trace)
        found.population[person.name] = stranger.glucose[:, _COLUMNS]
    return found


def _errors(prefix: str, people: Sequence[Person], forecasts: dict[str, Array]) -> Iterator[Finding]:
    errors = macro(people, forecasts)
    for row, kind in enumerate(("rmse", "mae")):
        for column, due in enumerate(DUE):
            each = {name: float(one[row, column]) for name, one in errors.items()}
            yield _mean(f"glucose.{prefix}{kind}_{due}", "mg/dL", each)


def _mean(name: str, unit: str, each: dict[str, float]) -> Finding:
    return Finding(name, float(np.mean(list(each.values()))), unit, people=each)


def _compared(people: Sequence[Person], ours: Ours, theirs: dict[str, dict[str, Array]]) -> Iterator[Finding]:
    """Yield by how much ours is better than each baseline, and than the best one at each horizon."""
    own = _rmse(people, ours.glucose)
    rmse = {name: _rmse(people, forecasts) for name, forecasts in theirs.items()}
    for column, due in enumerate(DUE):
        best = min(rmse, key=lambda name, k=column: float(rmse[name][:, k].mean()))
        for name, errors in rmse.items():
            said = scores.better(own[:, column], errors[:, column])
            gains = 100 * (1 - own[:, column] / errors[:, column])
            each = dict(zip([person.name for person in people], gains.tolist(), strict=True))
            yield Finding(f"glucose.better_than.{name}_{due}", said[0], "%", said[1], said[2], each)
            if name == best:
                yield Finding(f"glucose.better_than_best_{due}", said[0], "%", said[1], said[2], each)


def _rmse(people: Sequence[Person], forecasts: dict[str, Array]) -> Array:
    errors = macro(people, forecasts)
    return np.array([errors[person.name][0] for person in people])


def _coverage(people: Sequence[Person], ours: Ours) -> Iterator[Finding]:
    found = {one.name: scores.covered(one, ours.glucose[one.name], ours.spread[one.name]) for one in people}
    both = {name: 100 * float(shares.mean()) for name, (shares, _) in found.items()}
    yield _mean("glucose.coverage_90", "%", both)
    for k, due in enumerate(DUE):
        shares = {name: 100 * float(one[0][k]) for name, one in found.items()}
        yield _mean(f"glucose.coverage_90_{due}", "%", shares)
        yield _mean(
            f"glucose.width_90_{due}", "mg/dL", {name: float(one[1][k]) for name, one in found.items()}
        )


def _alarms(prefix: str, people: Sequence[Person], forecasts: dict[str, Array]) -> Iterator[Finding]:
    lower = {name: both.min(axis=1) for name, both in forecasts.items()}
    sensitivity, warning, each = scores.alarms(people, lower)
    yield Finding(f"glucose.{prefix}low_alarm_sensitivity", sensitivity, "%", people=each)
    yield Finding(f"glucose.{prefix}low_alarm_warning", warning, "min")


def _zones(people: Sequence[Person], ours: Ours) -> Iterator[Finding]:
    for name, grid in (("clarke", error_grid.clarke), ("parkes", error_grid.parkes)):
        for k, due in enumerate(DUE):
            shares = np.mean(
                [_shares(grid, person, ours.glucose[person.name][:, k], k) for person in people], 0
            )
            for zone, share in zip(error_grid.ZONES, shares.tolist(), strict=True):
                yield Finding(f"glucose.{name}_{zone.lower()}_{due}", 100 * share, "%")


def _shares(grid: error_grid.Grid, person: Person, forecast: Array, k: int) -> Array:
    rows = person.scored & ~np.isnan(person.truth[:, k])
    return error_grid.shares(grid, person.truth[rows, k], forecast[rows])


def _parts(people: Sequence[Person], ours: Ours, short: bool) -> Iterator[Finding]:
    """Yield errors without each part of the forecast, and with the patient filter beside it."""
    yield from _errors("without_the_own_past.", people, ours.population)
    if short:
        return
    for name, left in (("insulin_and_food", _INPUTS), ("clock_and_habits", _HABITS)):
        kept = tuple(one for one in NAMES if not one.startswith(left))
        yield from _errors(f"without_{name}.", people, _ours(people, kept).glucose)
    filtered = {one.name: physiology.foretold(one.trace, one.after(WARM)) for one in people}
    yield from _errors("filter_alone.", people, filtered)
    mixed = {one.name: _mixed(one, ours.glucose[one.name], filtered[one.name]) for one in people}
    yield from _errors("with_filter.", people, mixed)


def _mixed(person: Person, own: Array, other: Array) -> Array:
    """Return ``own`` moved towards ``other`` by the share that would have been best before the test."""
    at = person.trace.minutes
    before = usable(person.trace) & (at >= person.after(WARM)) & (at + max(DUE) < person.begin)
    apart, error = (other - own)[before], (person.truth - own)[before]
    told = np.isfinite(apart) & np.isfinite(error)
    share = np.sum(np.where(told, apart * error, 0), 0) / np.sum(np.where(told, apart**2, 0), 0)
    return own + share * (other - own)


def _notes(people: Sequence[Person]) -> Iterator[str]:
    tested = [int(np.isfinite(one.truth[one.scored]).sum(axis=0)[0]) for one in people]
    yield f"{len(people)} people of T1D-UOM (CC BY 4.0), {sum(tested):,} forecasts at 30 minutes"
    yield "learned from people of other folds; of the person, only from what was known at each forecast"
    yield "settings, not weights, were chosen on these same people and days, for ours as for the baselines"
    yield "food and insulin to come were unknown to every forecaster; errors are means over people"


def _verdict(found: Sequence[Finding]) -> Iterator[str]:
    by_name = {one.name: one for one in found}
    for due, goal in GOALS.items():
        one = by_name[f"glucose.better_than_best_{due}"]
        told = "reached" if one.value >= goal else f"missed by {goal - one.value:.1f} points"
        said = f"{one.value:.1f} % ({one.low:.1f} to {one.high:.1f}) better than the best baseline"
        yield f"{due} min: {said}; the goal of {goal:g} % is {told}"
    shares = by_name["glucose.coverage_90"].people or {}
    outside = [name for name, share in shares.items() if not 88 <= share <= 92]
    yield f"coverage of the 90 % interval is outside 88 to 92 % for {len(outside)} of {len(shares)} people"
