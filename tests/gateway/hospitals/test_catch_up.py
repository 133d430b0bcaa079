"""What nobody told us is found by asking, on open and on closed EHRs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fhir_mapping import searches
from gateway.hospitals.catch_up import changed_since, recent
from gateway.hospitals.errors import UnreliableSearch
from gateway.hospitals.profile import inspect
from tests.gateway.hospitals.conftest import connected
from tests.gateway.hospitals.samples import assessment, observation

SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def closed(closed_ehr, key):
    return connected(closed_ehr.base_url, key)


def test_polling_reads_what_is_dated_or_was_issued_lately_once(closed_ehr, closed):
    old = closed_ehr.add(observation("p1", "2026-01-01"))
    late = closed_ehr.add(observation("p1", "2026-01-01", issued="2026-03-01T13:00:00Z"))
    new = closed_ehr.add(observation("p1", "2026-03-02", issued="2026-03-02T09:00:00Z"))
    closed_ehr.add(observation("p2", "2026-03-02"))
    ids = [each.id for each in recent(closed, inspect(closed), "Observation", "p1", SINCE, HOUR)]
    assert sorted(ids) == sorted([late, new])
    assert old not in ids


def test_the_overlap_reaches_over_midnight(closed_ehr, closed):
    before = closed_ehr.add(observation("p1", "2026-02-28"))
    found = recent(closed, inspect(closed), "Observation", "p1", SINCE, timedelta(hours=13))
    assert [each.id for each in found] == [before]


def test_codes_are_asked_for_and_many_are_split_over_queries(closed_ehr, closed):
    wanted = closed_ehr.add(observation("p1", "2026-03-02", code="8480-6"))
    closed_ehr.add(observation("p1", "2026-03-02", code="0000-0"))
    codes = [f"http://loinc.org|{number}-1" for number in range(90)] + ["http://loinc.org|8480-6"]
    undated = replace(inspect(closed), types={})
    before = len(closed_ehr.requests("GET", "/Observation"))
    found = recent(closed, undated, "Observation", "p1", SINCE, HOUR, codes)
    assert [each.id for each in found] == [wanted]
    assert len(closed_ehr.requests("GET", "/Observation")) - before == 3


def test_a_type_without_dates_is_read_whole(closed_ehr, closed):
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}}
    id_ = closed_ehr.add(condition)
    found = recent(closed, inspect(closed), "Condition", "p1", SINCE, HOUR)
    assert [each.id for each in found] == [id_]


def test_an_ehr_that_ignores_last_updated_is_not_believed(closed_ehr, closed):
    closed_ehr.add(observation("p1"))
    with pytest.raises(UnreliableSearch):
        list(changed_since(closed, "Observation?code=http://loinc.org|8480-6", SINCE, HOUR))


@pytest.mark.peer
def test_sekmet_names_what_was_stored_since(sekmet_ehr, open_ehr):
    sekmet_ehr.load(observation("c1", code="catch-1", id="catch-old"))
    middle = datetime.now(UTC)
    sekmet_ehr.load(observation("c1", code="catch-1", id="catch-new"), observation("c1", code="catch-2"))
    found = list(changed_since(open_ehr, "Observation?code=catch-1", middle, timedelta()))
    assert [(each.id, each.version, each.patient) for each in found] == [("catch-new", "1", "Patient/c1")]
    everything = changed_since(open_ehr, "Observation?code=catch-1", middle, HOUR)
    assert {each.id for each in everything} == {"catch-old", "catch-new"}


@pytest.mark.peer
def test_a_window_over_every_code_is_read_over_all_its_pages(sekmet_ehr, open_ehr):
    begun = datetime.now(UTC)
    sekmet_ehr.load(*(observation("c3", id=f"catch-page-{number}") for number in range(7)))
    watched = next(one for one in searches.criteria() if one.startswith("Observation?"))
    found = [each.id for each in changed_since(open_ehr, watched, begun, timedelta(seconds=1), page=3)]
    assert sorted(one for one in found if one.startswith("catch-page")) == [
        f"catch-page-{number}" for number in range(7)
    ]


@pytest.mark.peer
def test_our_own_writes_show_whose_they_are(sekmet_ehr, open_ehr):
    begun = datetime.now(UTC)
    sekmet_ehr.load(assessment("c2", id_="catch-own"))
    found = list(changed_since(open_ehr, "RiskAssessment?", begun, timedelta(seconds=1)))
    assert "urn:didymos" in {each.source for each in found if each.id == "catch-own"}
