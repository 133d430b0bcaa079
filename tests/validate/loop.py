"""The closed loop against basal-bolus therapy, in silico: virtual adults, paired by person.

Both therapies meet the same people, days, sensors and pump. Basal-bolus therapy has the settings that were
found by trying them on the very same bodies, which nobody has in life; the twin is told weight and basal rate
and learns the rest from a day of basal-bolus therapy before.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.validate.findings import Finding
from twin_engine.models.glucose.trial import Compared, Setting, compared, difference

MEASURES = (
    *(("in_range", "%"), ("below_70", "%"), ("below_54", "%"), ("above_180", "%")),
    *(("mean", "mg/dL"), ("insulin", "U/d")),
)
SEED = 20261  # not the one that the weights of the cost were chosen by
NOTES = [
    "loop: virtual adults of the UVA/Padova model, Vettoretti 2019 sensor, a pump; no exercise, no illness",
    "loop: basal-bolus therapy knows ratio and factor of the very body; the twin learns from a day before",
    "loop: differences are controlled less basal-bolus, paired by person, with 95 % bootstrap intervals",
]


def validate(short: bool) -> tuple[list[Finding], list[str]]:
    """Return means of both therapies and their paired differences, with meals announced and not."""
    people, hours = (6, 12) if short else (20, 24)
    found: list[Finding] = []
    for announced, name in ((True, "announced"), (False, "unannounced")):
        setting = Setting(people, hours, announced=announced, seed=SEED)
        found += _findings(f"loop.{name}", compared(setting))
    return found, NOTES


def _findings(name: str, found: Compared) -> Iterator[Finding]:
    yield Finding(f"{name}.limits_broken", float(len(found.broken)), "1")
    yield Finding(f"{name}.refused", 100 * found.refused, "%")
    for measure, unit in MEASURES:
        ours, theirs = (getattr(one, measure) for one in (found.controlled, found.basal_bolus))
        mean, low, high = difference(ours, theirs, np.random.default_rng(1))
        yield Finding(f"{name}.{measure}.controlled", float(ours.mean()), unit)
        yield Finding(f"{name}.{measure}.basal_bolus", float(theirs.mean()), unit)
        yield Finding(f"{name}.{measure}.difference", mean, unit, low, high)
