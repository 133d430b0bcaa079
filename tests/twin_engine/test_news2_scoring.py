"""Every band edge of the NEWS2 chart, against a table written down the other way round: points to values."""

from dataclasses import replace

import pytest

from twin_engine.models.news2.scoring import Vitals, grade, points, saturation_points

NORMAL = Vitals(
    respiratory_rate=16,
    oxygen_saturation=97,
    scale=1,
    on_oxygen=False,
    systolic=120,
    heart_rate=70,
    alert=True,
    temperature=37.0,
)
# Royal College of Physicians 2017: points of each value of the chart; temperatures in tenths.
CHART = {
    ("respiratory_rate", "respiratory-rate", 1): {
        3: [*range(9), *range(25, 71)],
        2: [21, 22, 23, 24],
        1: [9, 10, 11],
        0: [12, 13, 14, 15, 16, 17, 18, 19, 20],
    },
    ("systolic", "systolic-blood-pressure", 1): {
        3: [*range(30, 91), *range(220, 301)],
        2: list(range(91, 101)),
        1: list(range(101, 111)),
        0: list(range(111, 220)),
    },
    ("heart_rate", "heart-rate", 1): {
        3: [*range(41), *range(131, 251)],
        2: list(range(111, 131)),
        1: [*range(41, 51), *range(91, 111)],
        0: list(range(51, 91)),
    },
    ("temperature", "body-temperature", 10): {
        3: list(range(250, 351)),
        2: list(range(391, 440)),
        1: [*range(351, 361), *range(381, 391)],
        0: list(range(361, 381)),
    },
}
SATURATION = {
    "scale 1": {3: range(50, 92), 2: (92, 93), 1: (94, 95), 0: range(96, 101)},
    "scale 2, air": {3: range(50, 84), 2: (84, 85), 1: (86, 87), 0: range(88, 101)},
    "scale 2, oxygen": {
        3: [*range(50, 84), 97, 98, 99, 100],
        2: (84, 85, 95, 96),
        1: (86, 87, 93, 94),
        0: range(88, 93),
    },
}


@pytest.mark.parametrize(("column", "chart"), CHART.items(), ids=[signal for _, signal, _ in CHART])
def test_every_value_of_the_chart_has_its_points(column, chart):
    field, signal, step = column
    values = [value for group in chart.values() for value in group]
    assert sorted(values) == list(range(min(values), max(values) + 1)), "the table has a gap"
    for expected, group in chart.items():
        scored = {value: points(replace(NORMAL, **{field: value / step}))[signal] for value in group}
        assert set(scored.values()) == {expected}, scored


@pytest.mark.parametrize(("column", "chart"), SATURATION.items(), ids=list(SATURATION))
def test_every_saturation_has_its_points_on_both_scales(column, chart):
    scale = 1 if column == "scale 1" else 2
    supplies = {"scale 1": (False, True), "scale 2, air": (False,), "scale 2, oxygen": (True,)}[column]
    for on_oxygen in supplies:
        for expected, group in chart.items():
            assert {saturation_points(value, scale, on_oxygen=on_oxygen) for value in group} == {expected}


def test_oxygen_scores_2_and_any_lowered_consciousness_3():
    assert points(replace(NORMAL, on_oxygen=True))["supplemental-oxygen"] == 2
    assert points(replace(NORMAL, alert=False))["consciousness"] == 3
    assert set(points(NORMAL).values()) == {0}


@pytest.mark.parametrize(
    ("field", "signal", "value", "expected"),
    [
        ("temperature", "body-temperature", 36.04, 1),
        ("temperature", "body-temperature", 36.05, 0),
        ("temperature", "body-temperature", 38.05, 1),
        ("respiratory_rate", "respiratory-rate", 20.49, 0),
        ("respiratory_rate", "respiratory-rate", 20.5, 2),
        ("oxygen_saturation", "oxygen-saturation", 95.5, 0),
        ("systolic", "systolic-blood-pressure", 219.5, 3),
    ],
)
def test_between_steps_of_the_chart_a_value_is_rounded_half_up(field, signal, value, expected):
    assert points(replace(NORMAL, **{field: value}))[signal] == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0] * 7, "low"),
        ([1, 1, 1, 1, 0, 0, 0], "low"),
        ([2, 2, 0, 0, 0, 0, 0], "low"),
        ([3, 0, 0, 0, 0, 0, 0], "low-medium"),
        ([3, 1, 0, 0, 0, 0, 0], "low-medium"),
        ([3, 2, 0, 0, 0, 0, 0], "medium"),
        ([2, 2, 1, 0, 0, 0, 0], "medium"),
        ([2, 2, 2, 0, 0, 0, 0], "medium"),
        ([2, 2, 2, 1, 0, 0, 0], "high"),
        ([3, 3, 2, 3, 3, 3, 3], "high"),
    ],
)
def test_the_aggregate_and_a_single_3_grade_the_risk(scores, expected):
    assert grade({str(place): score for place, score in enumerate(scores)}) == expected
