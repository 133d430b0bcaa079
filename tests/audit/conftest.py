from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from tests.audit.ground import on_engine, sqlite_engine


@pytest.fixture
def embedded(tmp_path):
    with on_engine(sqlite_engine(tmp_path / "audit.sqlite")) as ground:
        yield ground


@pytest.fixture
def served(postgres):
    with postgres.empty() as url, on_engine(create_engine(url)) as ground:
        yield ground


@pytest.fixture(params=["embedded", pytest.param("served", marks=pytest.mark.postgres)])
def ground(request):
    return request.getfixturevalue(request.param)
