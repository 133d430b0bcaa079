import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin_engine.models.ukpds.people import profile
from twin_engine.models.ukpds.multistate import (
    EVENTS,
    LEVELS,
    MOST,
    NONE,
    OUTCOMES,
    PLACE,
    SUBSETS,
    annual,
    course,
    dying,
)

HEALTHY = (0,) * len(EVENTS)
SICK = profile("male", age=72, duration=15, hba1c=9.5, egfr=35, systolic=165, albuminuria=True, smoking=True)


def lived(person, start, years, people, rng):
    """Cumulative incidence of each outcome among ``people`` who live one by one, without any recursion."""
    levels = np.tile(np.array(start), (people, 1))
    alive = np.ones(people, dtype=bool)
    since = np.zeros((people, len(OUTCOMES)), dtype=bool)
    code = 2 ** np.arange(len(EVENTS))[::-1]
    for year in range(years):
        happens = rng.random(levels.shape) < annual(person, year, levels)
        happens &= alive[:, None]
        chance = dying(person, year, levels)[np.arange(people), happens @ code]
        levels = levels + happens
        since[:, :-1] |= happens
        dies = alive & (rng.random(people) < chance)
        since[:, -1] |= dies
        alive &= ~dies
    return since.mean(axis=0)


@pytest.mark.parametrize("start", [HEALTHY, (1, 0, 1, 0, 0, 0, 1, 0)])
def test_the_recursion_equals_many_simulated_lives(start):
    people = 15_000
    told = np.array(course(SICK, start, 6)[6])
    seen = lived(SICK, start, 6, people, np.random.default_rng(4))
    error = np.sqrt(np.maximum(told * (1 - told), 1e-6) / people)
    assert (np.abs(told - seen) < 4 * error + 1e-9).all()


def test_after_one_year_the_incidences_are_the_annual_chances():
    levels = np.zeros((1, len(EVENTS)), dtype=np.int64)
    person = profile("female")
    assert course(person, HEALTHY, 1)[1][:-1] == pytest.approx(annual(person, 0, levels)[0], rel=1e-12)


def test_subsets_are_numbered_as_the_flow_is_stacked():
    assert SUBSETS.shape == (256, 8)
    assert (SUBSETS @ (2 ** np.arange(8)[::-1]) == np.arange(256)).all()
    assert len({tuple(levels) for levels in LEVELS.tolist()}) == np.prod([most + 1 for most in MOST])


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(["female", "male"]),
    st.floats(40, 85),
    st.floats(5, 12),
    st.floats(15, 110),
    st.booleans(),
    st.tuples(*(st.integers(0, 1) for _ in EVENTS)),
)
def test_incidences_rise_with_time_and_stay_chances(sex, age, hba1c, egfr, albuminuria, start):
    person = profile(sex, age=age, hba1c=hba1c, egfr=egfr, albuminuria=albuminuria)
    rows = np.array(course(person, start, 4))
    assert (np.diff(rows, axis=0) >= -1e-15).all()
    assert (rows >= 0).all()
    assert (rows <= 1 + 1e-12).all()


def test_a_competing_death_leaves_fewer_events():
    """Of two people who differ by smoking alone, the one who dies more goes blind less."""
    old = {"age": 84, "duration": 20}
    rows = [course(profile("male", **old, smoking=smoking), HEALTHY, 10)[10] for smoking in (False, True)]
    assert rows[1][-1] > rows[0][-1]
    assert rows[1][PLACE["blindness"]] < rows[0][PLACE["blindness"]]


def test_a_factor_of_one_changes_nothing_and_a_smaller_one_prevents():
    person = profile("male")
    place = PLACE["heart-failure"]
    fewer = tuple(0.77 if event == "heart-failure" else 1.0 for event in EVENTS)
    plain, treated = course(person, HEALTHY, 10)[10], course(person, HEALTHY, 10, fewer)[10]
    assert course(person, HEALTHY, 10, NONE)[10] == plain
    assert treated[place] == pytest.approx(plain[place] * 0.77, rel=0.02)
    assert treated[-1] < plain[-1]
