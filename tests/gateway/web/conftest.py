"""A gateway in a folder of its own, with time that stands still."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.operations.services import Services
from tests.gateway.web import planted


@pytest.fixture
def clock() -> planted.Clock:
    return planted.Clock()


@pytest.fixture
def services(tmp_path: Path, clock: planted.Clock) -> Services:
    return planted.gateway(tmp_path, clock)
