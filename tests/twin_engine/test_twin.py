from hypothesis import given
from hypothesis import strategies as st

from tests.twin_engine.people import AT, WOMAN
from twin_engine.twin import Condition, Evidence, Finding, Genotype, Measurement, Treatment

NAMES = st.sampled_from("ab")
WHEN = st.sampled_from([None, AT])
TOLD = st.sampled_from([None, "x"])
ITEMS = st.one_of(
    st.builds(Measurement, NAMES, st.just(AT), NAMES, st.floats(allow_nan=False)),
    st.builds(Finding, NAMES, st.just(AT), NAMES, NAMES),
    st.builds(Condition, NAMES, NAMES, st.booleans(), WHEN),
    st.builds(Treatment, NAMES, NAMES, st.booleans(), WHEN),
    st.builds(Genotype, NAMES, NAMES, NAMES, TOLD, TOLD),
)


@given(st.lists(ITEMS), st.randoms(use_true_random=False))
def test_equal_sets_of_items_give_equal_evidence(items, order):
    mixed = items + items[::2]
    order.shuffle(mixed)
    assert Evidence.of(WOMAN, items) == Evidence.of(WOMAN, mixed)


@given(st.lists(ITEMS))
def test_no_item_is_lost_and_none_is_kept_twice(items):
    kept = Evidence.of(WOMAN, items)
    every = (*kept.measurements, *kept.findings, *kept.conditions, *kept.treatments, *kept.genotypes)
    assert len(every) == len(set(items))
    assert set(every) == set(items)
