"""The published priors of the small model, as standard normal deviates.

A parameter is a function of a deviate z ~ N(0, 1) that has the distribution which ReplayBG publishes
(Cappon et al. 2023, doi:10.1109/TBME.2023.3286856): SI VG is gamma, Gb and the root of p2 are normal, beta
is uniform over an hour, the other rates are lognormal. Two of the published bounds tie parameters to each
other: ka2 < kd and kabs <= kempt. In these coordinates the negative logarithm of the prior is half the sum
of squares.
"""

from __future__ import annotations

import numpy as np

from twin_engine.models.glucose.minimal import Array

GB = (119.13, 7.11)  # mg/dL
GB_BOUNDS = (70.0, 180.0)  # mg/dL
ROOT_P2 = (0.11, 0.004)  # p2 in 1/min
# Mean and standard deviation of the logarithm of a rate in 1/min.
SG, KA2, KD = (-3.8, 0.5), (-4.2875, 0.4274), (-3.5090, 0.6187)
KEMPT, KABS = (-1.9646, 0.7069), (-5.4591, 1.4396)
SI_VG = (3.3, 5e-4)  # shape, and scale in mL/(uU min) dL/kg, of the gamma distribution


def parameters(z: Array) -> Array:
    """Return the parameters (N, p) of deviates ``z`` (N, p), in the order of ``minimal.names``."""
    from twin_engine.models.glucose.minimal_kernel import all_physical

    theta = np.empty(z.shape)
    all_physical(np.ascontiguousarray(z, np.float64), theta)
    return theta


def violation(z: Array) -> Array:
    """Return by how much (N,) the logarithms break ka2 < kd and kabs <= kempt; 0 where they do not."""
    below = np.maximum(_log(z[:, 3], KA2) - _log(z[:, 4], KD), 0.0)
    kempt = _log(z[:, 5], KEMPT)
    kabs = np.max(_log(z[:, 7::3], KABS), axis=1)
    return np.asarray(below + np.maximum(kabs - kempt, 0.0), np.float64)


def _log(z: Array, rate: tuple[float, float]) -> Array:
    return rate[0] + rate[1] * z
