import pytest

from fhir_mapping import definitions
from tests.fhir_mapping.validation.valid import DIABETES, PERSON, found

# Lexical forms of each primitive: what HL7's page on datatypes allows, and what it does not.
SECONDS = ["T08:00:00Z", "T23:59:59.123456789+14:00", "T00:00:60-00:30"]
FORMS = {
    "base64Binary": (["YQ==", "YWI=", "YWJj", "YWJj\nYWJj", "+/+/"],
                     ["", "=", "YQ", "YQ=", "YWJjY", "YQ==YQ==", "Y!==", 1]),
    "boolean": ([True, False], ["true", "True", 1, 0, None, ""]),
    "canonical": (["http://example.org/v|1.0#a", "urn:uuid:1", "a"], ["", "a b", " a", "a\n", 1]),
    "code": (["a", "a b", "a-b/c", "ä", "10*3/uL"], ["", " a", "a ", "a  b", "a\tb", "a\nb", 1, True]),
    "date": (
        ["2026", "2026-01", "2026-01-31", "0001-01-01", "2024-02-29", "9999-12-31"],
        ["0000", "26", "2026-13", "2026-1", "2026-01-32", "2026-01-00", "2026-01-31Z", "20260131", "-2026",
         "2026-01-31T08:00:00Z", " 2026", "2026-", 2026],
    ),
    "dateTime": (
        ["2026", "2026-01", "2026-01-31", *(f"2026-01-31{each}" for each in SECONDS), "1066-10-14"],
        ["0000", "2026-01-31T08:00Z", "2026-01-31T08:00:00", "2026-01-31T24:00:00Z", "2026-01-31 08:00:00Z",
         "2026-01-31T08:00:00z", "2026-01-31t08:00:00Z", "2026-01-31T08:00:00+14:01",
         "2026-01-31T08:00:00+15:00",
         "2026-01-31T08:00:00+0100", "2026-01-31T08:00:00.Z", "2026-01-31T08:00:61Z", "2026-01T08:00:00Z",
         "2026-01-31T", "2026-01-31T08:60:00Z", "٢٠٢٦", "2026\n", 2026],
    ),
    "decimal": ([0, -1, 1.5, 1e-7, 10**30, 0.1, -0.0], ["1", "", None, True, [], {}]),
    "id": (["a", "A.b-9", "a" * 64, "-", "."], ["", "a" * 65, "a b", "a_b", "ä", "a/b", "a\n", 1]),
    "instant": (
        [f"2026-01-31{each}" for each in SECONDS],
        ["2026", "2026-01-31", "2026-01-31T08:00:00", "2026-01-31T08:00Z", "2026-1-31T08:00:00Z", ""],
    ),
    "integer": ([0, -0, 1, -(2**31), 2**31 - 1], [2**31, -(2**31) - 1, 1.0, 1.5, "1", True, None]),
    "markdown": (["*a*", " a", "a\n\n"], ["", " ", "\n\t", 1]),
    "oid": (["urn:oid:1.2.3", "urn:oid:2.0", "urn:oid:0.1"],
            ["1.2.3", "urn:oid:", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "urn:oid:1."]),
    "positiveInt": ([1, 2**31 - 1], [0, -1, 1.0, 2**31, "1", False]),
    "string": (["a", " a ", "ä", "\u200b", "a\u0001", "a" * 2**20],
               ["", " ", "\r\n\t ", "a" * (2**20 + 1), 1, None]),
    "time": (["00:00:00", "23:59:59.9", "08:00:60"],
             ["24:00:00", "08:00", "8:00:00", "08:00:00Z", "08:00:00+01:00", "", "08:60:00"]),
    "unsignedInt": ([0, 2**31 - 1], [-1, 0.0, 1.0, 2**31, "0", True]),
    "uri": (["a", "http://example.org/ä", "urn:x:y", "../a", "%20"], ["", " ", "a b", "a\u00a0b", "a\t", 1]),
    "url": (["http://example.org", "mailto:a@example.org", "/a"], ["", "http://example.org/a b", 1]),
    "uuid": (
        ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
        ["c757873d-ec9a-4326-a141-556f43239520",
         "urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "urn:uuid:1",
         "urn:uuid:c757873dec9a4326a141556f43239520", "urn:oid:1.2.3"],
    ),
}  # fmt: skip
CASES = [
    pytest.param(name, form, valid, id=f"{name}-{'valid' if valid else 'invalid'}-{repr(form)[:30]}")
    for name, forms in FORMS.items()
    for valid, each in zip((True, False), forms, strict=True)
    for form in each
]


def extended(name, value):
    """Return a valid resource but for the value of an extension, which may be of any type."""
    return {
        **DIABETES,
        "extension": [{"url": "http://example.org/e", f"value{name[0].upper()}{name[1:]}": value}],
    }


@pytest.mark.parametrize(("name", "form", "valid"), CASES)
def test_a_primitive_is_taken_in_its_lexical_forms_only(name, form, valid):
    assert {place for _, place in found(extended(name, form))} <= {"Condition.extension[0].value"}
    assert (not found(extended(name, form))) is valid


def test_every_primitive_type_is_tried():
    extension = definitions.type_of("Extension").fields.values()
    assert set(FORMS) == {each.type for each in extension if definitions.is_primitive(each.type)}


@pytest.mark.parametrize(
    "div",
    ["", " ", "text", "<p>a</p>", "<divx>a</divx>", 1],
    ids=["empty", "blank", "text", "p", "divx", "number"],
)
def test_a_narrative_is_a_div(div):
    broken = {**PERSON, "text": {"status": "generated", "div": div}}
    assert [place for _, place in found(broken)] == ["Patient.text.`div`"]
