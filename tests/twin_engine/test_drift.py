"""The test of a promise may be looked at after every outcome, and still rarely errs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin_engine.calibration import Limits
from twin_engine.drift import (
    MULTIPLES,
    Verdict,
    excess_of_events,
    excess_of_rate,
    lack_of_events,
    misses,
    verdict,
)
from twin_engine.scoring import Tally

PROMISED = Limits(coverage=(0.85, 0.96), ratio=(0.8, 1.25))
INSIDE = Tally("course", "glucose", 1800, "female", "40 to 64", (0.25, 0.5), True, 0)
ABOVE = replace(INSIDE, between=(0.95, 1.0))
RISK = Tally("risk", "hypoglycaemia", 1800, "female", "40 to 64", (0.1, 0.2), True, 0)


def test_evidence_on_a_rate_is_the_product_of_the_bets():
    outcomes, limit = [1, 0, 0, 1, 1, 0, 1], 0.15
    wealth = []
    for multiple in MULTIPLES:
        odds = multiple * limit / (1 - limit)
        q = odds / (1 + odds)
        bets = [q / limit if hit else (1 - q) / (1 - limit) for hit in outcomes]
        wealth.append(math.prod(bets))
    assert excess_of_rate(4, 7, limit) == pytest.approx(math.log(np.mean(wealth)))


@given(st.floats(0.01, 0.99), st.floats(0, 1))
def test_no_bet_on_a_rate_is_better_than_fair_while_the_promise_holds(limit, part):
    rate = part * limit
    gain = rate * math.exp(excess_of_rate(1, 1, limit)) + (1 - rate) * math.exp(excess_of_rate(0, 1, limit))
    assert gain <= 1 + 1e-9


@given(st.floats(0.001, 1), st.floats(0.2, 1), st.floats(0, 1))
def test_no_bet_on_events_is_better_than_fair_while_the_promise_holds(foretold, slack, ratio):
    fewer = foretold * ratio * slack  # no more than ratio times as likely as foretold
    gain = fewer * math.exp(excess_of_events(1, foretold, ratio)) + (1 - fewer) * math.exp(
        excess_of_events(0, foretold, ratio)
    )
    assert gain <= 1 + 1e-9
    more = min(foretold * ratio / slack, 1)  # at least ratio times as likely
    gain = more * math.exp(lack_of_events(1, foretold, ratio)) + (1 - more) * math.exp(
        lack_of_events(0, foretold, ratio)
    )
    assert gain <= 1 + 1e-9


def test_a_sound_model_is_rarely_called_drifting_though_one_looks_after_every_outcome():
    rng, runs, n, limit, error = np.random.default_rng(7), 400, 3000, 0.15, 0.05
    hits = np.cumsum(rng.random((runs, n)) < limit, axis=1)
    q = np.array([m * limit / (1 - limit) / (1 + m * limit / (1 - limit)) for m in MULTIPLES])
    trials = np.arange(1, n + 1)
    logs = hits[..., None] * np.log(q / limit) + (trials - hits)[..., None] * np.log((1 - q) / (1 - limit))
    evidence = np.logaddexp.reduce(logs, axis=2) - math.log(len(MULTIPLES))
    assert evidence[3, 99] == pytest.approx(excess_of_rate(int(hits[3, 99]), 100, limit))
    assert (evidence >= math.log(1 / error)).any(axis=1).mean() <= error + 0.03


def tallies(inside, missed):
    return (replace(INSIDE, n=inside), replace(ABOVE, n=missed))


def test_a_model_at_its_limit_is_sound():
    assert verdict(PROMISED, tallies(8500, 1500)) == Verdict("sound")
    assert verdict(PROMISED, [replace(RISK, n=9000, observed=1250, expected=1000.0)]) == Verdict("sound")
    assert verdict(PROMISED, [replace(RISK, n=9000, observed=800, expected=1000.0)]) == Verdict("sound")


def test_intervals_that_are_too_narrow_are_drift():
    found = verdict(PROMISED, tallies(700, 300))
    assert found.state == "drifting"
    assert "intervals too narrow: glucose in 30 min" in found.reasons


def test_intervals_that_are_too_wide_are_drift():
    found = verdict(PROMISED, tallies(3000, 10))
    assert found.reasons[0] == "intervals too wide: glucose in 30 min"


@pytest.mark.parametrize(
    ("observed", "said"),
    [(300, "fewer foretold than happened"), (40, "more foretold than happened")],
)
def test_events_that_are_not_those_foretold_are_drift(observed, said):
    found = verdict(PROMISED, [replace(RISK, n=1000, observed=observed, expected=150.0)])
    assert f"{said}: hypoglycaemia in 30 min" in found.reasons


def test_a_part_of_the_people_can_drift_alone():
    men = replace(RISK, sex="male", n=500, observed=60, expected=10.0)
    women = replace(RISK, n=50_000, observed=5000, expected=5000.0)
    found = verdict(PROMISED, [men, women])
    assert found.reasons == ("fewer foretold than happened: hypoglycaemia in 30 min, male",)


def test_forecasts_that_share_an_outcome_are_no_evidence():
    shared = [replace(one, apart=False) for one in tallies(700, 300)]
    assert verdict(PROMISED, shared) == Verdict("sound")


def test_few_outcomes_prove_nothing():
    assert verdict(PROMISED, tallies(2, 3)) == Verdict("sound")


def test_a_model_that_promises_nothing_is_sound():
    assert verdict(Limits(), [*tallies(0, 900), replace(RISK, n=900, observed=900, expected=1.0)]) == Verdict(
        "sound"
    )


def test_a_level_that_was_not_foretold_is_not_judged():
    coarse = replace(INSIDE, between=(0.025, 0.25), n=10)
    assert misses([coarse], 0.9) is None
    assert misses([coarse], 0.95) == 0
    assert verdict(PROMISED, [coarse, replace(ABOVE, n=900)]) == Verdict("sound")
