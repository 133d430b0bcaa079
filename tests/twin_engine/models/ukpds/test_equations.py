import math

import numpy as np
import pytest

from tests.twin_engine.models.ukpds.people import profile
from twin_engine.models.ukpds.equations import COEFFICIENTS, risk_factors
from twin_engine.models.ukpds.multistate import EVENTS, LEVELS, PLACE, SUBSETS, annual, dying

NOTHING = np.zeros((1, len(EVENTS)), dtype=np.int64)


def having(*events: str) -> np.ndarray:
    levels = NOTHING.copy()
    for event in events:
        levels[0, PLACE[event]] += 1
    return levels


def chance(person, event: str, *history: str) -> float:
    return float(annual(person, 0, having(*history))[0, PLACE[event]])


def death(person, *happening: str, history: tuple[str, ...] = ()) -> float:
    wanted = np.array([event in happening for event in EVENTS])
    (place,) = np.flatnonzero((wanted == SUBSETS).all(axis=1))
    return float(dying(person, 0, having(*history))[0, place])


@pytest.mark.parametrize(
    ("event", "woman", "man"),
    [
        ("heart-failure", 0.002524, 0.002524),
        ("ischaemic-heart-disease", 0.005147, 0.008745),
        ("myocardial-infarction", 0.004666, 0.008365),
        ("stroke", 0.002127, 0.003236),
        ("blindness", 0.002365, 0.002365),
        ("kidney-failure", 0.000146, 0.000349),
        ("foot-ulcer", 0.000754, 0.001972),
    ],
)
def test_the_person_of_the_baseline_has_the_known_chances_of_the_year(event, woman, man):
    assert round(chance(profile("female"), event), 6) == woman
    assert round(chance(profile("male"), event), 6) == man


def test_the_person_of_the_baseline_has_the_known_chance_of_death():
    assert round(death(profile("female")), 6) == 0.005460
    assert round(death(profile("male")), 6) == 0.006860


def test_heart_failure_of_the_worked_example():
    """The source's own example: 62 at diagnosis, 8 years on, albuminuria and an amputation: 0.027."""
    person = profile("male", age=70, duration=8, body_mass_index=32, egfr=50, ldl=3.0, albuminuria=True)
    assert round(chance(person, "heart-failure", "amputation"), 6) == 0.026732


def test_death_in_the_year_of_the_first_event_of_the_worked_examples():
    """The source's own examples: a smoker of 70, 12 years on, heart rate 80: 0.597 and 0.286."""
    person = profile("male", age=70, duration=12, heart_rate=80, smoking=True)
    assert round(death(person, "myocardial-infarction"), 3) == 0.597
    assert round(death(person, "heart-failure"), 3) == 0.286


def test_death_with_a_history_of_the_worked_example():
    """A smoker of 70 with overweight, 6 x 10^9/L leukocytes and heart failure, no event in the year."""
    person = profile("male", age=70, duration=12, body_mass_index=32, leukocytes=6, smoking=True)
    assert round(death(person, history=("heart-failure",)), 8) == 0.04583776


def test_a_first_infarction_of_a_woman_has_its_own_shape():
    assert COEFFICIENTS["first-infarction-female"]["shape"] == 1.376
    person = profile("female")
    early, late = (annual(person, year, NOTHING)[0, PLACE["myocardial-infarction"]] for year in (0, 10))
    assert late > early * 1.2
    man = profile("male")
    early, late = (annual(man, year, NOTHING)[0, PLACE["myocardial-infarction"]] for year in (0, 10))
    assert late == early


def test_ldl_counts_for_a_woman_from_three_and_a_half_on():
    def hazard(ldl: float) -> float:
        return -math.log1p(-chance(profile("female", ldl=ldl), "myocardial-infarction"))

    assert hazard(2.0) == hazard(3.5)
    assert hazard(4.5) / hazard(3.5) == pytest.approx(math.exp(0.035 * 10))


@pytest.mark.parametrize("sex", ["female", "male"])
def test_every_chance_is_continuous_where_egfr_passes_sixty(sex):
    under, over = (annual(profile(sex, egfr=egfr), 0, NOTHING) for egfr in (60 - 1e-9, 60 + 1e-9))
    np.testing.assert_allclose(under, over, rtol=1e-8)


def test_below_sixty_egfr_raises_the_hazard_by_the_published_rate():
    def hazard(egfr: float) -> float:
        return -math.log1p(-chance(profile("male", egfr=egfr), "heart-failure"))

    assert hazard(50) / hazard(60) == pytest.approx(math.exp(0.22))
    assert hazard(60) == hazard(90)


def test_risk_factors_are_counted_in_the_published_units():
    terms = risk_factors(profile(egfr=45, ldl=4.0))
    assert (terms["systolic"], terms["heart_rate"], terms["egfr"]) == pytest.approx((13.14, 7.9, 4.5))
    assert (terms["ldl"], terms["hdl"], terms["ldl_above_35"]) == pytest.approx((40, 11.896, 5))


def test_what_happened_can_happen_again_only_where_the_source_says_so():
    person = profile("male")
    again = annual(person, 0, LEVELS)
    for event, place in PLACE.items():
        twice = again[LEVELS[:, place] == 1][:, place]
        assert (twice > 0).all() == (event in {"myocardial-infarction", "stroke", "amputation"})
        assert not again[LEVELS[:, place] == 2][:, place].any()


def test_second_events_of_the_baseline():
    """Arithmetic by hand: exp(-4.179 + 0.021 * 30), exp(-9.431 + 0.046 * 52), exp(-3.455 + 0.127 * 7.3)."""
    person = profile("male")
    infarction = chance(person, "myocardial-infarction", "myocardial-infarction")
    assert infarction == pytest.approx(1 - math.exp(-math.exp(-4.179 + 0.63)))
    stroke = math.exp(-9.431 + 0.046 * 52) * (9**1.956 - 8**1.956)
    assert chance(person, "stroke", "stroke") == pytest.approx(1 - math.exp(-stroke))
    amputation = math.exp(-3.455 + 0.127 * 7.3)
    assert chance(person, "amputation", "amputation") == pytest.approx(1 - math.exp(-amputation))


def test_a_first_amputation_after_an_ulcer_is_left_out():
    assert chance(profile("male"), "amputation") > 0
    assert chance(profile("male"), "amputation", "foot-ulcer") == 0


def test_blindness_and_an_ulcer_are_history_but_no_event_of_death():
    person = profile("male")
    assert death(person, "blindness", "foot-ulcer") == death(person)
    assert death(person, history=("blindness",)) != death(person)


def test_a_first_and_a_second_amputation_weigh_differently_in_later_years():
    person = profile("male", age=70)
    first = death(person, "amputation", history=("stroke",))
    second = death(person, "amputation", history=("stroke", "amputation"))
    odds = second / (1 - second) / (first / (1 - first))
    assert odds == pytest.approx(math.exp(-1.727 + 0.753 + 1.267))
