"""What an EHR returns is used only if it is what was asked for."""

import pytest

from gateway import jose
from gateway.hospitals.connection import Connection
from gateway.hospitals.errors import (
    BadAnswer,
    ForeignLink,
    HospitalUnavailable,
    NotAuthorised,
    ReadRefused,
    UnreliableSearch,
    UnsafeAddress,
    WriteRefused,
)
from gateway.hospitals.token import OpenAccess
from gateway.hospitals.transport import Limits
from tests.gateway.hospitals.conftest import connected
from tests.gateway.hospitals.samples import assessment, observation
from tests.peers import restricted_ehr


@pytest.fixture
def connection(closed_ehr, key):
    return connected(closed_ehr.base_url, key)


def test_all_pages_are_read_in_order(closed_ehr, connection):
    ids = [closed_ehr.add(observation("p1")) for _ in range(13)]
    closed_ehr.add(observation("p2"))
    asked = [("code", "http://loinc.org|8480-6")]
    assert [found.id for found in connection.search("Observation", asked, patient="p1")] == ids
    assert len(closed_ehr.requests("GET", "/Observation")) == 3


def test_searches_ask_for_strict_handling(closed_ehr, connection):
    list(connection.search("Observation", patient="p1"))
    assert closed_ehr.requests("GET", "/Observation")[0]["Prefer"] == "handling=strict"


def test_a_next_link_to_another_origin_is_refused_and_gets_no_token(closed_ehr, key, connection):
    with restricted_ehr.running(jose.public_jwks(key)) as stranger:
        closed_ehr.faults.foreign_next = f"{stranger.base_url}/Observation?cursor=1"
        with pytest.raises(ForeignLink):
            list(connection.search("Observation", patient="p1"))
        assert stranger.seen == []


def test_pages_that_lead_in_a_circle_end(closed_ehr, connection):
    closed_ehr.faults.foreign_next = f"{closed_ehr.base_url}/Observation?patient=p1"
    with pytest.raises(UnreliableSearch, match="do not end"):
        list(connection.search("Observation", patient="p1"))
    assert len(closed_ehr.requests("GET", "/Observation")) < 4


def test_nothing_of_a_page_with_anothers_data_is_used(closed_ehr, connection):
    for patient in ("p1", "p1", "p2"):
        closed_ehr.add(observation(patient))
    closed_ehr.faults.everybodys = True
    used = []
    with pytest.raises(UnreliableSearch, match="another's"):
        used.extend(connection.search("Observation", patient="p1"))
    assert used == []


def test_a_patient_of_the_same_id_elsewhere_is_another_patient(closed_ehr, connection):
    closed_ehr.add(observation("p1") | {"subject": {"reference": "https://other.example/fhir/Patient/p1"}})
    closed_ehr.faults.everybodys = True
    with pytest.raises(UnreliableSearch):
        list(connection.search("Observation", patient="p1"))


def test_an_absolute_reference_to_this_ehr_is_its_patient(closed_ehr, connection):
    subject = {"reference": f"{closed_ehr.base_url}/Patient/p1"}
    closed_ehr.add(observation("p1") | {"subject": subject})
    closed_ehr.faults.everybodys = True
    assert len(list(connection.search("Observation", patient="p1"))) == 1


def test_an_ignored_parameter_is_seen_in_the_self_link(closed_ehr, connection):
    closed_ehr.add(observation("p1"))
    with pytest.raises(UnreliableSearch, match="_lastUpdated"):
        list(connection.search("Observation", [("_lastUpdated", "ge2026-01-01")]))


def test_a_refused_parameter_is_a_refused_read(closed_ehr, connection):
    closed_ehr.faults.refuse_unknown = True
    with pytest.raises(ReadRefused) as refused:
        list(connection.search("Observation", [("_lastUpdated", "ge2026-01-01")]))
    assert (refused.value.status, refused.value.issues) == (400, ("not-supported",))


def test_what_an_ehr_says_of_a_patient_never_reaches_an_error_text(closed_ehr, connection):
    closed_ehr.faults.refuse_unknown = True
    with pytest.raises(ReadRefused) as refused:
        list(connection.search("Observation", [("_tag", "x")]))
    with pytest.raises(WriteRefused) as unwritten:
        connection.create(assessment("p1"))
    assert "Doe" not in f"{refused.value!r}{refused.value.args}{unwritten.value!r}{unwritten.value.args}"


