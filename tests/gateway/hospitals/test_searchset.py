"""A page shows what its EHR searched for, if one looks."""

import orjson
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from gateway.hospitals.errors import BadAnswer, UnreliableSearch
from gateway.hospitals.searchset import check_self, matches
from tests.gateway.hospitals.samples import assessment

NAMES = st.sampled_from(["patient", "code", "date", "_lastUpdated", "_id", "status"])


def page(*names):
    query = "&".join(f"{name}=x" for name in names)
    return {"link": [{"relation": "self", "url": f"https://ehr.example/fhir/Observation?{query}"}]}


@given(asked=st.sets(NAMES), used=st.sets(NAMES))
def test_every_dropped_parameter_is_noticed(asked, used):
    if asked <= used:
        check_self(page(*used), "Observation", [(name, "y") for name in asked])
    else:
        with pytest.raises(UnreliableSearch):
            check_self(page(*used), "Observation", [(name, "y") for name in asked])


def test_how_a_page_is_shaped_may_be_the_ehrs_choice():
    check_self(page("patient"), "Observation", [("subject", "p"), ("_count", "5"), ("_elements", "id")])
    check_self({}, "Observation", [("patient", "p")])


def test_a_modifier_does_not_hide_a_parameter():
    check_self(page("code:in"), "Observation", [("code", "x")])
    with pytest.raises(UnreliableSearch):
        check_self(page("code"), "Observation", [("patient:Patient", "x")])


def test_only_matches_count():
    wanted = {"resourceType": "Observation", "id": "1"}
    entries = [
        {"resource": wanted, "search": {"mode": "match"}},
        {"resource": {"resourceType": "Patient", "id": "2"}, "search": {"mode": "include"}},
        {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
        {"resource": {"resourceType": "OperationOutcome"}},
        {"resource": wanted},
    ]
    found = matches({"entry": entries}, orjson.dumps({"entry": entries}), "Observation")
    assert found == [(wanted, orjson.dumps(wanted))] * 2


def test_the_bytes_of_a_match_are_those_received():
    received = b'{ "id":"1", "resourceType" : "Observation", "valueQuantity": {"value": 0.40} }'
    body = b'{"entry": [{"resource": {"resourceType": "OperationOutcome"}}, {"resource": %s}]}' % received
    assert [raw for _, raw in matches(orjson.loads(body), body, "Observation")] == [received]


def test_entries_that_stand_twice_are_never_matched_with_the_bytes_of_others():
    first, second = (b'{"resource": {"resourceType": "Observation", "id": "%d"}}' % one for one in (1, 2))
    body = b'{"entry": [%s, %s], "entry": [%s]}' % (first, second, second)
    ((resource, raw),) = matches(orjson.loads(body), body, "Observation")
    assert orjson.loads(raw) == resource


@pytest.mark.parametrize("entries", [{}, [1], [{}], [{"resource": 1}]])
def test_a_malformed_page_is_refused(entries):
    with pytest.raises(BadAnswer):
        matches({"entry": entries}, orjson.dumps({"entry": entries}), "Observation")


@pytest.mark.peer
def test_sekmet_answers_for_everybody_but_its_self_link_tells(sekmet_ehr):
    sekmet_ehr.load(assessment("somebody", id_="leaked-1"))
    headers = {"Authorization": f"Bearer {sekmet_ehr.token()}"}
    address = f"{sekmet_ehr.base_url}/RiskAssessment?subject=Patient/zzz"
    body = requests.get(address, headers=headers, timeout=10).content
    bundle = orjson.loads(body)
    assert matches(bundle, body, "RiskAssessment")
    with pytest.raises(UnreliableSearch, match="ignored patient"):
        check_self(bundle, "RiskAssessment", [("subject", "Patient/zzz")])
