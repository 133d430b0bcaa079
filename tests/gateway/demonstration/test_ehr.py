import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from gateway.demonstration.ehr import EhrUnavailable, ThirdPartyEhr
from gateway.demonstration.hospital import EhrClient

pytestmark = pytest.mark.peer

PARENT = """
import sys, time
from pathlib import Path
from gateway.demonstration.ehr import ThirdPartyEhr
print(ThirdPartyEhr(Path(sys.argv[1]), {}).start().pid, flush=True)
time.sleep(60)
"""


def _ends(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_it_refuses_who_brings_no_token(ehr: ThirdPartyEhr) -> None:
    assert requests.get(f"{ehr.base_url}/Patient", timeout=5).status_code == 401


def test_it_listens_on_this_machine_only(ehr: ThirdPartyEhr) -> None:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = {line.split()[1] for line in lines if line.split()[3] == "0A"}
    assert {each for each in listening if each.endswith(f":{ehr.port:04X}")} == {f"0100007F:{ehr.port:04X}"}


def test_its_own_seed_registers_patients_over_its_own_interface(
    ehr: ThirdPartyEhr, client: EhrClient
) -> None:
    seeded = ehr.seed(2)
    held = {f"Patient/{each['id']}" for each in client.search("Patient")}
    assert len(seeded) == 2
    assert set(seeded) <= held


def test_a_restart_or_a_kill_keeps_what_was_written(ehr: ThirdPartyEhr, client: EhrClient) -> None:
    client.put({"resourceType": "Patient", "id": "demo-kept"})
    address = ehr.base_url
    ehr.restart()
    assert client.read("Patient", "demo-kept") is not None
    ehr.kill()
    ehr.start()
    assert client.read("Patient", "demo-kept") is not None
    assert ehr.base_url == address


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_its_processor_time_grows_with_its_work(ehr: ThirdPartyEhr, client: EhrClient) -> None:
    before = ehr.cpu_seconds()
    for _ in range(20):
        client.read("Patient", "demo-nobody")
    assert ehr.cpu_seconds() > before


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
@pytest.mark.usefixtures("needs_ehr")
def test_it_dies_with_its_parent_even_on_kill_9(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert _ends(pid, 5)


def test_a_missing_program_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(EhrUnavailable, match="make demo"):
        ThirdPartyEhr(tmp_path, {}, program=tmp_path / "sekmet")


def test_a_program_that_ends_at_once_is_reported_with_its_console(tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    ends.write_text("#!/bin/sh\nexit 3\n")
    ends.chmod(0o700)
    with pytest.raises(EhrUnavailable, match=r"console\.log"):
        ThirdPartyEhr(tmp_path, {}, program=ends).start()
