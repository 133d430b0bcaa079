import math
import tomllib
from importlib.resources import files

import pytest

from twin_engine.equations import effects
from twin_engine.equations.effects import NO_EFFECT, TREATMENTS, combined, marker_effect, relative_risk

TABLE = tomllib.loads(files("twin_engine.equations").joinpath("effects.toml").read_text("utf-8"))
OUTCOMES = {"cardiovascular", "coronary", "stroke", "heart-failure", "kidney", "death"}


@pytest.mark.parametrize(
    ("treatment", "outcome", "ratio", "low", "high"),
    [
        ("statin", "cardiovascular", 0.78, 0.76, 0.80),
        ("statin", "death", 0.90, 0.87, 0.93),
        ("antihypertensive", "cardiovascular", 0.90, 0.88, 0.92),
        ("sglt2-inhibitor", "heart-failure", 0.77, 0.74, 0.81),
        ("sglt2-inhibitor", "kidney", 0.63, 0.58, 0.69),
        ("glp1-agonist", "cardiovascular", 0.86, 0.80, 0.93),
    ],
)
def test_relative_risks_are_the_published_ones(treatment, outcome, ratio, low, high):
    risk = relative_risk(treatment, outcome)
    assert (risk.ratio, risk.low, risk.high) == (ratio, low, high)


def test_a_risk_per_ten_of_pressure_is_told_for_the_five_a_plan_stands_for():
    risk = relative_risk("antihypertensive", "stroke")
    assert risk.ratio == pytest.approx(math.sqrt(0.73))
    assert (risk.low, risk.high) == pytest.approx((math.sqrt(0.68), math.sqrt(0.77)))


def test_an_effect_that_is_not_published_is_none():
    assert relative_risk("statin", "heart-failure") is None
    assert relative_risk("metformin", "stroke") is None
    assert marker_effect("statin", "egfr") is None
    assert combined(["statin"], "heart-failure") == NO_EFFECT


@pytest.mark.parametrize("entry", TABLE["relative_risk"], ids=lambda entry: entry["treatment"])
def test_every_relative_risk_has_its_interval_people_and_source(entry):
    assert entry["low"] < entry["ratio"] < entry["high"] < 1
    assert entry["treatment"] in TREATMENTS
    assert entry["outcome"] in OUTCOMES
    assert "doi 10." in entry["source"]
    assert entry["population"]
    # The printed interval is one of a ratio: about even around it on the logarithmic scale.
    below, above = math.log(entry["ratio"] / entry["low"]), math.log(entry["high"] / entry["ratio"])
    assert below == pytest.approx(above, abs=0.02)
    assert ("per" in entry) == (entry["treatment"] in TABLE["standard"])


@pytest.mark.parametrize("entry", TABLE["marker"], ids=lambda entry: entry["treatment"])
def test_every_effect_on_a_marker_has_its_interval_people_and_source(entry):
    for name in ("shift", "slowing"):
        assert entry[f"{name}_low"] <= entry[name] <= entry[f"{name}_high"]
    assert 0 <= entry["slowing"] < 1
    assert "doi 10." in entry["source"]
    assert entry["population"]


def test_two_treatments_multiply_and_their_uncertainties_add():
    one, other = relative_risk("statin", "stroke"), relative_risk("glp1-agonist", "stroke")
    both = combined(["statin", "glp1-agonist"], "stroke")
    assert both.ratio == pytest.approx(one.ratio * other.ratio)
    widths = [math.log(each.high / each.low) for each in (one, other, both)]
    assert widths[2] == pytest.approx(math.hypot(widths[0], widths[1]))


def test_one_treatment_keeps_its_published_interval():
    alone = combined(["sglt2-inhibitor"], "heart-failure")
    assert (alone.ratio, alone.low, alone.high) == pytest.approx((0.77, 0.74, 0.81), abs=0.005)


def test_what_is_taken_is_neither_begun_again_nor_ended_unseen():
    plan = {"statin": True, "glp1-agonist": True, "antihypertensive": False}
    assert effects.started(plan, ("statin",)) == ("glp1-agonist",)
    assert effects.stopped(plan, ("statin",)) == ()
    assert effects.stopped(plan, ("antihypertensive",)) == ("antihypertensive",)
