"""Which readings of a sensor are worth less than others."""

import numpy as np
import pytest

from twin_engine.models.glucose.artefacts import pressed, variance

EVERY_FIVE = np.arange(0.0, 600.0, 5.0)


def trace():
    return 140 + 20 * np.sin(EVERY_FIVE / 90)


def test_an_ordinary_trace_is_trusted_alike():
    values = trace()
    assert not pressed(EVERY_FIVE, values).any()
    assert variance(EVERY_FIVE, values) == pytest.approx((2 + 0.01 * values) ** 2)


def test_a_low_that_comes_and_goes_too_fast_counts_for_less():
    values = trace()
    values[60:66] = (90, 60, 52, 50, 55, 85)
    assert np.flatnonzero(pressed(EVERY_FIVE, values)).tolist() == [60, 61, 62, 63, 64, 65]
    ratio = variance(EVERY_FIVE, values) / (2 + 0.01 * values) ** 2
    assert ratio[60:66] == pytest.approx(np.full(6, 25.0))
    assert np.delete(ratio, np.arange(60, 66)) == pytest.approx(np.ones(114))


@pytest.mark.parametrize("fall", [30, 45, 60])
def test_a_low_that_comes_as_glucose_does_is_believed(fall):
    values = np.interp(EVERY_FIVE, [0, 200, 200 + fall, 215 + fall, 300 + fall], [120, 120, 60, 60, 140])
    assert not pressed(EVERY_FIVE, values).any()


def test_a_low_that_has_not_recovered_is_believed():
    values = trace()
    values[-4:] = (80, 60, 55, 50)
    assert not pressed(EVERY_FIVE, values).any()


def test_a_fall_without_a_low_is_believed():
    values = trace() + 150
    values[60:64] -= 60
    assert not pressed(EVERY_FIVE, values).any()


def test_a_sensor_that_begins_after_a_gap_settles_within_hours():
    minutes = np.concatenate((EVERY_FIVE, EVERY_FIVE + 720))
    ratio = variance(minutes, np.full(240, 120.0)) / 3.2**2
    assert ratio[:120] == pytest.approx(np.ones(120))
    assert ratio[120] == pytest.approx(4.0)
    assert ratio[120 + 72] == pytest.approx(1 + 3 * np.exp(-1))
    assert (np.diff(ratio[120:]) < 0).all()


def test_at_the_ends_of_the_range_a_reading_says_less():
    values = np.array([39.0, 41.0, 399.0, 400.0])
    ratio = variance(np.arange(4.0), values) / (2 + 0.01 * values) ** 2
    assert ratio == pytest.approx([9.0, 1.0, 1.0, 9.0])


def test_no_readings_have_no_variances():
    assert variance(np.zeros(0), np.zeros(0)).shape == (0,)
