"""What insulin a person seems to need, from what the filter has learned of them.

In the small model, glucose stays at a target G* where insulin action balances what glucose does by itself::

    X = (SG (Gb - G*) + d) / (rho(G*) G*)        Ip = Ipb + X / SI        basal = ke VI weight Ip

(``rho`` is 1 above Gb, see ``minimal``). The correction factor is by how much one unit lowers glucose at its
lowest point, the carbohydrate ratio how many grams have the same area under glucose as one unit, both of
one dose from that target. Each is computed for every member of the ensemble, so that what is not known
shows as width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twin_engine.models.glucose.filtering import PARAMETERS, Ensemble, Habits
from twin_engine.models.glucose.minimal import KE, R1, R2, VI, Array, Inputs, Person, simulated, steady_state
from twin_engine.models.glucose.priors import parameters

TARGET = 120.0  # mg/dL
HOURS = 6  # how long a dose is followed: rapid-acting insulin has gone by then
GRAMS = 10.0
_MIU_PER_U = 1000.0


@dataclass(frozen=True, slots=True)
class Requirement:
    """Of each member (N,): ``basal`` in U/h, ``correction`` in mg/dL per U, ``ratio`` in g per U."""

    basal: Array
    correction: Array
    ratio: Array


def required(ensemble: Ensemble, habits: Habits) -> Requirement:
    """Return what every member of ``ensemble`` needs."""
    theta = parameters(np.ascontiguousarray(ensemble.members[:, -len(PARAMETERS) :]))
    person = habits.person
    insulin = np.zeros(HOURS * 60)
    insulin[0] = 1.0
    meal = np.zeros(HOURS * 60)
    meal[:10] = GRAMS / 10
    rest = _path(person, theta, np.zeros_like(meal), np.zeros_like(meal))
    lowered = rest - _path(person, theta, insulin, np.zeros_like(meal))
    raised = _path(person, theta, np.zeros_like(meal), meal) - rest
    correction = lowered.max(axis=1)
    per_gram = raised.sum(axis=1) / GRAMS
    return Requirement(_basal(person, theta), correction, lowered.sum(axis=1) / np.maximum(per_gram, 1e-6))


def _basal(person: Person, theta: Array) -> Array:
    gb, sg, si = theta[:, 0], theta[:, 1], theta[:, 6]
    rise = R1 * np.maximum(np.log(gb) ** R2 - np.log(TARGET) ** R2, 0.0) ** 2
    action = sg * (gb - TARGET) / ((1 + 10 * rise) * TARGET)
    usual = person.basal * _MIU_PER_U / person.weight / VI / KE
    insulin = np.maximum(usual + action / si, 0.0)
    return np.asarray(insulin * KE * VI * person.weight / _MIU_PER_U * 60, np.float64)


def _path(person: Person, theta: Array, insulin: Array, food: Array) -> Array:
    """Return glucose (N, n) from the person's own steady state, on their usual basal insulin."""
    own = steady_state(person, theta, TARGET)
    own[:, 0] = own[:, 2] = theta[:, 0]
    path, _ = simulated(
        person, theta, own, _on_basal(Inputs.of(insulin, food), person.basal), _before(person)
    )
    return path


def _on_basal(inputs: Inputs, basal: float) -> Inputs:
    return replace(inputs, insulin=inputs.insulin + basal)


def _before(person: Person) -> Inputs:
    from twin_engine.models.glucose.minimal import LONGEST_DELAY

    return Inputs.of(np.full(LONGEST_DELAY, person.basal), np.zeros(LONGEST_DELAY))
