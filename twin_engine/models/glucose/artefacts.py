"""How far a reading of a glucose sensor can be trusted, judged by the trace alone.

A sensor errs by some mg/dL, and by more where glucose is high (Facchinetti et al. 2014,
doi:10.1109/TBME.2013.2284023). Three things make a reading worth less, and none makes it worth nothing:

- lying on the sensor presses the tissue and shows a low that is not there: glucose falls and rises again
  faster than it does in blood (Baysal et al. 2014, doi:10.1177/1932296814553267);
- a sensor settles in its first hours, and it is after a gap that a new one begins;
- at the end of its range a sensor can only tell that glucose is beyond it.

A press shows only when it is over. Whoever wants to know what could be known at the time gives the trace up
to that time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# mg/dL, and share of glucose: what differs from one reading to the next. What a sensor keeps being wrong by
# is not seen in the trace.
ERROR = (2.0, 0.01)
# A press: at least so deep (mg/dL), falling and rising at least so fast (mg/dL/min), so long at most (min),
# and at the bottom no more than so high (mg/dL).
DEPTH, STEEP, LONGEST, BOTTOM = 25.0, 1.5, 90.0, 90.0
# A gap of so many minutes, and the hours within which a new sensor's extra error has fallen to a third.
GAP, SETTLES = 60.0, 6.0
RANGE = (40.0, 400.0)  # mg/dL
PRESSED, FRESH, BEYOND = 25.0, 3.0, 9.0  # by how much the variance is raised, the first and last in all


def variance(minutes: Array, values: Array) -> Array:
    """Return the variance of the error of each reading (n,) in (mg/dL)^2.

    ``minutes`` (n,) rise, ``values`` (n,) are in mg/dL.
    """
    own = (ERROR[0] + ERROR[1] * values) ** 2
    own = own * (1 + FRESH * np.exp(-_age(minutes) / (SETTLES * 60)))
    own = np.where(pressed(minutes, values), PRESSED * own, own)
    return np.where((values <= RANGE[0]) | (values >= RANGE[1]), BEYOND * own, own)


def _age(minutes: Array) -> Array:
    """Return minutes since the last gap (n,); the beginning of the trace is none."""
    if not len(minutes):
        return np.zeros(0)
    after = np.concatenate(([False], np.diff(minutes) >= GAP))
    began = np.maximum.accumulate(np.where(after, minutes, -np.inf))
    return np.asarray(minutes - began, np.float64)


def pressed(minutes: Array, values: Array) -> NDArray[np.bool_]:
    """Tell which readings (n,) lie in a low that came and went too fast to be one."""
    found = np.zeros(len(values), bool)
    for low in np.flatnonzero(values <= BOTTOM):
        first, last = np.searchsorted(minutes, (minutes[low] - LONGEST, minutes[low] + LONGEST))
        left = _edge(minutes[first : low + 1], values[first : low + 1])
        right = _edge(-minutes[low:last][::-1], values[low:last][::-1])
        if left is None or right is None:
            continue
        begins, ends = first + left, last - 1 - right
        if minutes[ends] - minutes[begins] <= LONGEST:
            found[begins + 1 : ends] = True
    return found


def _edge(minutes: Array, values: Array) -> int | None:
    """Return the last reading from which glucose falls steeply enough to the last value."""
    before = minutes[-1] - minutes[:-1]
    fall = values[:-1] - values[-1]
    steep = np.flatnonzero((fall >= DEPTH) & (fall >= STEEP * before))
    return int(steep[-1]) if len(steep) else None
