import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping.errors import Unusable
from fhir_mapping.identity import content_hash, evidence, is_own, label_codings, labels_of, version_of
from fhir_mapping.references import Reference

RESOURCE = {"resourceType": "Observation", "id": "1", "status": "final", "meta": {"source": "x"}}


def test_version_and_time_of_storage_do_not_change_the_hash():
    stored = RESOURCE | {"meta": {"source": "x", "versionId": "7", "lastUpdated": "2026-01-01T00:00:00Z"}}
    assert content_hash(stored) == content_hash(RESOURCE)
    bare = {key: value for key, value in RESOURCE.items() if key != "meta"}
    assert content_hash(bare | {"meta": {"versionId": "7"}}) == content_hash(bare)


def test_the_order_of_keys_does_not_change_the_hash_and_a_value_does():
    assert content_hash(dict(reversed(RESOURCE.items()))) == content_hash(RESOURCE)
    assert content_hash(RESOURCE | {"status": "amended"}) != content_hash(RESOURCE)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800"])
def test_what_the_guard_never_lets_through_has_no_hash(value):
    with pytest.raises(Unusable):
        content_hash(RESOURCE | {"value": value})


def test_without_versions_the_hash_stands_in():
    assert (
        evidence(Reference("Observation", "1"), "ab" * 32) == "Observation/1/_history/sha256-abababababababab"
    )
    assert evidence(Reference("Observation", "1", "3"), "ab" * 32) == "Observation/1/_history/3"
    assert version_of({"meta": {"versionId": "../3"}}) is None


def test_only_our_own_source_marks_a_resource_as_ours():
    owned = [
        is_own({"meta": {"source": source}})
        for source in ("urn:didymos", "urn:didymos#a1", "urn:didymos2", 7)
    ]
    assert owned == [True, True, False, False]
    assert not is_own({})


@given(st.frozensets(st.sampled_from(["N", "R", "V", "PSY", "HIV", "HTEST", "urn:local|VIP"])))
def test_labels_survive_the_way_out_and_back(labels):
    assert labels_of({"meta": {"security": label_codings(labels)}}) == labels


def test_a_label_that_cannot_be_read_counts_as_very_restricted():
    assert labels_of({"meta": {"security": "R"}}) == {"V"}
    assert labels_of({"meta": {"security": [{"system": "urn:x"}, None]}}) == {"V"}
    assert labels_of({"meta": {}}) == frozenset()
