"""Published examples beside the repository; tests that need them skip visibly where they are absent."""

from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data"


def examples(folder: str, pattern: str = "*.json") -> list[Path]:
    found = sorted((DATA / folder).glob(pattern))
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=f"the examples {folder} are absent"))]


def example(folder: str, name: str) -> bytes:
    path = DATA / folder / name
    if not path.exists():
        pytest.skip(f"the example {folder}/{name} is absent")
    return path.read_bytes()
