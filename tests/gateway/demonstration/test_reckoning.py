"""Whether what stands in the EHR still says something about its patient."""

from datetime import timedelta

import numpy as np
import pytest

from fhir_mapping.notification import Change
from gateway.demonstration.reckoning import REASONED, speaks
from gateway.operations.account import Standing, account
from tests.gateway.web.planted import NOW, on_a_pump
from twin_engine.models.glucose import TypeOneDiabetes
from twin_engine.store import EvidenceRecord
from twin_engine.twin import Evidence, Measurement, Subject


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        ({"status": "final", "prediction": [{}]}, True),
        ({"status": "amended"}, True),
        ({"status": "cancelled", "prediction": [{}]}, True),
        ({"prediction": [{}]}, True),
        ({"status": "cancelled"}, False),
        ({"status": "entered-in-error"}, False),
    ],
)
def test_an_assessment_is_silent_only_without_prediction(resource, said):
    assert speaks(resource) is said


@pytest.mark.parametrize("later", [5, 31, 600, 60 * 24 * 15])
def test_a_reading_has_its_end_also_when_the_forecast_has_run_out(later):
    made, model, at = on_a_pump(), TypeOneDiabetes(), NOW + timedelta(minutes=later)
    subject = Subject(made.sex, made.born, deceased=False, source="Patient/22/_history/1")
    state = model.assimilate(model.prior(subject, at), Evidence.of(subject, made.items), at)
    answers = model.forecast(state, at, np.random.default_rng(0))
    [last] = [item for item in made.items if isinstance(item, Measurement) and item.time == NOW]
    reference, version = last.source.split("/_history/")
    record = EvidenceRecord(reference, version, None, "", (last,))
    change = Change(
        "Observation", reference.split("/")[1], version, "22", deleted=False, content_hash="", own=False
    )
    outcome = account(change, Standing({reference: record}, answers)).outcome
    assert outcome in REASONED | {"used"}
    assert outcome == "used" or later > 30
