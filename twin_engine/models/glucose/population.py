"""A virtual population: people who are drawn, and kept if they are plausible.

Their physiology is log-normal, by ``population.toml``, which says where its numbers are from. Not every
draw could live: people are kept whose basal state exists, who need an ordinary amount of insulin, and whom
ordinary meals and doses move as far as they move people. The population is for trying out therapies and
algorithms; it represents no real group of people.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from twin_engine.models.glucose import therapy
from twin_engine.models.glucose.therapy import Therapy
from twin_engine.models.glucose.uva_padova import (
    PHYSIOLOGY,
    PMOL_A_UNIT,
    Array,
    Patients,
    patients,
    tissue_basal,
)

Group = Literal["child", "adolescent", "adult"]
GROUPS: tuple[Group, ...] = ("child", "adolescent", "adult")
SHARES = ("b", "d")  # between 0 and 1

ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """What people ordinarily need, least and most of each."""

    basal_need: tuple[float, float] = (0.1, 0.8)  # U/kg/day
    carbohydrate_ratio: tuple[float, float] = (3.0, 60.0)  # g/U
    correction_factor: tuple[float, float] = (4.0, 150.0)  # mg/dL per U


ORDINARY = Limits()


@dataclass(frozen=True, slots=True)
class Population:
    """Virtual people with the therapy that suits them; ``group`` has one name for each."""

    people: Patients
    therapy: Therapy
    group: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.people)


def draw(n: int, group: Group, rng: Generator, limits: Limits = ORDINARY) -> Population:
    """Return ``n`` plausible people of a group.

    Raises
    ------
    ArithmeticError
        Too few draws were plausible: the distributions are not those of people.
    """
    kept: list[tuple[Patients, Therapy]] = []
    missing = n
    for _ in range(ROUNDS):
        kept.append(_plausible(_drawn(missing + missing // 3 + 16, group, rng), limits, missing))
        missing -= len(kept[-1][0])
        if missing == 0:
            return _joined(kept, group)
    raise ArithmeticError("too few of the people drawn are plausible")


def mixed(n: int, rng: Generator) -> Population:
    """Return ``n`` people of all groups, as many of each as can be."""
    counts = [len(part) for part in np.array_split(np.arange(n), len(GROUPS))]
    parts = [draw(count, group, rng) for count, group in zip(counts, GROUPS, strict=True)]
    joined = _joined([(part.people, part.therapy) for part in parts], "adult")
    return Population(joined.people, joined.therapy, np.concatenate([part.group for part in parts]))


def distribution(group: Group) -> tuple[Array, Array, Array]:
    """Return means, standard deviations and correlations of the logarithms, in the order of PHYSIOLOGY."""
    table = _table()
    names = [each.name for each in PHYSIOLOGY]
    median, spread = np.array([table["quantities"][name][group] for name in names]).T
    share = np.isin(names, SHARES)
    mean = np.log(np.where(share, median / np.where(share, 1 - median, 1.0), median))
    related = np.eye(len(names))
    for pair, value in table["correlations"].items():
        i, j = (names.index(name) for name in pair.split())
        related[i, j] = related[j, i] = value
    return mean, spread, related


def _drawn(n: int, group: Group, rng: Generator) -> Mapping[str, Array]:
    mean, spread, related = distribution(group)
    normal = rng.standard_normal((n, len(mean))) @ np.linalg.cholesky(related).T
    drawn = np.exp(mean + spread * normal)
    values = {
        each.name: np.ascontiguousarray(column) for each, column in zip(PHYSIOLOGY, drawn.T, strict=True)
    }
    return values | {name: values[name] / (1 + values[name]) for name in SHARES}


def _plausible(drawn: Mapping[str, Array], limits: Limits, at_most: int) -> tuple[Patients, Therapy]:
    sound = (
        (tissue_basal(drawn) > 0)
        & (drawn["kmin"] < drawn["kmax"])
        & (drawn["d"] < drawn["b"])
        & (drawn["ka1"] < drawn["ka2"])
    )
    people = patients({name: value[sound] for name, value in drawn.items()})
    people = people.chosen(_within(people["u2ss"] * 1440 / PMOL_A_UNIT, limits.basal_need))
    settings = therapy.found(people)
    suited = _within(settings.carbohydrate_ratio, limits.carbohydrate_ratio)
    suited &= _within(settings.correction_factor, limits.correction_factor)
    first = np.flatnonzero(suited)[:at_most]
    return people.chosen(first), settings.chosen(first)


def _within(values: Array, limits: tuple[float, float]) -> NDArray[np.bool_]:
    return (limits[0] <= values) & (values <= limits[1])


def _joined(parts: list[tuple[Patients, Therapy]], group: Group) -> Population:
    people = Patients(
        {name: np.concatenate([each[name] for each, _ in parts]) for name in parts[0][0].values}
    )
    basal, ratio, factor = (
        np.concatenate([getattr(each, name) for _, each in parts])
        for name in ("basal", "carbohydrate_ratio", "correction_factor")
    )
    return Population(people, Therapy(basal, ratio, factor), np.full(len(people), group))


@cache
def _table() -> dict[str, Any]:
    text = files("twin_engine.models.glucose").joinpath("population.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
