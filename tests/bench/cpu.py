"""Processor time of process trees, and of the hops of the path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

_TICK = os.sysconf("SC_CLK_TCK")
_PARENT, _USER = 1, 11  # fields after the name in /proc/<pid>/stat: proc(5)


def of_trees(roots: Iterable[int]) -> float:
    """Return seconds, user and system, of processes and all that descends from them."""
    stats = _stats()
    wanted = set(roots)
    grown = True
    while grown:
        more = {pid for pid, fields in stats.items() if int(fields[_PARENT]) in wanted} - wanted
        wanted |= more
        grown = bool(more)
    # utime, stime and those of children that ended and were waited for
    ticks = sum(int(one) for pid in wanted & stats.keys() for one in stats[pid][_USER : _USER + 4])
    return ticks / _TICK


def _stats() -> dict[int, list[str]]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
    return found


def counters(folder: Path) -> Mapping[tuple[str, str], float]:
    """Return the sums over all processes of the counters kept in ``folder``, by name and first label."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }
