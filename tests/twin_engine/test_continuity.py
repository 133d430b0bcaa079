"""What a state knew before has no part in what it says of all evidence."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin_engine.people import AT, MAN, WOMAN
from twin_engine.encoding import encode, encode_forecasts
from twin_engine.models import MODELS
from twin_engine.specimen import ordinary
from twin_engine.twin import Condition, Evidence, Treatment

RECORDS = tuple(
    kind(name, f"Record/{name}/_history/1", active, confirmed=confirmed)
    for kind, name in ((Condition, "diabetes"), (Condition, "pregnancy"), (Treatment, "statin"))
    for active, confirmed in ((True, True), (False, False))
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.card.name)
@settings(deadline=None)  # the first example may load or compile kernels
@given(data=st.data())
def test_a_resumed_state_says_the_same_whatever_it_knew_before(model, data):
    items = (*ordinary(model, "female", AT).items, *RECORDS)
    old, new = (data.draw(st.lists(st.sampled_from(items), unique=True)) for _ in range(2))
    before = AT - timedelta(hours=data.draw(st.integers(0, 30)))
    known = model.assimilate(model.prior(MAN, before), Evidence.of(MAN, old), before)
    everything = Evidence.of(WOMAN, new)
    resumed = model.assimilate(known, everything, AT)
    afresh = model.assimilate(model.prior(WOMAN, AT), everything, AT)
    assert encode(resumed) == encode(afresh)
    answers = [model.forecast(state, AT, np.random.default_rng(1)) for state in (resumed, afresh)]
    assert encode_forecasts(answers[0]) == encode_forecasts(answers[1])
