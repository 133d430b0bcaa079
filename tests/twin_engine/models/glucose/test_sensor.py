"""Sensor errors: as simglucose makes them, and as their equations say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.signal import lfilter

from tests.peers.virtual_people import table
from twin_engine.models.glucose.sensor import (
    DAY,
    SPACING,
    Autoregression,
    Breton2008,
    Perfect,
    Vettoretti2019,
    read,
)


def test_the_noise_is_that_of_simglucose_from_the_same_white_noise():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from simglucose.sensor.noise_gen import CGMNoise
    columns = table("sensor_params.csv")
    row = columns["Name"].index("GuardianRT")
    parameters = {key: float(value[row]) for key, value in columns.items() if key != "Name"}
    peer = CGMNoise(parameters, seed=5)
    expected = [next(peer) for _ in range(90)]
    white = np.random.RandomState(5).randn(1, 31)
    assert Breton2008().noise(white, SPACING)[0] == pytest.approx(expected, rel=1e-9)


def test_its_errors_are_skewed_and_about_a_tenth_of_glucose():
    offset = Breton2008().errors(400, 288, np.random.default_rng(1)).offset
    assert offset.shape == (400, 288)
    assert 9 < offset.std() < 14
    assert abs(offset.mean()) < 2


@pytest.mark.parametrize("process", [Vettoretti2019().own, Vettoretti2019().common])
def test_an_autoregression_is_the_filter_it_says_and_begins_in_its_stationary_state(process):
    white = np.random.default_rng(2).standard_normal((4000, 60))
    path = process.path(white)
    driven = path[:, 2:] - process.a1 * path[:, 1:-1] - process.a2 * path[:, :-2]
    assert driven[:, 5:].std() ** 2 == pytest.approx(process.variance, rel=0.02)
    impulse = lfilter([1], [1, -process.a1, -process.a2], np.eye(1, 400)[0])
    stationary = process.variance * (impulse**2).sum()
    assert path[:, 0].var() == pytest.approx(stationary, rel=0.07)
    assert path[:, -1].var() == pytest.approx(stationary, rel=0.07)
    lagged = (path[:, :-1] * path[:, 1:]).mean() / (path**2).mean()
    assert lagged == pytest.approx(process.a1 / (1 - process.a2), abs=0.01)


def test_without_noise_the_drift_over_ten_days_is_the_published_polynomial():
    silent = Autoregression(1.22, -0.331, 0.0)
    sensor = Vettoretti2019(own=silent, common=silent)
    readings = int(sensor.LIFETIME * DAY / SPACING)
    errors = sensor.errors(1, readings, np.random.default_rng(3))
    new = int(np.argmax(errors.gain[0]))  # of all days the gain is greatest on the first
    day = 288
    assert errors.gain[0, new] == pytest.approx(1.048, abs=2e-4)
    assert errors.offset[0, new] == pytest.approx(-6.398, abs=0.03)
    after = (new + 4 * day) % readings
    assert errors.gain[0, after] == pytest.approx(1.048 - 0.033 * 4 + 0.002 * 16, abs=2e-4)
    assert errors.offset[0, after] == pytest.approx(-6.398 + 6.179 * 4 - 0.448 * 16, abs=0.03)


def test_what_a_sensor_cannot_show_it_does_not_show():
    sensor = Vettoretti2019()
    errors = sensor.errors(2, 3, np.random.default_rng(4))
    assert read(sensor, errors, 1, np.array([1.0, 2000.0])).tolist() == [sensor.low, sensor.high]


def test_the_perfect_sensor_shows_glucose():
    errors = Perfect().errors(2, 1, np.random.default_rng(0))
    assert read(Perfect(), errors, 0, np.array([12.5, 700.0])).tolist() == [12.5, 700.0]
