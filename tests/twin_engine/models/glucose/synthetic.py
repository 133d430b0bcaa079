"""Synthetic people whose parameters are known: of the priors, with the noise that the fit believes in."""

import numpy as np

from twin_engine.identification import Posterior
from twin_engine.models.glucose import fitting, priors
from twin_engine.models.glucose.fitting import Discrepancy, Record
from twin_engine.models.glucose.minimal import Inputs, Person, names, part_of_day, simulated, steady_state

BELIEVED = Discrepancy()
PERSON = Person(weight=70.0, basal=1 / 60)


def drawn(rng, blocks=1, size=1):
    """Return deviates (size, p) of the prior, of which none breaks an order of rates."""
    z = rng.normal(size=(20 * size + 100, len(names(blocks))))
    return z[priors.violation(z) == 0][:size]


def given(minutes, meals, blocks=1):
    """Return inputs, and those of the hour before, with ``meals``: (minute, grams, units)."""
    insulin, food = np.full(minutes, PERSON.basal), np.zeros(minutes)
    for minute, grams, units in meals:
        food[minute] += grams
        insulin[minute] += units
    parts = part_of_day(np.arange(minutes)) if blocks == 3 else np.zeros(minutes, np.int64)
    before = Inputs(np.full(60, PERSON.basal), np.zeros(60), np.zeros(60), np.full(60, parts[0]))
    return Inputs(insulin, food, np.zeros(minutes), parts), before


def record(z, inputs, before, rng, discrepancy=BELIEVED, start=130.0):
    """Return what is known of the person with deviates ``z`` (p,): a reading every five minutes."""
    theta = priors.parameters(z[None])
    path, _ = simulated(PERSON, theta, steady_state(PERSON, theta, start), inputs, before)
    at = np.arange(4, path.shape[1], 5)
    lasting, kept = np.empty(len(at)), np.exp(-5 / discrepancy.minutes)
    lasting[0] = rng.normal()
    for i in range(1, len(at)):
        lasting[i] = kept * lasting[i - 1] + np.sqrt(1 - kept**2) * rng.normal()
    glucose = path[0, at] + discrepancy.lasting * lasting + discrepancy.white * rng.normal(size=len(at))
    blocks = (len(z) - 6) // 3
    return Record(PERSON, inputs, before, at, glucose, start, blocks, discrepancy)


def afternoon(seed, minutes=360):
    """Return a person's deviates and record of six hours: a meal, its bolus, a correction."""
    rng = np.random.default_rng(seed)
    meals = (
        (40, rng.uniform(30, 80), 0.0),
        (30 + int(rng.integers(0, 60)), 0.0, rng.uniform(2, 8)),
        (220, 0.0, rng.uniform(0, 3)),
    )
    z = drawn(rng)[0]
    return z, record(z, *given(minutes, meals), rng, start=rng.uniform(80, 200))


def posterior(of, seed, chains, steps) -> Posterior:
    """Return the posterior of a record; chains begin at the best of many draws of the prior."""
    rng = np.random.default_rng(seed)
    first = drawn(rng, of.blocks, 20 * chains)
    best = first[np.argsort(-fitting.log_density(of, first))[:chains]]
    return fitting.posterior(of, best, rng, steps=steps, burn=steps)


def covered(seed, chains, steps):
    """Return for each parameter (p,) whether the 90 % interval of one person's posterior holds the truth."""
    z, of = afternoon(seed)
    low, high = np.quantile(posterior(of, seed, chains, steps).flat(), (0.05, 0.95), axis=0)
    return (low <= z) & (z <= high)