def test_a_resource_keeps_the_bytes_it_came_in(closed_ehr, connection):
    id_ = closed_ehr.add(observation("p1"))
    fetched = connection.get("Observation", id_)
    assert fetched.resource["id"] == id_
    assert fetched.body.startswith(b'{"resourceType":"Observation"')
    assert fetched.version is None


def test_what_is_not_there_is_none(connection):
    assert connection.get("Observation", "nobody") is None


@pytest.mark.parametrize("id_", ["../Patient", "a/b", "", "..", "x" * 65, "a\nb", "a?x=1"])
def test_an_id_that_would_change_the_path_is_not_asked_for(connection, id_):
    with pytest.raises(UnsafeAddress):
        connection.get("Observation", id_)


def test_a_token_that_ended_early_is_renewed_once(closed_ehr, connection):
    connection.get("Observation", "x")
    closed_ehr.tokens.clear()
    assert connection.get("Observation", "x") is None
    assert len(closed_ehr.requests("POST", "/token")) == 2


def test_a_token_that_is_never_accepted_is_not_asked_for_forever(closed_ehr):
    connection = Connection(closed_ehr.base_url, OpenAccess())
    with pytest.raises(NotAuthorised):
        connection.get("Observation", "x")
    assert len(closed_ehr.requests("GET", "/x")) == 1


def test_a_short_retry_after_is_waited_out(closed_ehr, key):
    slept = []
    connection = connected(closed_ehr.base_url, key, sleep=slept.append)
    closed_ehr.faults.throttled, closed_ehr.faults.retry_after = 2, "3"
    assert connection.get("Observation", "x") is None
    assert slept == [3.0, 3.0]


def test_a_long_retry_after_is_told_to_the_caller_at_once(closed_ehr, key):
    slept = []
    connection = connected(closed_ehr.base_url, key, sleep=slept.append)
    closed_ehr.faults.throttled, closed_ehr.faults.retry_after = 9, "120"
    with pytest.raises(HospitalUnavailable) as unavailable:
        connection.get("Observation", "x")
    assert unavailable.value.retry_after == 120
    assert (slept, len(closed_ehr.requests("GET", "/x"))) == ([], 1)


def test_an_ehr_that_keeps_throttling_is_left_alone(closed_ehr, key):
    connection = connected(closed_ehr.base_url, key, Limits(repeats=2, backoff=0.001))
    closed_ehr.faults.throttled = 99
    with pytest.raises(HospitalUnavailable):
        connection.get("Observation", "x")
    assert len(closed_ehr.requests("GET", "/x")) == 3


def test_a_throttled_write_is_not_repeated_and_not_ambiguous(closed_ehr, connection):
    connection.get("Observation", "x")
    closed_ehr.faults.throttled, closed_ehr.faults.retry_after = 1, "7"
    with pytest.raises(HospitalUnavailable) as unavailable:
        connection.create(observation("p1"))
    assert unavailable.value.retry_after == 7
    assert closed_ehr.store == {}


def test_a_search_answered_with_something_else_is_refused(closed_ehr, connection):
    closed_ehr.store["Observation"] = {"x": {"resourceType": "Patient", "id": "x"}}
    with pytest.raises(UnreliableSearch):
        list(connection.search("Observation"))
    with pytest.raises(BadAnswer):
        connection.get("Observation", "x")


@pytest.mark.peer
def test_sekmet_drops_an_unknown_parameter_unless_asked_to_be_strict(sekmet_ehr, open_ehr):
    sekmet_ehr.load(assessment("anybody", id_="dropped-1"))
    with pytest.raises(ReadRefused) as refused:
        list(open_ehr.search("RiskAssessment", [("subject", "Patient/zzz")]))
    assert refused.value.status == 400


@pytest.mark.peer
def test_sekmet_pages_are_read_to_the_end(sekmet_ehr, open_ehr):
    sekmet_ehr.load(*(observation("paged") for _ in range(7)))
    assert len(list(open_ehr.search("Observation", [("_count", "3")], patient="paged"))) == 7


@pytest.mark.peer
def test_sekmet_resources_come_with_their_version_and_go_once(sekmet_ehr, open_ehr):
    sekmet_ehr.load(assessment("versioned", id_="versioned-1"))
    assert open_ehr.get("RiskAssessment", "versioned-1").version == "1"
    open_ehr.delete("RiskAssessment", "versioned-1")
    open_ehr.delete("RiskAssessment", "versioned-1")
    assert open_ehr.get("RiskAssessment", "versioned-1") is None
