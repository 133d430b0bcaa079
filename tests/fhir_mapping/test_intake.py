"""What is recognised says exactly what reading the whole resource says."""

import contextlib
import json
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import bundle, guard, intake, resource
from fhir_mapping.errors import Unusable
from tests.fhir_mapping.published import examples

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEIGHT = {
    "resourceType": "Observation",
    "id": "weight-1",
    "meta": {"versionId": "3", "lastUpdated": "2026-11-01T09:00:00.000Z", "source": "#x1"},
    "status": "final",
    "category": [{"coding": [{"code": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": "Patient/p"},
    "encounter": {"reference": "Encounter/e"},
    "effectiveDateTime": "2026-11-01T08:00:00Z",
    "issued": "2026-11-01T08:30:00.000+01:00",
    "valueQuantity": {"value": 70.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
}
PRESSURE = {
    **{key: value for key, value in WEIGHT.items() if key != "valueQuantity"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg"},
        }
        for code, value in (("8480-6", 120), ("8462-4", 80))
    ],
}
SMOKING = {
    **{key: value for key, value in WEIGHT.items() if key != "valueQuantity"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "72166-2"}]},
    "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "266919005"}]},
}
FIRST = (WEIGHT, PRESSURE, SMOKING)
# Places of an Observation, and what may stand there that is ordinary, odd or wrong.
ODD = {
    ("id",): ["a", "A.b-1", "..", ".", "a b", "", "é", 7, None, "x" * 65],
    ("status",): ["amended", "preliminary", "entered-in-error", "done", 1],
    ("meta", "versionId"): ["9", "..", "", "a b", 4],
    ("meta", "lastUpdated"): ["2026-11-01T09:00:00+15:00", "2026-11-01", "2026-13-01T09:00:00Z", "9", 5],
    ("meta", "source"): ["urn:didymos", "urn:didymos#7", "http://x.example/a b", "", "#é", 1],
    ("meta", "security"): [[{"code": "R"}], [{"system": "urn:x", "code": "Y"}], [], "R"],
    ("subject", "reference"): ["Patient/q", "Group/q", "Patient/..", "Patient/q/_history/2", "#p", "", 1],
    ("encounter", "reference"): ["Encounter/f", "Patient/f", "Encounter/..", "urn:uuid:x", ""],
    ("effectiveDateTime",): [
        "2026-11-01T08:00:00-05:00", "2026-11-01T08:00:00", "2026-11-01", "2026", "2026-02-29T08:00:00Z",
        "2024-02-29T08:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01t08:00:00z", "2026-11-22T12:04:00Z",
        "2027-01-01T00:00:00Z", "2026-11-01T08:00:60Z", "2026-04-31T00:00:00Z",
        "2026-11-01T08:00:00.123456789Z",
        "0001-01-01T00:00:00+14:00", "2026-11-01T08:00:00+14:00", "2026-11-01T08:00:00Z\n", None,
    ],
    ("issued",): ["2026-11-01T08:00:00Z", "2026-11-01", "2026-02-30T08:00:00Z", "", 1],
    ("valueQuantity", "value"): [0.2, 700, 701, -1, "70", True, None, 1e5, 70.000000000000001, 1e299],
    ("valueQuantity", "unit"): ["g", "stone", "", 1],
    ("valueQuantity", "comparator"): ["<"],
    ("component", 0, "valueQuantity", "value"): [80, 9999, "x"],
    ("component", 1, "code", "coding", 0, "code"): ["8480-6", "1-8"],
    ("component", 1, "dataAbsentReason"): [{"text": "not done"}],
    ("code", "coding", 0, "code"): ["8302-2", "69548-6", "1-8", 7],
    ("encounter",): [None, {}],
    ("component",): [[], None],
    ("valueQuantity",): [None, {"unit": "kg"}],
    ("valueQuantity", "code"): [None, "g"],
    ("modifierExtension",): [[{"url": "urn:x", "valueBoolean": True}]],
    ("implicitRules",): ["urn:x"],
    ("bodySite",): [{"text": "left arm"}],
    ("focus",): [[{"reference": "Patient/other"}]],
    ("text",): [{"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'}],
}  # fmt: skip
CHANGES = st.lists(
    st.sampled_from([(path, value) for path, values in ODD.items() for value in values]), max_size=3
)


def changed(base, changes):
    made = json.loads(json.dumps(base))
    for path, value in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):  # another change may have taken the place
            place = made
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
    return orjson.dumps(made)


def said(read):
    try:
        return read()
    except Unusable as fault:
        return [(problem.code, problem.text, problem.expression) for problem in fault.problems]


def whole(body):
    return said(lambda: resource.read(guard.resource(body), NOW))


@given(st.sampled_from(FIRST), CHANGES)
def test_any_change_of_a_known_observation_is_read_as_if_nothing_were_known(base, changes):
    for known in FIRST:
        intake.read(orjson.dumps(known), NOW)
    body = changed(base, changes)
    assert said(lambda: intake.read(body, NOW)) == whole(body)
    assert said(lambda: intake.read(body, NOW)) == whole(body), "what it taught is true as well"


@pytest.mark.parametrize("base", FIRST, ids=["weight", "pressure", "smoking"])
def test_what_was_seen_before_is_recognised_and_its_own_values_are_told(base):
    intake.read(orjson.dumps(base), NOW)
    other = changed(base, [(("id",), "other"), (("effectiveDateTime",), "2026-10-31T10:00:00+01:00")])
    expected = whole(other)
    seen = intake.read(other, NOW)
    assert seen == expected
    assert {item.source for item in seen.items} == {"Observation/other/_history/3"}


@pytest.mark.parametrize(
    "number", ["7e1", "070", "+70", "70.", ".7", "1" * 40, "0." + "1" * 40, "7_0", "NaN", "1e999"]
)
def test_a_number_is_read_as_the_guard_reads_it(number):
    intake.read(orjson.dumps(WEIGHT), NOW)
    body = orjson.dumps(WEIGHT).replace(b"70.5", number.encode())
    assert said(lambda: intake.read(body, NOW)) == whole(body)


@pytest.mark.parametrize(
    "piece",
    [
        b'"id":"b","id":"weight-1"', b'"id":"weight\\u0000"', b'"id":"\xff"', b'"id":"\\ud800"',
        b'"id": /* */ "a"', b'"code":"\\u0000","id":"a"', b'"code":1e400,"id":"a"',
        b'"id":"\\u0000","id":"a"',
        b'"code":' + b"[" * 100 + b"]" * 100 + b',"id":"a"', b'"status":' + b"1" * 100 + b',"id":"a"',
    ],
)  # fmt: skip
def test_bytes_that_the_guard_refuses_are_refused(piece):
    intake.read(orjson.dumps(WEIGHT), NOW)
    body = orjson.dumps(WEIGHT).replace(b'"id":"weight-1"', piece, 1)
    assert said(lambda: intake.read(body, NOW)) == whole(body)


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_name_that_stands_twice_is_found_whatever_white_space_was_known(indent):
    wide = json.dumps(WEIGHT, indent=indent).encode()
    intake.read(wide, NOW)
    narrow = orjson.dumps(WEIGHT)
    for twice in (b'"id":"\\u0000",', b'"id":"\\\\\\\\",'):
        body = narrow.replace(b'"id"', twice + b'"id"', 1)
        padded = body + b" " * (len(wide) - len(body))
        assert said(lambda: intake.read(padded, NOW)) == whole(padded)  # noqa: B023


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_white_space_hides_nothing_and_changes_nothing(indent):
    intake.read(orjson.dumps(WEIGHT), NOW)
    body = json.dumps({**WEIGHT, "id": "other"}, indent=indent).encode()
    assert intake.read(body, NOW) == whole(body)


@given(st.integers(0, 10**17 - 1), st.integers(1, 17))
def test_any_decimal_is_rounded_as_the_guard_rounds_it(digits, places):
    intake.read(orjson.dumps(WEIGHT), NOW)
    number = f"7{digits % 10}.{digits % 10**places:0{places}}"
    body = orjson.dumps(WEIGHT).replace(b"70.5", number.encode())
    assert intake.read(body, NOW) == whole(body)


@pytest.mark.parametrize("path", examples("synthea"), ids=lambda path: path.stem if path else "absent")
def test_synthetic_records_are_read_alike_whether_known_or_not(path):
    stored = {"versionId": "1", "lastUpdated": "2026-11-01T09:00:00Z"}
    record = guard.resource(path.read_bytes(), guard.BUNDLE)
    for each in bundle.resources(record):
        body = orjson.dumps(each | {"meta": each.get("meta", {}) | stored})
        assert said(lambda: intake.read(body, NOW)) == whole(body)  # noqa: B023


def test_after_a_flood_of_other_codes_all_is_read_as_before():
    for number in range(intake.REMEMBERED + 10):
        code = {"coding": [{"system": "urn:x", "code": str(number)}]}
        intake.read(orjson.dumps(WEIGHT | {"code": code}), NOW)
    assert intake.read(orjson.dumps(WEIGHT), NOW) == whole(orjson.dumps(WEIGHT))
