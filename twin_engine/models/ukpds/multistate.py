"""The course of the complications: an exact recursion over every history a person can come to have.

A state says how often each event has happened (``LEVELS``). In a year each event happens or not, on its own,
at the probability that the history at the start of the year gives it; then death takes its share, by the
history and by what happened in the year. Risk factors stay as they are, but age and duration. Nothing is
sampled, so that two plans differ by nothing but the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twin_engine.models.ukpds import equations
from twin_engine.models.ukpds.equations import Profile

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Levels = NDArray[np.int64]

EVENTS = (
    "heart-failure",
    "ischaemic-heart-disease",
    "myocardial-infarction",
    "stroke",
    "blindness",
    "kidney-failure",
    "foot-ulcer",
    "amputation",
)
MOST = (1, 1, 2, 2, 1, 1, 1, 2)
DEATH = "death"
OUTCOMES = (*EVENTS, DEATH)
# Blindness and an ulcer do not count as events in the equations of death, only as history.
NOT_FATAL = ("blindness", "foot-ulcer")

PLACE = {event: place for place, event in enumerate(EVENTS)}
LEVELS = np.indices([most + 1 for most in MOST]).reshape(len(EVENTS), -1).T  # (864, 8)
SUBSETS = np.indices([2] * len(EVENTS)).reshape(len(EVENTS), -1).T.astype(bool)  # (256, 8)
_STEPS = np.array([int(np.prod([most + 1 for most in MOST[place + 1 :]])) for place in range(len(EVENTS))])

History = tuple[int, ...]
Factors = tuple[float, ...]
NONE: Factors = (1.0,) * len(EVENTS)


def annual(profile: Profile, year: int, levels: Levels, factors: Factors = NONE) -> Array:
    """Return the probability (n, 8) of each event in the year that begins ``year`` years after the start.

    ``levels`` (n, 8) are histories; ``factors`` multiply the hazards, an ulcer's excepted: it has none.
    """
    terms = equations.risk_factors(profile, year)
    first = levels == 0
    once = levels == 1
    sexed = f"first-infarction-{profile.sex}"
    chances = np.zeros(levels.shape)

    def fill(event: str, equation: str, where: Flags) -> None:
        place = PLACE[event]
        chances[where, place] = _chance(equation, terms, levels[where], factors[place])

    for event in ("heart-failure", "ischaemic-heart-disease", "blindness", "kidney-failure", "foot-ulcer"):
        fill(event, event, first[:, PLACE[event]])
    fill("myocardial-infarction", sexed, first[:, PLACE["myocardial-infarction"]])
    fill("myocardial-infarction", "second-infarction", once[:, PLACE["myocardial-infarction"]])
    fill("stroke", "first-stroke", first[:, PLACE["stroke"]])
    fill("stroke", "second-stroke", once[:, PLACE["stroke"]])
    # After an ulcer there is no equation of a first amputation that could be verified.
    fill("amputation", "first-amputation", first[:, PLACE["amputation"]] & first[:, PLACE["foot-ulcer"]])
    fill("amputation", "second-amputation", once[:, PLACE["amputation"]])
    return chances


def dying(profile: Profile, year: int, levels: Levels) -> Array:
    """Return the probability (n, 256) of death in the year, by history and by what happens in it."""
    terms = equations.risk_factors(profile, year)
    history: Flags = np.asarray(levels.any(axis=1))
    fatal = [place for event, place in PLACE.items() if event not in NOT_FATAL]
    counted: Flags = np.asarray(SUBSETS[:, fatal].any(axis=1))
    quiet = np.where(
        history,
        _chance("death-history-no-event", terms, levels),
        _chance("death-no-history-no-event", terms, levels),
    )
    stirred = np.where(
        history[:, None],
        _logistic(_eventful("death-later-event", terms, levels)),
        _logistic(_eventful("death-first-event", terms, levels)),
    )
    return np.where(counted[None, :], stirred, quiet[:, None])


@lru_cache(maxsize=128)
def course(profile: Profile, start: History, years: int, factors: Factors = NONE) -> tuple[Factors, ...]:
    """Return the cumulative incidence of each of ``OUTCOMES`` after 0..``years`` years, one row a year.

    An event counts once: the first from ``start`` on, which of an infarction, stroke or amputation may be
    the person's second. Nothing happens after death.
    """
    mass = np.zeros(len(LEVELS))
    mass[int(np.dot(_STEPS, start))] = 1.0
    total = np.zeros(len(OUTCOMES))
    rows = [tuple(total.tolist())]
    for year in range(years):
        mass, new = _year(profile, year, mass, start, factors)
        total = total + new
        rows.append(tuple(total.tolist()))
    return tuple(rows)


def _year(profile: Profile, year: int, mass: Array, start: History, factors: Factors) -> tuple[Array, Array]:
    present = np.flatnonzero(mass)
    levels = LEVELS[present]
    flow = mass[present, None] * _together(annual(profile, year, levels, factors))
    dead = flow * dying(profile, year, levels)
    untouched = levels == np.array(start)
    events = np.array([flow[untouched[:, place]][:, SUBSETS[:, place]].sum() for place in range(len(EVENTS))])
    reached = present[:, None] + (SUBSETS @ _STEPS)[None, :]
    # What cannot happen has no mass, and no place either.
    left = flow - dead
    possible = left > 0
    survived: Array = np.asarray(np.bincount(reached[possible], left[possible], minlength=len(LEVELS)), float)
    return survived, np.append(events, dead.sum())


def _together(chances: Array) -> Array:
    """Return the probability (n, 256) of each subset of events that happen independently at ``chances``."""
    joint = np.ones((len(chances), 1))
    for place in range(len(EVENTS)):
        one = chances[:, place, None]
        joint = np.stack((joint * (1 - one), joint * one), axis=2).reshape(len(chances), -1)
    return joint


def _chance(equation: str, terms: Mapping[str, float], levels: Levels, factor: float = 1.0) -> Array:
    own, had, _ = equations.split(equation, terms)
    eta = own + _from_history(had, levels)
    if not equations.hazardous(equation):
        return _logistic(eta)
    return -np.expm1(-factor * np.exp(eta) * equations.exposure(equation, terms))


def _eventful(equation: str, terms: Mapping[str, float], levels: Levels) -> Array:
    own, had, now = equations.split(equation, terms)
    eta = own + _from_history(had, levels)[:, None] + np.zeros(len(SUBSETS))[None, :]
    for event, place in PLACE.items():
        happens = SUBSETS[:, place].astype(float)[None, :]
        eta += now.get(event, 0.0) * happens
        if event == "amputation":
            again = (levels[:, place] > 0)[:, None]
            size = np.where(again, now.get("second-amputation", 0.0), now.get("first-amputation", 0.0))
            eta += size * happens
    return eta


def _from_history(had: Mapping[str, float], levels: Levels) -> Array:
    weights = np.array([had.get(event, 0.0) for event in EVENTS])
    total: Array = (levels > 0) @ weights
    return total


def _logistic(eta: Array) -> Array:
    chance: Array = 1 / (1 + np.exp(-eta))
    return chance
