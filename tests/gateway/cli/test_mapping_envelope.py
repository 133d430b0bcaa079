"""A Bundle is told what is wrong with itself, beside what it holds."""

from datetime import UTC, datetime

import orjson
import pytest

from gateway.operations.trial import tried

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PATIENT = {"fullUrl": "http://example.org/Patient/1", "resource": {"resourceType": "Patient", "id": "1"}}


@pytest.mark.parametrize(
    ("bundle", "place"),
    [
        ({}, "Bundle.type"),
        ({"type": "bogus"}, "Bundle.type"),
        ({"type": "collection", "entry": {"resource": PATIENT["resource"]}}, "Bundle.entry"),
        ({"type": "collection", "entry": [PATIENT, PATIENT]}, "Bundle"),
        ({"type": "collection", "entry": [7]}, "Bundle.entry"),
    ],
)
def test_a_malformed_bundle_is_refused_by_name(bundle, place):
    first, *_ = tried(orjson.dumps({"resourceType": "Bundle", **bundle}), NOW)
    assert (first.type, first.refused) == ("Bundle", True)
    assert any(each.startswith(place) for issue in first.outcome["issue"] for each in issue["expression"])


def test_what_is_wrong_with_an_entry_is_told_of_the_entry_alone():
    body = {
        "type": "collection",
        "entry": [{"resource": {"resourceType": "Patient", "id": "1", "gender": "x"}}],
    }
    found = list(tried(orjson.dumps({"resourceType": "Bundle", **body}), NOW))
    assert [one.type for one in found] == ["Patient"]
    assert found[0].refused
