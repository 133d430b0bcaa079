"""The command as a person runs it, in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests

from tests.support.waiting import eventually

COMMAND = [sys.executable, "-m", "gateway.cli"]


@pytest.fixture
def web(tmp_path, unused_port):
    """A real web process with its server."""
    chosen = {"DIDYMOS_STATE_DIR": str(tmp_path / "state"), "DIDYMOS_PORT": str(unused_port)}
    process = subprocess.Popen([*COMMAND, "web"], env={**os.environ, **chosen}, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{unused_port}"
    try:
        eventually(lambda: answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(20)


def answers(url):
    try:
        return requests.get(f"{url}/health", timeout=2).ok
    except requests.RequestException:
        return False


def test_a_body_of_5_mb_is_refused_with_an_operation_outcome(web):
    body = b'{"resourceType":"Observation","id":"o1","x":"' + b"a" * 5_000_000 + b'"}'
    answer = requests.post(f"{web}/notifications/any", data=body, timeout=20)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_the_demo_refuses_a_folder_in_use_in_one_line(tmp_path):
    (tmp_path / "something").touch()
    command = [*COMMAND, "demo", "--once", "--state", str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 1
    assert said.stderr.startswith("Error: ")
    assert "is not empty" in said.stderr
    assert said.stderr.count("\n") == 1
