import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin_engine.equations.ckd_epi import egfr

# umol/L in 1 mg/dL of creatinine.
MICROMOLAR = 88.4
SEXES = st.sampled_from(["female", "male"])


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        # National Kidney Foundation's calculator, CKD-EPI creatinine equation (2021)
        (1.2, 55, "male", 71),
        (1.1, 50, "male", 82),
        # examples of public implementations and of calculators of laboratories
        (1.5, 55, "female", 41),
        (1.5, 55, "male", 55),
        (1.5, 43, "female", 44),
        (1.5, 43, "male", 59),
        (88 / MICROMOLAR, 43, "male", 96),
        (102 / MICROMOLAR, 43, "female", 60),
        (111 / MICROMOLAR, 77, "male", 59),
        (1.7, 81, "male", 40),
    ],
)
def test_published_examples_are_reproduced(creatinine, age, sex, expected):
    assert round(egfr(creatinine, age, sex)) == expected


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        (1.5, 55, "female", 40.900),
        (1.5, 55, "male", 54.640),
        (1.5, 43, "female", 44.069),
        (88 / MICROMOLAR, 43, "male", 96.294),
        (1.7, 81, "male", 40.000),
    ],
)
def test_published_examples_are_reproduced_to_three_places(creatinine, age, sex, expected):
    assert egfr(creatinine, age, sex) == pytest.approx(expected, abs=5e-4)


def test_the_knots_give_the_leading_constants():
    assert egfr(0.9, 40, "male") == pytest.approx(142 * 0.9938**40)
    assert egfr(0.7, 40, "female") == pytest.approx(142 * 0.9938**40 * 1.012)


@given(st.floats(0.1, 15), st.integers(18, 110), SEXES)
def test_the_logarithm_has_the_published_slopes(creatinine, age, sex):
    knot, slope = {"female": (0.7, -0.241), "male": (0.9, -0.302)}[sex]
    excess = math.log(creatinine / knot)
    expected = math.log(142) + (-1.2 if excess > 0 else slope) * excess + age * math.log(0.9938)
    expected += math.log(1.012) if sex == "female" else 0
    assert math.log(egfr(creatinine, age, sex)) == pytest.approx(expected, abs=1e-12)


@given(st.floats(0.1, 15), st.floats(1.001, 3), st.integers(18, 109), SEXES)
def test_more_creatinine_and_more_years_mean_less_filtration(creatinine, factor, age, sex):
    assert egfr(creatinine * factor, age, sex) < egfr(creatinine, age, sex)
    assert egfr(creatinine, age + 1, sex) < egfr(creatinine, age, sex)


@pytest.mark.parametrize(("creatinine", "age"), [(0.0, 50), (-1.0, 50), (math.nan, 50), (1.0, 17)])
def test_what_the_equation_does_not_hold_for_is_an_error(creatinine, age):
    with pytest.raises(ValueError, match="CKD-EPI"):
        egfr(creatinine, age, "female")
