"""Findings are kept by name, beside those of other groups."""

import orjson
from rich.console import Console

from tests.validate.findings import Finding, keep, show


def test_findings_of_other_groups_stay(tmp_path):
    path = tmp_path / "build" / "validation.json"
    keep(path, [Finding("kidney.mae", 4.5, "mL/min")])
    keep(path, [Finding("glucose.rmse_30", 20.1, "mg/dL", people={"a": 19.0, "b": 21.2})])
    assert orjson.loads(path.read_bytes()) == {
        "glucose.rmse_30": {"people": {"a": 19.0, "b": 21.2}, "unit": "mg/dL", "value": 20.1},
        "kidney.mae": {"unit": "mL/min", "value": 4.5},
    }


def test_what_is_shown_has_the_numbers_of_each_person():
    console = Console(record=True, width=120)
    show([Finding("gain", 2.0, "%", 1.0, 3.0, {"a": 2.5})], ["a note"], console)
    said = console.export_text()
    assert all(part in said for part in ("gain", "2.00", "1.00", "3.00", "2.50", "a note"))
