import xml.etree.ElementTree as ET
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping.errors import Unusable
from fhir_mapping.proposal import AWAITS, Proposed, read, render
from tests.fhir_mapping.spoken import AT, BASES, HEADING, HEADINGS, INSTANTS, LATER, SOURCES, TEXT
from tests.fhir_mapping.validators import accepted_by_all
from twin_engine.twin import Proposal

COMMON = {
    "treatment": st.sampled_from(["insulin", "statin"]),
    "at": INSTANTS,
    "start": st.just(AT),
    "until": LATER,
    "rationale": TEXT,
    "withhold": st.booleans(),
    "limits": st.lists(TEXT, max_size=2).map(tuple),
    "basis": BASES,
}
PROPOSALS = st.builds(Proposal, **COMMON) | st.builds(
    Proposal,
    amount=st.floats(0, 1000),
    unit=st.sampled_from(["[iU]", "mg"]),
    hourly=st.booleans(),
    **COMMON,
)


def basal(**changes):
    fields = {
        "treatment": "insulin",
        "at": AT,
        "start": AT,
        "until": AT + timedelta(minutes=30),
        "rationale": "Glucose is foretold to rise.",
        "amount": 0.8,
        "unit": "[iU]",
        "hourly": True,
        "limits": ("No more than 2 units an hour.",),
        "basis": ("RiskAssessment/abc123/_history/2", *SOURCES),
    }
    return Proposal(**(fields | changes))


@settings(deadline=None)  # the validators are slow at first
@given(st.builds(Proposed, HEADINGS, PROPOSALS))
def test_a_proposal_is_valid_for_all_and_reads_back_as_it_was_made(proposed):
    rendered = render(proposed)
    assert accepted_by_all(rendered)
    ET.fromstring(rendered["text"]["div"])
    assert read(orjson.loads(orjson.dumps(rendered))) == proposed


@pytest.mark.parametrize(("amount", "kind"), [(0.8, "MedicationRequest"), (None, "CarePlan")])
def test_a_proposal_orders_nothing_and_says_so(amount, kind):
    rendered = render(Proposed(HEADING, basal(amount=amount)))
    assert (rendered["resourceType"], rendered["status"], rendered["intent"]) == (kind, "draft", "proposal")
    assert {"text": AWAITS} in rendered["note"]
    assert AWAITS in rendered["text"]["div"]


def test_a_rate_is_written_as_a_rate_with_its_time_and_its_evidence():
    rendered = render(Proposed(HEADING, basal()))
    (dosage,) = rendered["dosageInstruction"]
    assert dosage["text"] == "Give insulin 0.8 [iU] an hour from 2026-01-15 12:00Z to 2026-01-15 12:30Z."
    assert dosage["doseAndRate"][0]["rateQuantity"]["code"] == "[iU]/h"
    assert rendered["supportingInformation"][0] == {"reference": "RiskAssessment/abc123/_history/2"}
    assert rendered["requester"] == {"reference": "#model"}


def test_what_is_to_be_withheld_is_not_to_be_performed():
    plan = render(Proposed(HEADING, basal(amount=None, unit=None, withhold=True)))
    assert plan["activity"][0]["detail"]["doNotPerform"] is True
    assert "Withhold insulin" in plan["text"]["div"]


def test_an_order_by_somebody_else_is_no_proposal_of_ours():
    with pytest.raises(Unusable):
        read({"resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order"})
