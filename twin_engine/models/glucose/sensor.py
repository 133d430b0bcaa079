"""What a continuous glucose sensor makes of subcutaneous glucose: a gain, an offset and coloured noise.

Two published error models. ``Breton2008``: autoregressive noise of 15 minutes, transformed to the skewed
distribution of the errors measured (M. Breton, B. Kovatchev, J. Diabetes Sci. Technol. 2 (2008) 853-862,
doi:10.1177/193229680800200517), with the parameters that simglucose 0.2.11 gives for sensors of that time.
``Vettoretti2019``: drift over the ten days of a factory-calibrated sensor and two autoregressive processes
(M. Vettoretti, S. Del Favero, G. Sparacino, A. Facchinetti, EMBC 2019, doi:10.1109/EMBC.2019.8856790, in
the form of A. Facchinetti et al., IEEE Trans. Biomed. Eng. 61 (2014) 620-629,
doi:10.1109/TBME.2013.2284023). Its coefficients are those of the average sensor: how sensors differ from
each other is not in it. Neither knows losses of signal, compression, or warm-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator

from twin_engine.models.glucose.uva_padova import Array

SPACING = 5  # min between readings
DAY = 1440.0


@dataclass(frozen=True, slots=True)
class Errors:
    """How each of n sensors errs at each of k readings: ``gain * glucose + offset``, both (n, k)."""

    gain: Array
    offset: Array


class Sensor(Protocol):
    """An error model of a sensor; readings beyond ``low`` and ``high``, mg/dL, are not shown."""

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...

    def errors(self, n: int, readings: int, rng: Generator) -> Errors:
        """Draw the errors of ``n`` sensors over readings ``SPACING`` minutes apart."""


def read(sensor: Sensor, errors: Errors, k: int, glucose: Array) -> Array:
    """Return reading ``k`` of every sensor, mg/dL, where glucose is (n,)."""
    return np.clip(errors.gain[:, k] * glucose + errors.offset[:, k], sensor.low, sensor.high)


@dataclass(frozen=True, slots=True)
class Perfect:
    """A sensor that does not err."""

    low: float = 0.0
    high: float = np.inf

    def errors(self, n: int, readings: int, rng: Generator) -> Errors:  # noqa: ARG002  # nothing is drawn
        return Errors(np.ones((n, readings)), np.zeros((n, readings)))


@dataclass(frozen=True, slots=True)
class Breton2008:
    """Johnson-SU transformed autoregressive noise: xi + lambda sinh((e - gamma) / delta)."""

    pacf: float = 0.7
    gamma: float = -0.5444
    lambda_: float = 15.9574
    delta: float = 1.6898
    xi: float = -5.47
    low: float = 39.0
    high: float = 600.0

    SPAN = 15  # min between the values of the noise
    BLOCK = 10  # values that are interpolated at once, as in simglucose

    def errors(self, n: int, readings: int, rng: Generator) -> Errors:
        blocks = -(-readings * SPACING // (self.SPAN * self.BLOCK))
        noise = self.noise(rng.standard_normal((n, blocks * self.BLOCK + 1)), SPACING)
        return Errors(np.ones((n, readings)), noise[:, :readings])

    def noise(self, white: Array, spacing: int) -> Array:
        """Return noise every ``spacing`` minutes, the start left out, (n, k), of white (n, 10 m + 1)."""
        from scipy.interpolate import CubicSpline

        e = np.empty_like(white)
        e[:, 0] = white[:, 0]
        for k in range(1, white.shape[1]):
            e[:, k] = self.pacf * (e[:, k - 1] + white[:, k])
        skewed = self.xi + self.lambda_ * np.sinh((e - self.gamma) / self.delta)
        times = np.arange(self.BLOCK + 1) * self.SPAN
        wanted = np.arange(spacing, times[-1] + 1, spacing)
        starts = range(0, white.shape[1] - 1, self.BLOCK)
        parts = [CubicSpline(times, skewed[:, s : s + self.BLOCK + 1], axis=1)(wanted) for s in starts]
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True, slots=True)
class Autoregression:
    """v_k = a1 v_(k-1) + a2 v_(k-2) + w_k with w of variance ``variance``, (mg/dL)**2."""

    a1: float
    a2: float
    variance: float

    def path(self, white: Array) -> Array:
        """Return the process driven by white noise (n, k), long since begun."""
        out = np.empty_like(white)
        now, before = self._stationary(white[:, 0], white[:, 1])
        for k in range(white.shape[1]):
            out[:, k] = now
            nxt = self.a1 * now + self.a2 * before + np.sqrt(self.variance) * white[:, k]
            now, before = nxt, now
        return out

    def _stationary(self, first: Array, second: Array) -> tuple[Array, Array]:
        """Return two neighbours of the stationary process."""
        rho = self.a1 / (1 - self.a2)
        sd = np.sqrt(self.variance / (1 - self.a1 * rho - self.a2 * (self.a2 + self.a1 * rho)))
        return sd * first, sd * (rho * first + np.sqrt(1 - rho**2) * second)


@dataclass(frozen=True, slots=True)
class Vettoretti2019:
    """A factory-calibrated sensor of ten days: (a0 + a1 t + a2 t^2) glucose + b0 + b1 t + b2 t^2 + noise."""

    a: tuple[float, float, float] = (1.048, -0.033, 0.002)  # t in days
    b: tuple[float, float, float] = (-6.398, 6.179, -0.448)  # mg/dL
    own: Autoregression = Autoregression(1.220, -0.331, 3.641)
    common: Autoregression = Autoregression(1.34, -0.492, 5.538)
    low: float = 40.0
    high: float = 400.0

    LIFETIME = 10.0  # days

    def errors(self, n: int, readings: int, rng: Generator) -> Errors:
        """As ``Sensor.errors``; every sensor has been worn for some while, and is replaced after ten days."""
        worn = rng.uniform(0, self.LIFETIME, (n, 1))
        t = (worn + np.arange(readings) * SPACING / DAY) % self.LIFETIME
        noise = self.own.path(rng.standard_normal((n, readings + 2))[:, 2:])
        noise += self.common.path(rng.standard_normal((n, readings + 2))[:, 2:])
        gain, drift = (c[0] + c[1] * t + c[2] * t**2 for c in (self.a, self.b))
        return Errors(gain, drift + noise)
