"""Small networks of two rectified layers, taught in numpy by Adam (Kingma and Ba 2015, arXiv:1412.6980).

What matters here is what the layers see: ``hidden`` of a network is a set of features that suits many people,
from which ``learned`` weighs together a forecast for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Single = NDArray[np.float32]

WIDTHS = (64, 32)
_BATCH, _STEP, _DECAY = 256, 2e-3, 1e-4  # readings a step; length of a step at first; decay of weights


@dataclass(frozen=True, slots=True)
class Network:
    """Weights (in, out) and offsets (out,) of each layer; the last, linear one only serves to learn."""

    weights: tuple[Single, ...]
    offsets: tuple[Single, ...]


def begun(inputs: int, outputs: int, rng: Generator) -> Network:
    """Return a network that has learned nothing (He et al. 2015, doi:10.1109/ICCV.2015.123)."""
    sizes = (inputs, *WIDTHS, outputs)
    drawn = [rng.standard_normal((a, b), np.float32) * np.float32(np.sqrt(2 / a)) for a, b in pairwise(sizes)]
    return Network(tuple(drawn), tuple(np.zeros(b, np.float32) for b in sizes[1:]))


def hidden(network: Network, x: Single) -> Single:
    """Return both hidden layers (n, 96) of standardised features ``x`` (n, p)."""
    layers = [x]
    for weight, offset in zip(network.weights[: len(WIDTHS)], network.offsets[: len(WIDTHS)], strict=True):
        layers.append(np.maximum(layers[-1] @ weight + offset, 0))
    return np.hstack(layers[1:])


def rounded(network: Network) -> Network:
    """Return the hidden layers of ``network`` to half precision, as they are kept."""
    weights = (part.astype(np.float16).astype(np.float32) for part in network.weights[: len(WIDTHS)])
    offsets = (part.astype(np.float16).astype(np.float32) for part in network.offsets[: len(WIDTHS)])
    return Network(tuple(weights), tuple(offsets))


def taught(network: Network, x: Single, y: Single, weight: Single, epochs: int, rng: Generator) -> Network:
    """Return ``network`` after ``epochs`` over ``x`` (n, p) and ``y`` (n, h), each row of ``weight`` (n,)."""
    parts = [part.copy() for pair in zip(network.weights, network.offsets, strict=True) for part in pair]
    adam = _Adam([np.zeros_like(part) for part in parts], [np.zeros_like(part) for part in parts])
    steps = epochs * (len(x) // _BATCH)
    for t in range(steps):
        if t % (len(x) // _BATCH) == 0:
            order = rng.permutation(len(x))
        rows = order[t * _BATCH % (len(x) // _BATCH * _BATCH) :][:_BATCH]
        slopes = _slopes(parts, x[rows], y[rows], weight[rows])
        adam.step(parts, slopes, t + 1, _STEP * 0.5 * (1 + np.cos(np.pi * t / steps)))
    return Network(tuple(parts[0::2]), tuple(parts[1::2]))


def _slopes(parts: list[Single], x: Single, y: Single, weight: Single) -> list[Single]:
    """Return the gradient of the weighted mean square error by each part."""
    layers = [x]
    depth = len(parts) // 2
    for k in range(depth):
        z = layers[-1] @ parts[2 * k] + parts[2 * k + 1]
        layers.append(np.maximum(z, 0) if k < depth - 1 else z)
    back = (layers[-1] - y) * weight[:, None] * np.float32(2 / len(x))
    slopes: list[Single] = []
    for k in reversed(range(depth)):
        slopes[:0] = [layers[k].T @ back, back.sum(0)]
        back = (back @ parts[2 * k].T) * (layers[k] > 0)
    return slopes


@dataclass(frozen=True, slots=True)
class _Adam:
    mean: list[Single]
    square: list[Single]

    def step(self, parts: list[Single], slopes: list[Single], t: int, length: float) -> None:
        """Move ``parts`` in place; weights, not offsets, also shrink."""
        pace = np.float32(length * np.sqrt(1 - 0.999**t) / (1 - 0.9**t))
        for part, slope, mean, square in zip(parts, slopes, self.mean, self.square, strict=True):
            mean += np.float32(0.1) * (slope - mean)
            square += np.float32(0.001) * (slope * slope - square)
            part -= pace * mean / (np.sqrt(square) + np.float32(1e-8))
            if part.ndim == 2:
                part *= np.float32(1 - length * _DECAY)
