import pytest

from fhir_mapping.references import Reference, is_id, parse, subject_id


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Patient/1", Reference("Patient", "1")),
        ("Observation/17/_history/3", Reference("Observation", "17", "3")),
        ("https://ehr.example/fhir/r4/Patient/a.b-C", Reference("Patient", "a.b-C")),
        ("http://ehr.example/Patient/1/_history/2", Reference("Patient", "1", "2")),
        ("#contained", None),
        ("urn:uuid:1c5a9f70-2b1e-4f3c-9d52-0a9d7e9e8f11", None),
        ("Practitioner?identifier=1", None),
        ("Patient/..", None),
        ("Patient/1\n", None),
        ("patient/1", None),
        ("Patient/" + "x" * 65, None),
        ("https://ehr.example/fhir?x=/Patient/1", None),
        ("javascript:/Patient/1", None),
        (None, None),
        ({"reference": "Patient/1"}, None),
    ],
)
def test_a_reference_is_its_last_two_segments(text, found):
    assert parse(text) == found


@pytest.mark.parametrize("text", ["..", ".", "a/b", "a b", "", "x" * 65, "a\n", "ä", 7, None])
def test_what_could_leave_its_path_is_no_id(text):
    assert not is_id(text)


@pytest.mark.parametrize(
    ("resource", "subject"),
    [
        ({"resourceType": "Patient", "id": "p"}, "p"),
        ({"resourceType": "Patient"}, None),
        ({"resourceType": "Observation", "subject": {"reference": "https://x.example/Patient/p"}}, "p"),
        ({"resourceType": "Observation", "subject": {"reference": "Group/p"}}, None),
        ({"resourceType": "Observation", "subject": {"identifier": {"value": "1"}}}, None),
        ({"resourceType": "Observation", "subject": "Patient/p"}, None),
        ({"resourceType": "Consent", "patient": {"reference": "Patient/p"}}, "p"),
        ({"resourceType": "Encounter"}, None),
    ],
)
def test_the_subject_is_found_for_every_type(resource, subject):
    assert subject_id(resource) == subject
