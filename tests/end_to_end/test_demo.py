"""The command that a newcomer runs first, judged by its own last line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.peer,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (ROOT / ".ehr").exists(), reason="the third-party EHR is not installed: make .ehr/.ready"
    ),
]


def test_the_bounded_demo_accounts_for_every_event(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "gateway.cli",
        "demo",
        "--once",
        "--json",
        "--state",
        str(tmp_path / "demo"),
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said["ok"]
    assert said["events"] >= 50
    assert said["assessments"] >= 10
    assert said["duplicates_absorbed"] == said["duplicates_sent"] > 0
    assert set(said["latency_ms"]) == {"p50", "p95", "p99"}
    assert said["audit_entries"] > said["events"]
    assert len(said["root"]) == 64
    assert {"used", "denied"} <= set(said["reasons"])
