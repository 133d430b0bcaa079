import pytest

from fhir_mapping import bundle

URN = "urn:uuid:0c9b0a52-4c1a-4c47-9f64-2f0d5a1c7b10"


def test_names_of_a_transaction_become_references():
    transaction = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": URN, "resource": {"resourceType": "Patient", "id": "p"}},
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": "o",
                    "performer": [{"reference": "Practitioner/1"}],
                    "subject": {"reference": URN},
                    "note": [{"text": URN}],
                }
            },
        ],
    }
    _, observation = bundle.resources(transaction)
    assert observation["subject"] == {"reference": "Patient/p"}
    assert observation["performer"] == [{"reference": "Practitioner/1"}]
    assert observation["note"] == [{"text": URN}]
    assert transaction["entry"][1]["resource"]["subject"] == {"reference": URN}


def test_outcomes_of_a_search_are_no_results():
    page = {
        "entry": [
            {"resource": {"resourceType": "Observation", "id": "1"}, "search": {"mode": "match"}},
            {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
            {"fullUrl": "urn:uuid:x"},
            None,
        ],
        "link": [
            {"relation": "self", "url": "https://a.example/"},
            {"relation": "next", "url": "https://a.example/?p=2"},
        ],
    }
    assert [each["id"] for each in bundle.resources(page)] == ["1"]
    assert bundle.link(page, "next") == "https://a.example/?p=2"
    assert bundle.link(page, "previous") is None


@pytest.mark.parametrize(
    "value", [{}, {"entry": None, "link": 7}, {"entry": [[]], "link": [{"relation": "next"}]}]
)
def test_a_malformed_bundle_holds_nothing(value):
    assert list(bundle.resources(value)) == []
    assert bundle.link(value, "next") is None
