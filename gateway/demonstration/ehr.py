"""The demo's EHR: somebody else's FHIR server, started as its own program in its own environment.

It listens on 127.0.0.1 only, asks SMART Backend Services tokens of everybody, and keeps its data in
one directory. It must not outlive the demo, not even when that is killed: see ``supervisor.leashed``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from gateway.supervisor import leashed

START_SECONDS = 60.0
STOP_SECONDS = 10.0
_SEEDER = "ehr-own-workflows"
_SEEDER_KEY = Path("keys/sekmet_private.pem")
_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")  # no proxy settings, no secrets of ours


class EhrUnavailable(RuntimeError):
    """The third-party EHR is not installed, or did not start."""


@dataclass(frozen=True, slots=True)
class BackendClient:
    """A SMART backend client: its public key, a JWK or the path of a PEM file, and its scopes."""

    public_key: Mapping[str, object] | Path
    scopes: str


class ThirdPartyEhr:
    """One EHR process over one directory.

    Parameters
    ----------
    directory
        Holds settings, database, keys and console output (``console.log``); made where it is missing.
    clients
        Registered backend clients by ``client_id``.
    port
        0 takes a free one, kept over restarts.
    program
        The EHR's command; ``make demo`` installs it as ``.ehr/bin/sekmet`` under the project's root.
    """

    def __init__(
        self,
        directory: Path,
        clients: Mapping[str, BackendClient],
        *,
        port: int = 0,
        program: Path | None = None,
    ) -> None:
        self._directory = directory.resolve()
        self._clients = clients
        self._program = installed(program)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port or _free_port()

    @property
    def root_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.root_url}/fhir"

    @property
    def token_url(self) -> str:
        return f"{self.root_url}/auth/token"

    @property
    def console(self) -> Path:
        return self._directory / "console.log"

    @property
    def pid(self) -> int:
        """Raises ``EhrUnavailable`` where it is not running."""
        if self._process is None:
            raise EhrUnavailable("the EHR is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start it and return when it answers; raises ``EhrUnavailable`` where it does not."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._write_settings()
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                leashed([str(self._program), "serve", "-c", "settings.yaml"]),
                cwd=self._directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C reaches the demo, which then stops its EHR
            )
        try:
            self._await_answer(self._process)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End it in order; kill it where it does not heed."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop and start on the same data and port."""
        self.stop()
        self.start()

    def seed(self, count: int) -> tuple[str, ...]:
        """Let it register ``count`` patients of its own over its own interface; returns their references."""
        if not (self._directory / _SEEDER_KEY).exists():
            self._run("keys", "generate", "--out", str(_SEEDER_KEY))
        said = self._run("seed", "--count", str(count), "--target", "self", "-c", "settings.yaml")
        return tuple(line.split()[0] for line in said.splitlines() if line.startswith("Patient/"))

    def cpu_seconds(self) -> float:
        """Processor time spent so far, user and system; Linux only (``/proc``)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime: proc(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _write_settings(self) -> None:
        path = self._directory / "settings.yaml"
        path.write_text(json.dumps(self._settings(), indent=2))  # JSON is YAML
        path.chmod(0o600)

    def _settings(self) -> dict[str, object]:
        seeder = BackendClient(self._directory / _SEEDER_KEY, "system/*.*")
        clients = {**self._clients, _SEEDER: seeder}
        return {
            "base_url": self.base_url,
            "host": "127.0.0.1",
            "port": self.port,
            "data_dir": str(self._directory / "data"),
            "log_inbound": False,
            "simulator": {"enabled": False},
            "server_auth": {
                "types": ["smart"],
                "smart_clients": [_registration(name, client) for name, client in clients.items()],
            },
            "peers": {"self": {"base_url": self.base_url, "auth": _seeder_auth(self._directory)}},
        }

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"{self.base_url}/metadata"):
            if process.poll() is not None:
                raise EhrUnavailable(f"the EHR ended while starting; what it said is in {self.console}")
            if time.monotonic() > deadline:
                raise EhrUnavailable(f"the EHR did not answer; what it said is in {self.console}")
            time.sleep(0.05)

    def _environment(self) -> dict[str, str]:
        # It speaks plain HTTP on this machine only, so it gets no certificate authorities: its HTTP client
        # would otherwise read the system's whole list anew for every notification, 15 ms of processor each.
        nothing = self._directory / "no-authorities"
        nothing.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        return kept | {"SSL_CERT_DIR": str(nothing)}

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._program), *arguments],
            cwd=self._directory,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EhrUnavailable(f"the EHR's own command `{arguments[0]}` failed with {done.returncode}")
        return done.stdout


def installed(program: Path | None = None) -> Path:
    """The EHR's command; raises ``EhrUnavailable`` where it is not there."""
    path = program or Path(__file__).resolve().parents[2] / ".ehr" / "bin" / "sekmet"
    if not path.exists():
        raise EhrUnavailable(f"no EHR at {path}: `make demo` installs it")
    return path


def _registration(client_id: str, client: BackendClient) -> dict[str, object]:
    registered: dict[str, object] = {"client_id": client_id, "scopes": client.scopes}
    if isinstance(client.public_key, Path):
        return registered | {"public_key_path": str(client.public_key)}
    return registered | {"jwks": {"keys": [dict(client.public_key)]}}


def _seeder_auth(directory: Path) -> dict[str, str]:
    return {
        "type": "smart",
        "client_id": _SEEDER,
        "private_key_path": str(directory / _SEEDER_KEY),
        "scope": "system/*.*",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=2).ok
        except requests.RequestException:
            return False
