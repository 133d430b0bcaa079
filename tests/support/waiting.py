"""Waiting for what other processes do: on a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(condition: Callable[[], Found], patience: float = 60.0, pause: float = 0.05) -> Found:
    """Return what ``condition`` returns once it is true; fail with its last answer after ``patience`` s."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s; the last answer was {found!r}")
        time.sleep(pause)
    return found
