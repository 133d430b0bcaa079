"""A gateway in a folder of its own, with time that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.operations.services import Services
from gateway.settings import Settings
from tests.gateway.web import planted
from tests.support import site as sites


@pytest.fixture
def clock() -> planted.Clock:
    return planted.Clock()


@pytest.fixture
def services(tmp_path: Path, clock: planted.Clock) -> Services:
    return planted.gateway(tmp_path, clock)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings on each database."""
    if request.param == "sqlite":
        yield sites.settings(tmp_path)
        return
    with request.getfixturevalue("postgres").migrated() as url:
        yield sites.settings(tmp_path, url)
