"""What people taught the forecasts of ``learned``, and the file in which it comes with the engine.

The population shipped with the engine was taught on T1D-UOM: Alsuhaymi A et al., T1D-UOM, a longitudinal
multimodal dataset of type 1 diabetes, Manchester Coordinated Diabetes Study 2025, CC BY 4.0,
doi:10.5281/zenodo.15169263. Weights and sums are derived from it; no reading of a person is in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin_engine.models.glucose.learned_network import WIDTHS, Network

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Population:
    """What was learned of many people from the features ``names``.

    ``mean`` and ``sd`` (p,) standardise the features. Of each of k networks, with f features to be weighed,
    there are means over all readings: ``gram`` (k, f, f), and ``cross`` (k, f, 6) with the changes of glucose
    over the horizons in mg/dL; and ``spread`` (k, f, 6), the weights of the size of the error.
    """

    names: tuple[str, ...]
    mean: Array
    sd: Array
    networks: tuple[Network, ...]
    gram: Array
    cross: Array
    spread: Array


@cache
def shipped() -> Population:
    """Return the population that comes with the engine."""
    return opened((files(__package__) / "learned_population.npz").read_bytes())


def opened(data: bytes) -> Population:
    """Return the population that ``sealed`` wrote."""
    with np.load(BytesIO(data), allow_pickle=False) as found:
        part = {name: found[name] for name in found.files}
    members = part["gram"].shape[0]
    layers = [
        [part[f"{kind}{n}"].astype(np.float32) for n in range(len(WIDTHS))] for kind in ("weight", "offset")
    ]
    networks = tuple(Network(*(tuple(one[k] for one in kind) for kind in layers)) for k in range(members))
    size = part["cross"].shape[1]
    gram = np.zeros((members, size, size))
    upper = np.triu_indices(size)
    gram[:, *upper] = part["gram"]
    gram[:, *upper[::-1]] = part["gram"]
    mean, sd, cross, spread = (part[name].astype(np.float64) for name in ("mean", "sd", "cross", "spread"))
    return Population(tuple(part["names"].tolist()), mean, sd, networks, gram, cross, spread)


def sealed(population: Population) -> bytes:
    """Return ``population`` as a file of numpy (npz): networks in half precision, the rest in single."""
    part: dict[str, NDArray[Any]] = {"names": np.array(population.names)}
    for n in range(len(WIDTHS)):
        part[f"weight{n}"] = np.array([network.weights[n] for network in population.networks], np.float16)
        part[f"offset{n}"] = np.array([network.offsets[n] for network in population.networks], np.float16)
    upper = np.triu_indices(population.gram.shape[1])
    part["gram"] = population.gram[:, *upper].astype(np.float32)
    for name in ("mean", "sd", "cross", "spread"):
        part[name] = getattr(population, name).astype(np.float32)
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **part)
    return file.getvalue()
