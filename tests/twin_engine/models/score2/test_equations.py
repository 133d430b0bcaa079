"""SCORE2 against published numbers and an independently written oracle."""

import json
import math
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin_engine.published import vectors
from twin_engine.models.score2.equations import REGIONS, Diabetes, Profile, baseline, effects, risk

MG_DL = 1 / 0.02586


def person(sex, age, smoking, systolic, total, hdl, diabetes=None) -> Profile:
    """Return a person with cholesterol in mmol/L and diabetes as (age at diagnosis, mmol/mol, eGFR)."""
    found = diabetes and Diabetes(diabetes[0], diabetes[1] * 0.09148 + 2.152, diabetes[2])
    return Profile(sex, age, systolic, total * MG_DL, hdl * MG_DL, smoking, found)


def percent(probability: float) -> float:
    return float((Decimal(repr(probability)) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP))


# SCORE2 working group 2021, the example of the supplement: a smoker of 50 years with 140 mm[Hg], total
# cholesterol 6.3 and HDL cholesterol 1.4 mmol/L; SCORE2-OP: of 75 years with 5.5 and 1.3 mmol/L.
@pytest.mark.parametrize(
    ("region", "man", "woman"),
    [("low", 6.3, 4.3), ("moderate", 8.1, 5.2), ("high", 8.8, 7.1), ("very-high", 15.1, 14.1)],
)
def test_the_published_smoker_of_50_years_is_reproduced_in_every_region(region, man, woman):
    told = [percent(risk(person(sex, 50, True, 140, 6.3, 1.4), region)) for sex in ("male", "female")]
    assert told == [man, woman]


def test_the_published_smoker_of_75_years_is_reproduced():
    told = [percent(risk(person(sex, 75, True, 140, 5.5, 1.3), "low")) for sex in ("male", "female")]
    assert told == [18.6, 15.2]


# SCORE2-Diabetes working group 2023, abstract.
@pytest.mark.parametrize(("diabetes", "expected"), [((60, 50, 90), 11), ((50, 70, 60), 17)])
def test_the_two_men_of_the_abstract_are_reproduced(diabetes, expected):
    man = person("male", 60, False, 140, 5.5, 1.3, diabetes)
    assert round(100 * risk(man, "moderate")) == expected


def test_every_vector_of_score2_and_score2_op_is_reproduced():
    told = json.loads(vectors("score2_vectors.json"))["vectors"]
    assert len(told) == 21
    for each in told:
        given_ = person(
            each["sex"], each["age"], bool(each["smoker"]), each["sbp"], each["tc_mmol"], each["hdl_mmol"]
        )
        assert percent(risk(given_, region(each))) == each["expected_pct"]


def test_every_vector_of_score2_diabetes_is_reproduced():
    told = json.loads(vectors("score2_diabetes_vectors.json"))["vectors"]
    assert len(told) == 18
    for each in told:
        number = {name: float(value) for name, value in each.items() if name not in {"region", "sex"}}
        diabetes = (int(number["age_dm"]), number["hba1c_mmolmol"], number["egfr"])
        given_ = person(
            each["sex"],
            int(number["age"]),
            bool(number["smoker"]),
            number["sbp"],
            number["tc_mmol"],
            number["hdl_mmol"],
            diabetes,
        )
        assert percent(risk(given_, region(each))) == each["expected_pct"]


def region(vector) -> str:
    return vector["region"].lower().replace(" ", "-")


MIDDLE = {
    "male": (0.9605, 0.3742, 0.6012, 0.2777, 0.1458, -0.2698, -0.0755, -0.0255, -0.0281, 0.0426),
    "female": (0.9776, 0.4648, 0.7744, 0.3131, 0.1002, -0.2606, -0.1088, -0.0277, -0.0226, 0.0613),
}
OLDER = {
    "male": (0.7576, 0.0634, 0.3524, 0.0094, 0.0850, -0.3564, -0.0247, -0.0005, 0.0073, 0.0091),
    "female": (0.8082, 0.0789, 0.4921, 0.0102, 0.0605, -0.3040, -0.0255, -0.0004, -0.0009, 0.0154),
}
SCALES = {
    ("middle", "male", "low"): (-0.5699, 0.7476),
    ("middle", "female", "low"): (-0.7380, 0.7019),
    ("older", "male", "low"): (-0.34, 1.19),
    ("older", "female", "low"): (-0.52, 1.01),
}


def oracle(profile: Profile) -> float:
    """Return the risk in the low-risk region in the two steps of the supplement."""
    older = profile.age >= 70
    survival, *beta = (OLDER if older else MIDDLE)[profile.sex]
    t, h = profile.total_cholesterol / MG_DL - 6, profile.hdl_cholesterol / MG_DL
    a, s, h = (
        (profile.age - 73, profile.systolic - 150, h - 1.4)
        if older
        else ((profile.age - 60) / 5, (profile.systolic - 120) / 20, (h - 1.3) * 2)
    )
    k = float(profile.smoking)
    row = (a, k, s, t, h, a * k, a * s, a * t, a * h)
    mean = {"male": 0.0929, "female": 0.229}[profile.sex] if older else 0
    uncalibrated = 1 - survival ** math.exp(sum(b * x for b, x in zip(beta, row, strict=True)) - mean)
    shift, slope = SCALES["older" if older else "middle", profile.sex, "low"]
    return 1 - math.exp(-math.exp(shift + slope * math.log(-math.log(1 - uncalibrated))))


PEOPLE = st.builds(
    Profile,
    sex=st.sampled_from(["female", "male"]),
    age=st.integers(40, 89),
    systolic=st.floats(80, 220),
    total_cholesterol=st.floats(100, 400),
    hdl_cholesterol=st.floats(15, 100),
    smoking=st.booleans(),
)


@given(PEOPLE)
def test_an_independent_oracle_agrees(profile):
    assert risk(profile, "low") == pytest.approx(oracle(profile), rel=1e-9, abs=1e-12)


@given(PEOPLE, st.sampled_from(REGIONS))
def test_baseline_and_effects_add_up_to_the_logarithm_of_the_hazard(profile, where):
    log_hazard = baseline(profile, where) + sum(effects(profile, where).values())
    assert math.log(-math.log1p(-risk(profile, where))) == pytest.approx(log_hazard, abs=1e-6)


@given(PEOPLE, st.sampled_from(REGIONS))
def test_who_smokes_has_the_higher_risk_until_85_years(profile, where):
    smoker, other = replace(profile, smoking=True), replace(profile, smoking=False)
    assert profile.age > 85 or risk(smoker, where) > risk(other, where)


@pytest.mark.parametrize(("age", "diabetes"), [(39, None), (90, None), (70, (50, 50, 90))])
def test_where_no_equation_holds_there_is_no_risk(age, diabetes):
    with pytest.raises(ValueError, match="no equation"):
        risk(person("male", age, False, 140, 5.5, 1.3, diabetes), "low")
