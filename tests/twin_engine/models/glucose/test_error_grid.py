"""Both grids against the corners of their published zones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin_engine.models.glucose.error_grid import ZONES, clarke, parkes, shares

# (reference, foretold, zone): each side of the lines of Clarke 1987.
CLARKE = [
    (100, 119.9, "A"),
    (100, 120.1, "B"),
    (100, 80.1, "A"),
    (100, 79.9, "B"),
    (60, 69, "A"),
    (58, 71, "D"),
    (30, 20, "A"),
    (69, 179, "D"),
    (69, 181, "E"),
    (71, 180, "B"),
    (71, 182, "C"),
    (200, 309, "B"),
    (200, 311, "C"),
    (130, 1, "B"),
    (180, 69, "E"),
    (155, 34, "C"),
    (155, 36, "B"),
    (181, 69, "E"),
    (181, 71, "B"),
    (239, 100, "B"),
    (241, 100, "D"),
    (241, 179, "D"),
    (241, 181, "B"),
    (300, 69, "E"),
]


@pytest.mark.parametrize(("reference", "foretold", "zone"), CLARKE)
def test_a_pair_is_in_its_zone_of_clarke(reference, foretold, zone):
    assert clarke([reference], [foretold]) == [zone]


# The corners of Pfützner 2013, table 1 (type 1), with the zone on either side of each.
UPPER = {
    "AB": [(30, 50), (140, 170), (280, 380), (430, 550)],
    "BC": [(30, 60), (50, 80), (70, 110), (260, 550)],
    "CD": [(25, 100), (50, 125), (80, 215), (125, 550)],
    "DE": [(35, 155), (50, 550)],
}
LOWER = {
    "AB": [(50.1, 30), (170, 145), (385, 300), (550, 450)],
    "BC": [(120.1, 30), (260, 130), (550, 250)],
    "CD": [(250.1, 40), (550, 150)],
}


@pytest.mark.parametrize(("sides", "x", "y"), [(z, x, y) for z, at in UPPER.items() for x, y in at])
def test_an_upper_corner_of_parkes_parts_two_zones(sides, x, y):
    assert "".join(parkes([x, x], [y - 0.5, y + 0.5])) == sides


@pytest.mark.parametrize(("sides", "x", "y"), [(z, x, y) for z, at in LOWER.items() for x, y in at])
def test_a_lower_corner_of_parkes_parts_two_zones(sides, x, y):
    assert "".join(parkes([x, x], [y + 0.5, y - 0.5])) == sides


@pytest.mark.parametrize(("x", "before", "after"), [(50, "A", "B"), (120, "B", "C"), (250, "C", "D")])
def test_lower_zones_of_parkes_begin_at_a_reference(x, before, after):
    assert "".join(parkes([x - 0.1, x + 0.1], [5, 5])) == before + after


@pytest.mark.parametrize("grid", [clarke, parkes])
@given(value=st.floats(20, 600))
def test_what_is_exact_is_in_zone_a(grid, value):
    assert grid([value], [value]) == ["A"]


@given(x=st.floats(20, 500), y=st.floats(20, 500), further=st.floats(0, 100))
def test_a_greater_error_is_never_in_a_better_zone_of_parkes(x, y, further):
    worse = y + further if y >= x else max(y - further, 0)
    near, far = parkes([x, x], [y, worse])
    assert ZONES.index(near) <= ZONES.index(far)


def test_shares_sum_to_one():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(40, 400, (2, 500))
    for grid in (clarke, parkes):
        assert shares(grid, x, y).sum() == pytest.approx(1)
        assert shares(grid, x, y)[0] == np.mean(grid(x, y) == "A")


def test_values_without_a_partner_are_refused():
    with pytest.raises(ValueError, match="pairs"):
        clarke([100, 120], [100])
    with pytest.raises(ValueError, match="pairs"):
        parkes([], [])
