"""The PREVENT equations against published numbers and an independently written oracle."""

import json
import math
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin_engine.models.prevent.equations import COEFFICIENTS, HORIZONS, OUTCOMES, Profile, effects, risk

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "vectors"
PUBLISHED = {
    ("female", 50, "10y"): ("0.147", "0.092", "0.081"),
    ("female", 50, "30y"): ("0.530", "0.354", "0.390"),
    ("male", 50, "10y"): ("0.163", "0.102", "0.106"),
    ("male", 50, "30y"): ("0.514", "0.349", "0.424"),
    ("female", 67, "10y"): ("0.230", "0.140", "0.147"),
}
EXACT = {
    ("female", "total-cvd"): 0.146839,
    ("female", "ascvd"): 0.091951,
    ("female", "heart-failure"): 0.080561,
    ("male", "total-cvd"): 0.163171,
    ("male", "ascvd"): 0.101944,
    ("male", "heart-failure"): 0.105911,
}
PROFILES = st.builds(
    Profile,
    sex=st.sampled_from(["female", "male"]),
    age=st.integers(30, 79),
    systolic=st.floats(90, 180),
    total_cholesterol=st.floats(130, 320),
    hdl_cholesterol=st.floats(20, 100),
    body_mass_index=st.floats(18.5, 39.9),
    egfr=st.floats(15, 140),
    diabetes=st.booleans(),
    smoking=st.booleans(),
    antihypertensive=st.booleans(),
    statin=st.booleans(),
)


def example(sex: str, age: int = 50) -> Profile:
    """Return the person of the published example."""
    return Profile(
        sex=sex,
        age=age,
        systolic=160,
        total_cholesterol=200,
        hdl_cholesterol=45,
        body_mass_index=35,
        egfr=90,
        diabetes=True,
        smoking=False,
        antihypertensive=True,
        statin=False,
    )


def half_up(probability: float) -> str:
    return str(Decimal(str(probability)).quantize(Decimal("0.001"), ROUND_HALF_UP))


@pytest.mark.parametrize(("who", "expected"), PUBLISHED.items())
def test_published_risks_are_reproduced_to_the_last_digit(who, expected):
    sex, age, horizon = who
    assert tuple(half_up(risk(example(sex, age), horizon, outcome)) for outcome in OUTCOMES) == expected


@pytest.mark.parametrize(("who", "expected"), EXACT.items())
def test_published_risks_are_reproduced_to_six_places(who, expected):
    sex, outcome = who
    assert risk(example(sex), "10y", outcome) == pytest.approx(expected, abs=5e-7)


@pytest.fixture(scope="module")
def tables():
    file = VECTORS / "prevent_coefficients.json"
    if not file.exists():
        pytest.skip(f"{file.name} is not here")
    return json.loads(file.read_text())["tables"]


def test_every_vector_of_the_published_suite_is_reproduced():
    file = VECTORS / "prevent_vectors.json"
    if not file.exists():
        pytest.skip(f"{file.name} is not here")
    vectors = [vector for vector in json.loads(file.read_text()) if vector["in"]["model"] == "base"]
    assert vectors
    for vector in vectors:
        profile = from_vector(vector["in"])
        for outcome in OUTCOMES:
            computed = half_up(risk(profile, vector["horizon"].removesuffix("r"), outcome))
            assert float(computed) == vector["out"][outcome.replace("-", "_")]


def from_vector(given_: dict) -> Profile:
    return Profile(
        sex=given_["sex"],
        age=given_["age"],
        systolic=given_["sbp"],
        total_cholesterol=given_["total_c"],
        hdl_cholesterol=given_["hdl_c"],
        body_mass_index=given_["bmi"],
        egfr=given_["egfr"],
        diabetes=bool(given_["dm"]),
        smoking=bool(given_["smoking"]),
        antihypertensive=bool(given_["bp_tx"]),
        statin=bool(given_["statin"]),
    )


def oracle(tables, profile: Profile, horizon: str, outcome: str) -> float:
    """Return the risk as one dot product, in the order of the published table."""
    a = (profile.age - 55) / 10
    n, h = (
        (profile.total_cholesterol - profile.hdl_cholesterol) * 0.02586 - 3.5,
        profile.hdl_cholesterol * 0.02586,
    )
    h = h / 0.3 - 1.3 / 0.3
    low, high = np.fmin(profile.systolic, 110) / 20 - 5.5, np.fmax(profile.systolic, 110) / 20 - 6.5
    d, s, t, c = (
        float(x) for x in (profile.diabetes, profile.smoking, profile.antihypertensive, profile.statin)
    )
    lean, fat = np.fmin(profile.body_mass_index, 30) / 5 - 5, np.fmax(profile.body_mass_index, 30) / 5 - 6
    poor, well = 4 - np.fmin(profile.egfr, 60) / 15, 6 - np.fmax(profile.egfr, 60) / 15
    squared = [a * a] if horizon == "30y" else []
    row = [a, *squared, n, h, low, high, d, s, lean, fat, poor, well, t, c, t * high, c * n]
    row += [a * n, a * h, a * high, a * d, a * s, a * fat, a * poor, 1]
    column = tables[f"base_{horizon}r"]["coef"][f"{profile.sex}_{outcome.replace('-', '_')}"]
    odds = np.exp(np.dot(row, column))
    return float(odds / (1 + odds))


@settings(max_examples=300)
@given(PROFILES, st.sampled_from(HORIZONS), st.sampled_from(OUTCOMES))
def test_an_independent_oracle_agrees(tables, profile, horizon, outcome):
    assert risk(profile, horizon, outcome) == pytest.approx(
        oracle(tables, profile, horizon, outcome), abs=1e-9
    )


@given(PROFILES, st.sampled_from(HORIZONS), st.sampled_from(OUTCOMES))
def test_a_risk_is_a_probability_and_the_effects_add_up_to_its_log_odds(profile, horizon, outcome):
    probability = risk(profile, horizon, outcome)
    assert 0 < probability < 1
    log_odds = math.log(probability / (1 - probability))
    assert sum(effects(profile, horizon, outcome).values()) == pytest.approx(log_odds, abs=1e-9)


def test_the_tables_hold_every_equation_with_every_term():
    assert len(COEFFICIENTS) == 12
    lengths = {
        horizon: {len(row) for (h, _, _), row in COEFFICIENTS.items() if h == horizon} for horizon in HORIZONS
    }
    assert lengths == {"10y": {23}, "30y": {24}}
