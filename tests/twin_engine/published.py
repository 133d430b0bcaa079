"""Published vectors beside the repository; tests that need them skip visibly where they are absent."""

from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "vectors"


def vectors(name: str) -> str:
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"the vectors {name} are absent")
    return path.read_text(encoding="utf-8")
