"""An assessment stands once in the EHR, whatever became of the answer."""

import pytest

from gateway import jose
from gateway.hospitals.errors import AmbiguousWrite, UnreliableSearch, WriteConflict, WriteRefused
from gateway.hospitals.profile import inspect
from gateway.hospitals.transport import Limits
from gateway.hospitals.write import create, put, read_back, reconcile
from tests.gateway.hospitals.conftest import connected
from tests.gateway.hospitals.samples import assessment, told
from tests.peers import restricted_ehr


def later_than(update):
    return lambda standing: told(standing) > update


@pytest.fixture(params=[("patient", "_id"), ("patient", "identifier")], ids=["by-patient", "by-identifier"])
def creating_ehr(request, key):
    """An EHR that takes RiskAssessments under ids of its own and can search them in one way."""
    with restricted_ehr.running(jose.public_jwks(key), extra={"RiskAssessment": request.param}) as ehr:
        yield ehr


@pytest.fixture
def creating(creating_ehr, key):
    return connected(creating_ehr.base_url, key, Limits(read=0.5))


def test_a_create_gets_the_ehrs_id_and_is_read_back(creating_ehr, creating):
    written = create(creating, assessment("p1"), inspect(creating))
    assert written.id in creating_ehr.store["RiskAssessment"]
    assert written.id != "ra-1"
    assert read_back(creating, "RiskAssessment", written.id).resource == written.resource


def test_a_create_answered_without_a_body_is_read_where_it_says(creating_ehr, creating):
    creating_ehr.faults.say_little = True
    written = create(creating, assessment("p1"), inspect(creating))
    assert told(written.resource) == 1


def test_a_create_that_timed_out_is_found_and_not_doubled(creating_ehr, creating):
    profile = inspect(creating)
    creating_ehr.add(assessment("p1", id_="another-1") | {"id": "e-another"})
    creating_ehr.faults.hold_posts = True
    with pytest.raises(AmbiguousWrite):
        create(creating, assessment("p1"), profile)
    written = reconcile(creating, assessment("p1"), profile)
    assert written is not None
    assert written.doubles == ()
    assert len(creating_ehr.requests("POST", "/RiskAssessment")) == 1
    assert len(creating_ehr.store["RiskAssessment"]) == 2


def test_a_create_that_never_arrived_is_found_not_to_stand(creating):
    assert reconcile(creating, assessment("p1"), inspect(creating)) is None


def test_doubles_that_stand_already_are_named(creating_ehr, creating):
    profile = inspect(creating)
    ids = [creating_ehr.add({**assessment("p1"), "id": name}) for name in ("e-1", "e-2")]
    written = reconcile(creating, assessment("p1"), profile)
    assert (written.id, written.doubles) == (ids[0], (ids[1],))


def test_no_condition_is_sent_that_the_ehr_does_not_advertise(creating_ehr, creating):
    create(creating, assessment("p1"), inspect(creating))
    assert "If-None-Exist" not in creating_ehr.requests("POST", "/RiskAssessment")[0]


def test_a_condition_is_sent_where_ehr_advertises_all_of_it(key):
    with restricted_ehr.running(jose.public_jwks(key), extra={"RiskAssessment": ("identifier",)}) as ehr:
        ehr.listed["RiskAssessment"]["conditionalCreate"] = True
        connection = connected(ehr.base_url, key)
        create(connection, assessment("p1"), inspect(connection))
        sent = ehr.requests("POST", "/RiskAssessment")[0]["If-None-Exist"]
    assert sent == "identifier=urn%3Adidymos%3Aassessment%7Cra-1"


def test_reconciling_never_believes_an_unfiltered_search(creating_ehr, creating):
    profile = inspect(creating)
    creating_ehr.add(assessment("p2", id_="other"))
    creating_ehr.faults.everybodys = True
    if profile.searchable("RiskAssessment", "identifier"):
        assert reconcile(creating, assessment("p1"), profile) is None
    else:
        with pytest.raises(UnreliableSearch):
            reconcile(creating, assessment("p1"), profile)


def test_an_ehr_that_does_not_know_assessments_refuses_plainly(closed_ehr, key):
    with pytest.raises(WriteRefused) as refused:
        put(connected(closed_ehr.base_url, key), assessment("p1"), known=None, is_later=later_than(1))
    assert refused.value.status in {404, 405}


@pytest.mark.peer
def test_sekmet_keeps_one_assessment_over_many_updates(open_ehr):
    first = put(open_ehr, assessment("w1", 1, "w-1"), known=None, is_later=later_than(1))
    second = put(open_ehr, assessment("w1", 2, "w-1"), known=first.version, is_later=later_than(2))
    assert (first.id, second.id) == ("w-1", "w-1")
    assert (first.version, second.version) == ("1", "2")
    assert told(read_back(open_ehr, "RiskAssessment", "w-1").resource) == 2


@pytest.mark.peer
def test_sekmet_refuses_a_stale_version_and_the_later_update_stays(open_ehr):
    put(open_ehr, assessment("w2", 1, "w-2"), known=None, is_later=later_than(1))
    put(open_ehr, assessment("w2", 9, "w-2"), known="1", is_later=later_than(9))
    late = put(open_ehr, assessment("w2", 5, "w-2"), known="1", is_later=later_than(5))
    assert late.superseded
    assert told(late.resource) == 9


@pytest.mark.peer
def test_sekmet_lets_a_later_update_replace_an_earlier_one_after_a_conflict(open_ehr):
    put(open_ehr, assessment("w3", 1, "w-3"), known=None, is_later=later_than(1))
    put(open_ehr, assessment("w3", 2, "w-3"), known="1", is_later=later_than(2))
    written = put(open_ehr, assessment("w3", 3, "w-3"), known="1", is_later=later_than(3))
    assert (written.superseded, written.version, told(written.resource)) == (False, "3", 3)


@pytest.mark.peer
def test_what_is_not_ours_is_left_alone(sekmet_ehr, open_ehr):
    sekmet_ehr.load(assessment("w4", 1, "w-4", source="urn:somebody-else"))
    with pytest.raises(WriteConflict):
        put(open_ehr, assessment("w4", 2, "w-4"), known="7", is_later=later_than(2))
    assert told(read_back(open_ehr, "RiskAssessment", "w-4").resource) == 1


@pytest.mark.peer
def test_an_update_whose_answer_was_lost_is_found_by_its_id(open_ehr):
    profile = inspect(open_ehr)
    assert reconcile(open_ehr, assessment("w5", 1, "w-5"), profile) is None
    put(open_ehr, assessment("w5", 1, "w-5"), known=None, is_later=later_than(1))
    assert reconcile(open_ehr, assessment("w5", 1, "w-5"), profile).id == "w-5"
