"""Synthetic people whose parameters are known: whether 90 % intervals of their posterior hold the truth.

Two hundred people are drawn from the priors, each with six hours of readings that err as the fit believes
(white noise and a lasting difference). That says whether the posterior is computed rightly; what it is worth
for people who are not of the model's kind it does not say.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import beta

from tests.twin_engine.models.glucose.synthetic import covered
from tests.validate.findings import Finding
from twin_engine.models.glucose.minimal import names

PEOPLE, SHORT = 200, 20
CHAINS, STEPS = 24, 500


def recovered(short: bool) -> list[Finding]:
    """Return the coverage over all parameters, and of each."""
    people = SHORT if short else PEOPLE
    held = np.array([covered(seed, CHAINS, STEPS) for seed in range(people)])
    whole = float(held.mean())
    # People are independent, parameters of one person are not.
    error = 1.96 * float(held.mean(axis=1).std(ddof=1)) / np.sqrt(people)
    found = [Finding("glucose.recovery_90", whole, "share", whole - error, whole + error)]
    for name, count in zip(names(1), held.sum(axis=0), strict=True):
        low, high = beta.ppf((0.025, 0.975), (count, count + 1), (people - count + 1, people - count))
        ends = (float(low), float(high) if count < people else 1.0)
        found.append(Finding(f"glucose.recovery_90.{name}", count / people, "share", *ends))
    return found
