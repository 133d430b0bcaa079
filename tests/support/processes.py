"""What runs below a process, as the kernel tells it (Linux)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def below(pid: int) -> list[int]:
    """Return the living descendants of ``pid``."""
    children: dict[int, list[int]] = {}
    for one, parent in _living():
        children.setdefault(parent, []).append(one)
    found, waiting = [], [pid]
    while waiting:
        born = children.get(waiting.pop(), [])
        found += born
        waiting += born
    return found


def living(pids: list[int]) -> list[int]:
    """Return those of ``pids`` that run still."""
    alive = {one for one, _ in _living()}
    return [pid for pid in pids if pid in alive]


def _living() -> Iterator[tuple[int, int]]:
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            yield int(process.name), int(parent)
