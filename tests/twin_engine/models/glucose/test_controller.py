"""What the twin proposes: less insulin where glucose goes low, more where it stays high, nothing in doubt."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin_engine.models.glucose.test_following import AT, DIAGNOSED, ITEMS, MODEL, state
from tests.twin_engine.models.glucose.test_limits import ORDINARY, SITUATIONS
from tests.twin_engine.people import WOMAN, aged
from twin_engine.models.glucose.checking import RESEARCH, violations
from twin_engine.models.glucose.controller import Course, chosen, zone_cost
from twin_engine.models.glucose.filtering import Habits, begun
from twin_engine.models.glucose.following import Followed
from twin_engine.models.glucose.limits import LIMITS, Candidate, Limits
from twin_engine.models.glucose.minimal import Person
from twin_engine.models.glucose.proposing import said
from twin_engine.models.glucose.record import FAST, FOOD, LONG, SENSOR
from twin_engine.proposing import Proposing
from twin_engine.twin import Condition, Dose, Evidence, Measurement, Refusal

USUAL = 0.9


def trace(level, rate=0.0, until=1.0):
    """Return a day of readings that end at ``level`` mg/dL after 45 minutes at ``rate`` mg/dL/min."""
    for n in range(288):
        time = AT - timedelta(minutes=5 * n + until)
        value = level - rate * 5 * min(n, 9)
        yield Measurement(SENSOR, time, f"Observation/g{n}/_history/1", value)


def pump(rate=USUAL, until=0.0):
    ends = AT - timedelta(hours=until)
    source = "MedicationAdministration/b/_history/1"
    return Dose(FAST, AT - timedelta(hours=36), source, rate * (36 - until), ends)


PENS = Dose(LONG, AT - timedelta(hours=8), "MedicationAdministration/l/_history/1", 22)


def propose(*items, subject=WOMAN, at=AT, limits=LIMITS):
    known = MODEL.assimilate(MODEL.prior(subject, AT), Evidence.of(subject, [DIAGNOSED, *items]), AT)
    return MODEL.propose(known, at, np.random.default_rng(3), limits)


def rate_and_bolus(found):
    """Return U/h and U that are proposed; the usual rate where none is."""
    rates = [0.0 if one.withhold else one.amount for one in found if one.hourly]
    return (rates or [USUAL])[0], sum(one.amount for one in found if not one.hourly)


def units(found):
    """Return U that are given until the proposals run out."""
    rate, bolus = rate_and_bolus(found)
    return rate / 6 + bolus


def test_the_twin_is_one_that_proposes():
    assert isinstance(MODEL, Proposing)


def test_falling_glucose_stops_the_pump():
    (only,) = propose(*trace(95, -1.5), pump())
    assert (only.hourly, only.withhold, only.amount) == (True, True, USUAL)


def test_the_higher_glucose_stays_the_more_insulin():
    calm, high, higher = (units(propose(*trace(level), pump())) for level in (115, 180, 290))
    assert calm < high <= higher
    assert rate_and_bolus(propose(*trace(115), pump()))[1] == 0


def test_insulin_on_board_lessens_what_is_proposed():
    bolus = Dose(FAST, AT - timedelta(minutes=25), "MedicationAdministration/x/_history/1", 8.0)
    alone, after = (rate_and_bolus(propose(*trace(250), pump(), *more)) for more in ((), (bolus,)))
    assert after[1] < alone[1]
    assert after[0] <= alone[0]


def test_a_meal_that_is_announced_is_covered():
    meal = Measurement(FOOD, AT + timedelta(minutes=2), "Observation/meal/_history/1", 70.0)
    without, covered = (units(propose(*trace(130), pump(), *more)) for more in ((), (meal,)))
    assert covered > without + 0.3


def test_who_injects_is_proposed_boluses_only():
    found = propose(*trace(280), PENS)
    assert [one.hourly for one in found] == [False]


def test_a_proposal_says_what_it_is_for_and_within_which_limits():
    for one in propose(*trace(280), pump()):
        assert RESEARCH in one.rationale
        assert one.limits == LIMITS.said()
        assert one.until - one.at == timedelta(minutes=10)
        assert {"Condition/1/_history/1", WOMAN.source} <= set(one.basis)


def test_the_same_state_proposes_the_same():
    assert propose(*trace(250), pump()) == propose(*trace(250), pump())


def test_narrower_limits_are_kept():
    found = propose(*trace(290), pump(), limits=Limits(bolus=0.5, basal_factor=1.2))
    rate, bolus = rate_and_bolus(found)
    assert rate <= 1.2 * USUAL
    assert 0 < bolus <= 0.5


@pytest.mark.parametrize(
    ("items", "subject", "signal", "text"),
    [
        ([*trace(180, until=11), pump()], WOMAN, SENSOR, "older than 10 minutes"),
        ([*trace(180)], WOMAN, FAST, "No insulin"),
        ([*trace(180), pump(until=3)], WOMAN, FAST, "two hours"),
        ([*trace(180), pump()], aged(WOMAN, 17), "age", "adults"),
        (
            [*trace(180), pump(), Condition("pregnancy", "Condition/2/_history/1", True)],
            WOMAN,
            "pregnancy",
            "scope",
        ),
        ([pump()], WOMAN, SENSOR, ""),
    ],
)
def test_in_doubt_nothing_is_proposed_and_the_reason_is_said(items, subject, signal, text):
    found = propose(*items, subject=subject)
    assert isinstance(found, Refusal)
    assert signal in {reason.signal for reason in found.reasons}
    assert text in " ".join(reason.text for reason in found.reasons)


def test_an_uncertain_forecast_is_no_ground_for_a_dose():
    found = propose(*trace(180), pump(), limits=Limits(width=20.0))
    assert isinstance(found, Refusal)
    assert "too uncertain" in found.reasons[0].text


def test_a_state_of_earlier_is_not_proposed_by():
    found = propose(*trace(180), pump(), at=AT + timedelta(minutes=6))
    assert isinstance(found, Refusal)
    assert "state" in {reason.signal for reason in found.reasons}


def course(glucose, pumped, grams=0.0):
    ensemble = begun(Habits(Person(70.0, USUAL / 60)), 0, glucose, 16)
    here = Followed(0, ensemble.members, ensemble.recent, 70.0, USUAL / 60, ())
    return Course(here, np.zeros(480), np.full(10, grams / 10), pumped)


@settings(max_examples=40, deadline=None)
@given(ORDINARY | SITUATIONS, st.floats(60, 350), st.sampled_from([0.0, 80.0]), st.integers(0, 2**32))
def test_no_proposal_of_the_controller_ever_breaks_a_limit(situation, glucose, grams, seed):
    where = course(glucose, situation.running is not None, grams)
    found = chosen(where, situation, np.random.default_rng(seed))
    if found is None:
        return
    assert violations(said(found, situation, AT, LIMITS), situation, LIMITS) == ()


def test_low_glucose_costs_more_than_high_and_the_zone_nothing():
    assert zone_cost(np.array([100.0, 115.0, 140.0])).tolist() == [0, 0, 0]
    low, high = zone_cost(np.array([65.0, 165.0]))
    assert low > 10 * high


def test_a_candidate_without_a_pump_leaves_long_acting_insulin_alone():
    where = replace(course(150.0, pumped=False), slow=np.full(480, 0.015))
    inputs = where.inputs(Candidate(None, 2.0), 60)
    assert inputs.insulin.sum() == 2.0
    assert np.array_equal(inputs.slow, np.full(60, 0.015))


def test_what_goes_on_is_part_of_the_state_that_resumes():
    whole = state(ITEMS)
    assert state(ITEMS, AT, whole).underway.on_board == whole.underway.on_board
