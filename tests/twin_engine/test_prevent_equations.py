"""The PREVENT equations against published numbers and an independently written oracle."""

import json
import math
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin_engine.published import vectors
from twin_engine.models.prevent.equations import (
    COLUMNS,
    HORIZONS,
    OUTCOMES,
    VARIANTS,
    Profile,
    coefficients,
    effects,
    risk,
)

PUBLISHED = {
    ("female", 50, "10y"): ("0.147", "0.092", "0.081", "0.044", "0.054"),
    ("female", 50, "30y"): ("0.530", "0.354", "0.390", "0.198", "0.221"),
    ("male", 50, "10y"): ("0.163", "0.102", "0.106", "0.056", "0.052"),
    ("male", 50, "30y"): ("0.514", "0.349", "0.424", "0.216", "0.197"),
    ("female", 67, "10y"): ("0.230", "0.140", "0.147", "0.073", "0.079"),
}
EXACT = {
    "female": (0.146839, 0.091951, 0.080561, 0.044097, 0.054008),
    "male": (0.163171, 0.101944, 0.105911, 0.055661, 0.052071),
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
    uacr=st.none() | st.floats(0.1, 25000),
    hba1c=st.none() | st.floats(4.5, 15),
    sdi=st.none() | st.integers(1, 10),
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


@pytest.mark.parametrize(("sex", "expected"), EXACT.items())
def test_published_risks_are_reproduced_to_six_places(sex, expected):
    told = [risk(example(sex), "10y", outcome) for outcome in OUTCOMES]
    assert told == pytest.approx(expected, abs=5e-7)


@pytest.fixture(scope="module")
def tables():
    return json.loads(vectors("prevent_coefficients.json"))["tables"]


def test_all_hundred_numbers_of_the_published_suite_are_reproduced():
    compared = 0
    for vector in json.loads(vectors("prevent_vectors.json")):
        profile = from_vector(vector["in"])
        assert profile.variant == vector["in"]["model"]
        for outcome in OUTCOMES:
            computed = half_up(risk(profile, vector["horizon"].removesuffix("r"), outcome))
            assert float(computed) == vector["out"][outcome.replace("-", "_")]
            compared += 1
    assert compared == 100


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
        uacr=given_.get("uacr"),
        hba1c=given_.get("hba1c"),
        sdi=given_.get("sdi_decile"),
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_coefficient_of_the_supplement_stands_in_the_tables(tables, variant):
    own = coefficients(variant)
    assert set(own) == {(horizon, sex, outcome) for horizon in HORIZONS for outcome, sex in COLUMNS}
    for (horizon, sex, outcome), column in own.items():
        expected = tables[f"{variant}_{horizon}r"]["coef"][f"{sex}_{outcome.replace('-', '_')}"]
        assert list(column.values()) == expected


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
    row += [a * n, a * h, a * high, a * d, a * s, a * fat, a * poor]
    added = {"sdi": deprived(profile.sdi), "uacr": leaking(profile.uacr), "hba1c": sugared(profile.hba1c, d)}
    known = [name for name in added if getattr(profile, name) is not None]
    wanted = known if len(known) < 2 else list(added)
    row += [term for name in added if name in wanted for term in added[name]]
    variant = "base" if not known else known[0] if len(known) == 1 else "full"
    column = tables[f"{variant}_{horizon}r"]["coef"][f"{profile.sex}_{outcome.replace('-', '_')}"]
    odds = np.exp(np.dot([*row, 1], column))
    return float(odds / (1 + odds))


def deprived(decile):
    return [0, 0, 1] if decile is None else [decile in {4, 5, 6}, decile in {7, 8, 9, 10}, 0]


def leaking(ratio):
    return [0, 1] if ratio is None else [np.log(ratio), 0]


def sugared(hba1c, diabetes):
    return [0, 0, 1] if hba1c is None else [(hba1c - 5.3) * diabetes, (hba1c - 5.3) * (1 - diabetes), 0]


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
    assert sum(effects(profile, horizon, outcome).values()) == pytest.approx(log_odds, abs=1e-6)


@given(PROFILES, st.sampled_from(HORIZONS), st.sampled_from(OUTCOMES))
def test_what_an_outcome_of_the_heart_takes_from_weight_others_do_not(profile, horizon, outcome):
    heavier = replace(profile, body_mass_index=profile.body_mass_index + 5)
    moved = risk(heavier, horizon, outcome) != risk(profile, horizon, outcome)
    assert moved == (outcome == "heart-failure")
