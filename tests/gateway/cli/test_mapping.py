"""`didymos mapping`: what is read, and what would become of a file."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from click.testing import CliRunner

from fhir_mapping.release import Release
from gateway.cli import main
from gateway.cli.mapping import RELEASES

WEIGHT = {
    "resourceType": "Observation",
    "id": "w",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2024-05-01T08:00:00Z",
    "valueQuantity": {"value": 70, "unit": "kg"},
}
WRONG = {**WEIGHT, "id": "x", "valueQuantity": {"value": "70"}}
HEAVY = {**WEIGHT, "id": "h", "valueQuantity": {"value": 7000, "unit": "kg"}}
GIVEN = {
    "resourceType": "MedicationAdministration",
    "id": "m",
    "status": "completed",
    "subject": {"reference": "Patient/p"},
    "medication": {"concept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "A10AB04"}]}},
    "occurenceDateTime": "2024-05-01T08:00:00Z",
    "dosage": {"dose": {"value": 4, "unit": "U"}},
}


@pytest.fixture
def didymos(tmp_path, monkeypatch):
    """Run the command; return its exit status and what it printed, line by line."""
    monkeypatch.setenv("DIDYMOS_STATE_DIR", str(tmp_path / "state"))

    def run(*arguments, given=None):
        done = CliRunner().invoke(main, ["mapping", *map(str, arguments)], input=given)
        return done.exit_code, done.stdout.splitlines()

    return run


@pytest.fixture
def stored(tmp_path):
    def store(name, *resources, indent=None):
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(each, indent=indent) for each in resources))
        return path

    return store


def outcomes(lines):
    found = [json.loads(line) for line in lines]
    return [(each["line"], each["number"], each["refused"], each["items"]) for each in found]


def test_a_signal_is_shown_with_unit_range_and_every_code(didymos):
    status, lines = didymos("list", "body-weight")
    shown = "\n".join(lines)
    assert status == 0
    for part in ("kg", "0.2 to 700", "[lb_av]", "LOINC 29463-7, 3141-9"):
        assert part in shown


def test_a_code_is_looked_up_for_a_machine_too(didymos):
    status, lines = didymos("list", "--json", "LOINC", "2339-0")
    assert status == 0
    (row,) = map(json.loads, lines)
    assert (row["name"], row["unit"], row["units"][:2]) == ("glucose", "mg/dL", ["mg/dL", "mmol/L"])


def test_everything_is_listed_where_nothing_is_asked(didymos):
    status, lines = didymos("list", "--json")
    assert status == 0
    assert {"release", "signal", "answer", "condition", "dose", "outcome"} <= {
        json.loads(line)["what"] for line in lines
    }


def test_what_is_not_known_is_said_in_one_line(didymos):
    status, lines = didymos("list", "nonsense")
    assert (status, lines) == (1, [])


def test_a_resource_and_the_entries_of_a_bundle_are_tried(didymos, stored):
    entries = [{"resource": each} for each in (WEIGHT, WRONG)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert didymos("check", stored("one.json", WEIGHT, indent=1))[0] == 0
    status, lines = didymos("check", stored("two.json", bundle, indent=1))
    assert status == 1
    assert outcomes(lines) == [(1, 0, False, 1), (1, 1, True, 0)]
    (issue,) = json.loads(lines[1])["outcome"]["issue"]
    assert (issue["severity"], issue["expression"]) == ("error", ["Observation.value.value"])


def test_each_line_of_ndjson_is_a_resource(didymos, stored):
    expected = [(1, 0, False, 1), (2, 0, True, 0), (3, 0, False, 0)]
    path = stored("some.ndjson", WEIGHT, WRONG, HEAVY)
    assert outcomes(didymos("check", path)[1]) == expected
    assert outcomes(didymos("check", "-", given=path.read_bytes())[1]) == expected


def test_a_line_that_is_broken_is_refused_and_the_others_are_not(didymos, tmp_path):
    path = tmp_path / "broken.ndjson"
    path.write_bytes(b'{"resourceType":\n\n' + json.dumps(WEIGHT).encode() + b"\n[]\n")
    status, lines = didymos("check", path)
    assert status == 1
    assert outcomes(lines) == [(1, 0, True, 0), (2, 0, False, 1), (3, 0, True, 0)]


def test_what_is_only_quarantined_is_no_refusal(didymos, stored):
    status, lines = didymos("check", stored("heavy.json", HEAVY))
    (issue,) = json.loads(lines[0])["outcome"]["issue"]
    assert status == 0
    assert (issue["severity"], issue["expression"]) == ("warning", ["Observation.value"])


def test_standard_input_may_hold_one_resource_over_many_lines(didymos):
    status, lines = didymos("check", "-", given=json.dumps(WEIGHT, indent=2))
    assert (status, outcomes(lines)) == (0, [(1, 0, False, 1)])


def test_a_file_is_read_in_the_release_that_is_named(didymos, stored):
    path = stored("given.json", GIVEN)
    assert didymos("check", path)[0] == 1
    status, lines = didymos("check", "--release", "R5", path)
    assert (status, outcomes(lines)) == (0, [(1, 0, False, 1)])
    assert didymos("check", "--release", "R3", path)[0] == 2


def test_every_release_that_is_read_can_be_named():
    assert get_args(Release) == RELEASES


@pytest.mark.parametrize(("changes", "status"), [({}, 0), ({"status": "granted"}, 1), ({"scope": None}, 1)])
def test_a_consent_is_checked_like_one_that_would_decide(didymos, stored, changes, status):
    consent = {
        "resourceType": "Consent",
        "id": "c",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/p"},
        "policyRule": {"text": "as agreed"},
        "provision": {"type": "permit"},
    }
    told = {name: value for name, value in {**consent, **changes}.items() if value is not None}
    assert didymos("check", stored("consent.json", told))[0] == status


def test_a_type_that_nothing_is_read_from_says_so(didymos, stored):
    slot = {"resourceType": "Slot", "id": "s"}
    status, lines = didymos("check", stored("slot.json", slot))
    (issue,) = json.loads(lines[0])["outcome"]["issue"]
    assert status == 0
    assert (issue["severity"], issue["diagnostics"]) == (
        "information",
        "nothing is read from resources of this type",
    )
