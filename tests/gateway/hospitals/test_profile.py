"""``connect`` says what works and what falls back, and leaves no trace in the EHR."""

import msgspec
import pytest

from gateway import jose
from gateway.hospitals.errors import ScopeMissing
from gateway.hospitals.profile import Profile, inspect
from tests.gateway.hospitals.conftest import connected
from tests.peers import restricted_ehr


def test_a_closed_ehr_is_polled_and_gets_no_assessments(closed_ehr, key):
    found = inspect(connected(closed_ehr.base_url, key))
    assert (found.sync, found.write, found.unlisted) == ("polling", "kept-here", False)
    assert not found.versions
    assert not found.strict
    assert not found.searchable("Observation", "_lastUpdated")
    assert found.searchable("Observation", "issued")


def test_a_closed_ehr_is_described_in_words(closed_ehr, key):
    notes = "\n".join(inspect(connected(closed_ehr.base_url, key)).notes)
    for said in ("no Subscriptions", "served from our /fhir", "no _lastUpdated", "may be ignored", "by hash"):
        assert said in notes
    assert "does not work: MedicationStatement cannot be searched" in notes


def test_an_ehr_that_chooses_ids_gets_creates(key):
    extra = {"RiskAssessment": ("patient", "identifier")}
    with restricted_ehr.running(jose.public_jwks(key), extra=extra) as ehr:
        assert inspect(connected(ehr.base_url, key)).write == "create"


def test_an_ehr_that_refuses_unknown_parameters_is_found_strict(closed_ehr, key):
    closed_ehr.faults.refuse_unknown = True
    closed_ehr.listed["Observation"]["searchParam"].append({"name": "_summary"})
    assert inspect(connected(closed_ehr.base_url, key)).strict


def test_a_profile_is_stored_as_json_and_comes_back_the_same(closed_ehr, key):
    found = inspect(connected(closed_ehr.base_url, key))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Profile) == found


def test_a_profile_that_was_stored_before_releases_were_told_apart_is_one_of_r4(closed_ehr, key):
    found = msgspec.to_builtins(inspect(connected(closed_ehr.base_url, key)))
    kept = {name: value for name, value in found.items() if name not in ("release", "topics")}
    assert msgspec.convert(kept, Profile).release == "R4"


def test_looking_writes_nothing(closed_ehr, key):
    inspect(connected(closed_ehr.base_url, key))
    assert {method for method, path, _ in closed_ehr.seen if not path.endswith("/token")} == {"GET"}


READ = tuple(
    f"system/{kind}.rs" for kind in ("Patient", "Consent", "Observation", "Condition", "MedicationRequest")
)


def test_a_closed_ehr_is_asked_only_for_what_is_read_there(closed_ehr, key):
    assert inspect(connected(closed_ehr.base_url, key)).scopes == READ


def test_an_ehr_that_takes_creates_is_asked_for_them(key):
    extra = {"RiskAssessment": ("patient", "identifier")}
    with restricted_ehr.running(jose.public_jwks(key), extra=extra) as ehr:
        assert inspect(connected(ehr.base_url, key)).scopes == (*READ, "system/RiskAssessment.crus")


def test_an_unlisted_type_that_is_not_granted_is_not_written(closed_ehr, key):
    for entry in closed_ehr.listed.values():
        entry["updateCreate"] = True
    closed_ehr.faults.grant = " ".join(READ)
    found = inspect(connected(closed_ehr.base_url, key))
    assert (found.write, found.scopes) == ("kept-here", READ)


def test_an_ehr_that_grants_too_little_is_told_what_to_grant(closed_ehr, key):
    closed_ehr.faults.grant = " ".join(READ[1:])
    with pytest.raises(ScopeMissing, match=r"did not grant system/Patient.rs; its administrator must add"):
        inspect(connected(closed_ehr.base_url, key))


@pytest.mark.peer
def test_sekmet_is_subscribed_to_and_written_though_it_does_not_list_assessments(open_ehr):
    found = inspect(open_ehr)
    assert (found.sync, found.write, found.unlisted) == ("subscription", "update", True)
    assert found.versions
    assert found.strict
    assert found.searchable("Observation", "_lastUpdated")
    assert found.fhir_version == "4.0.1"
    assert any("on trial" in note for note in found.notes)
    assert {"system/RiskAssessment.crus", "system/Subscription.crus"} < set(found.scopes)
    assert not any(scope.endswith("d") for scope in found.scopes)
