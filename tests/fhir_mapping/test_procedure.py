from collections import Counter
from datetime import UTC, datetime

import pytest

from fhir_mapping import bundle, guard, resource
from tests.fhir_mapping.published import examples

NOW = datetime(2026, 11, 22, tzinfo=UTC)
# Whoever's coronary arteries were opened or bypassed has both.
CORONARY = ("cardiovascular-disease", "ischaemic-heart-disease")
INTERVENTION = {
    "resourceType": "Procedure",
    "id": "1",
    "status": "completed",
    "subject": {"reference": "Patient/p"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "415070008"}]},
    "performedDateTime": "2019-04-02",
}


@pytest.mark.parametrize(
    ("status", "confirmed"),
    [
        ("completed", [True]),
        ("in-progress", [False]),
        ("on-hold", [False]),
        ("stopped", [False]),
        ("unknown", [False]),
        ("preparation", []),
        ("not-done", []),
        ("entered-in-error", []),
    ],
)
def test_only_a_procedure_that_was_done_proves_its_condition(status, confirmed):
    reading = resource.read(INTERVENTION | {"status": status}, NOW)
    assert [(item.name, item.confirmed) for item in reading.items] == [
        (name, each) for name in CORONARY for each in confirmed
    ]
    assert bool(reading.reasons) == (status != "completed")


def test_a_procedure_that_cannot_be_read_leaves_a_doubt():
    reading = resource.read(INTERVENTION | {"performedDateTime": "last spring"}, NOW)
    assert [(item.name, item.confirmed) for item in reading.items] == [(name, False) for name in CORONARY]


def test_the_procedures_of_synthetic_records_tell_of_coronary_disease():
    told: Counter[str] = Counter()
    for path in examples("synthea"):
        if not hasattr(path, "read_bytes"):
            pytest.skip("the examples synthea are absent")
        record = guard.resource(path.read_bytes(), guard.BUNDLE)
        for each in bundle.resources(record):
            if each["resourceType"] == "Procedure":
                told.update(item.name for item in resource.read(each, NOW).items)
    assert told == dict.fromkeys(CORONARY, 4)


@pytest.mark.parametrize(
    "when", [{"performedDateTime": "2027-01-01"}, {"performedPeriod": {"start": "2027"}}]
)
def test_a_procedure_that_is_done_in_the_future_proves_nothing(when):
    stored = {key: value for key, value in INTERVENTION.items() if key != "performedDateTime"}
    reading = resource.read(stored | when, NOW)
    assert [(item.name, item.confirmed) for item in reading.items] == [(name, False) for name in CORONARY]
    assert [problem.code for problem in reading.reasons] == ["time"]
