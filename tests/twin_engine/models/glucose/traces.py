"""Made-up records of glucose, insulin and food."""

import numpy as np

from twin_engine.models.glucose.learned_features import DAY, Events, Trace


def trace(days: float = 4, step: float = 5, seed: int = 1, swing: float = 30) -> Trace:
    """Return a wandering glucose that rises after three meals a day, of which each has a bolus."""
    rng = np.random.default_rng(seed)
    at = np.arange(0, days * DAY, step)
    meals = np.array([day * DAY + hour * 60 for day in range(int(days)) for hour in (8, 13, 19)], float)
    sizes = rng.uniform(30, 90, len(meals))
    since = at[:, None] - meals
    rise = np.where(since > 0, sizes * since / 50 * np.exp(1 - np.maximum(since, 0) / 50), 0).sum(axis=1)
    noise = np.cumsum(rng.normal(0, 2, len(at)))
    noise -= np.convolve(noise, np.ones(50) / 50, "same")
    glucose = np.clip(120 + rise + swing * np.sin(2 * np.pi * at / DAY) + noise, 45, 390)
    return Trace(
        at,
        glucose,
        boluses=Events(meals, sizes / 10),
        food=Events(meals, sizes),
        basal=Events(np.arange(0, days * DAY, 360.0), np.tile([0.8, 1.0], int(2 * days))),
        slow=Events(np.arange(0, days * DAY, DAY) + 1320, np.full(int(days), 10.0)),
    )
