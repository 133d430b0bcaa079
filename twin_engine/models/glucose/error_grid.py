"""What a wrong glucose value would do: the error grids of Clarke and of Parkes.

Both sort pairs of a reference and a foretold (or otherwise read) value by the consequence of acting on the
latter: A none, B harmless, C treatment that was not needed, D failure to treat, E the opposite of the right
treatment. Values are in mg/dL.

References
----------
.. [1] Clarke WL et al. Diabetes Care 1987;10:622-628. doi:10.2337/diacare.10.5.622
.. [2] Clarke WL. Diabetes Technol Ther 2005;7:776-779. doi:10.1089/dia.2005.7.776
.. [3] Parkes JL et al. Diabetes Care 2000;23:1143-1148. doi:10.2337/diacare.23.8.1143
.. [4] Pfützner A et al. J Diabetes Sci Technol 2013;7:1275-1281. doi:10.1177/193229681300700517
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Zones = NDArray[np.str_]
Grid = Callable[[ArrayLike, ArrayLike], Zones]

ZONES = ("A", "B", "C", "D", "E")

_Corners = tuple[tuple[float, float], ...]

# Type 1 diabetes, table 1 of [4]_: corners (reference, foretold) of each zone's edge towards the diagonal.
_ABOVE: dict[str, _Corners] = {
    "B": ((0, 50), (30, 50), (140, 170), (280, 380), (430, 550)),
    "C": ((0, 60), (30, 60), (50, 80), (70, 110), (260, 550)),
    "D": ((0, 100), (25, 100), (50, 125), (80, 215), (125, 550)),
    "E": ((0, 150), (35, 155), (50, 550)),
}
_BELOW: dict[str, _Corners] = {
    "B": ((50, 30), (170, 145), (385, 300), (550, 450)),
    "C": ((120, 30), (260, 130), (550, 250)),
    "D": ((250, 40), (550, 150)),
}


def clarke(reference: ArrayLike, foretold: ArrayLike) -> Zones:
    """Return the zone (n,) of each pair in the grid of Clarke [1]_ [2]_.

    A value on the edge of two zones is in the less grave one.
    """
    x, y = _pairs(reference, foretold)
    within = ((x < 70) & (y < 70)) | (np.abs(y - x) <= 0.2 * x)
    opposite = ((x <= 70) & (y >= 180)) | ((x >= 180) & (y <= 70))
    unneeded = ((x >= 70) & (y > x + 110)) | ((x >= 130) & (x <= 180) & (y < 1.4 * x - 182))
    untreated = ((x < 70) & (y > 70) & (y < 180)) | ((x > 240) & (y > 70) & (y < 180))
    zones = np.select([within, opposite, unneeded, untreated], ["A", "E", "C", "D"], "B")
    return np.asarray(zones, np.str_)


def parkes(reference: ArrayLike, foretold: ArrayLike) -> Zones:
    """Return the zone (n,) of each pair in the consensus grid for type 1 diabetes [3]_ [4]_.

    A value on an edge is in the less grave zone. Edges go on as they are beyond 550 mg/dL.
    """
    x, y = _pairs(reference, foretold)
    zones = np.full(x.shape, "A")
    for zone in ZONES[1:]:
        beyond = y > _edge(x, _ABOVE[zone])
        if zone in _BELOW:
            beyond |= (x > _BELOW[zone][0][0]) & (y < _edge(x, _BELOW[zone]))
        zones[beyond] = zone
    return zones


def shares(grid: Grid, reference: ArrayLike, foretold: ArrayLike) -> Array:
    """Return the share (5,) of pairs in each of the zones A to E."""
    zones = grid(reference, foretold)
    return np.array([np.mean(zones == zone) for zone in ZONES])


def _pairs(reference: ArrayLike, foretold: ArrayLike) -> tuple[Array, Array]:
    x, y = np.asarray(reference, float), np.asarray(foretold, float)
    if x.shape != y.shape or not len(x):
        raise ValueError("an error grid takes pairs, at least one")
    return x, y


def _edge(x: Array, corners: _Corners) -> Array:
    """Return the height (n,) of the edge above ``x``; the last segment goes on."""
    at, height = np.array(corners, float).T
    slope = (height[-1] - height[-2]) / (at[-1] - at[-2])
    beyond = np.maximum(x - at[-1], 0) * slope
    return np.asarray(np.interp(x, at, height) + beyond, np.float64)
