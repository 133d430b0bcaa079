"""What a benchmark finds: one number, and the peer's where there is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; ``ratio`` says how many times better it is than ``peer``."""

    name: str
    value: float
    unit: str
    peer: float | None = None
    ratio: float | None = None


def against(name: str, ours: float, peer: float, unit: str) -> Figure:
    """Return a figure of which less is better, beside the peer's."""
    return Figure(name, ours, unit, peer, peer / ours)


def show(figures: Iterable[Figure], notes: Iterable[str], console: Console) -> None:
    """Print one table, then what has to be known to read it."""
    table = Table("figure", "unit")
    for title in ("value", "peer", "ratio"):
        table.add_column(title, justify="right")
    for one in figures:
        table.add_row(one.name, one.unit, _said(one.value), _said(one.peer), _said(one.ratio))
    console.print(table)
    for note in notes:
        console.print(f"- {note}")


def _said(number: float | None) -> str:
    return "" if number is None else f"{number:,.2f}"


def keep(path: Path, figures: Iterable[Figure]) -> None:
    """Write figures by name; those of groups that were not run stay as they were."""
    path.parent.mkdir(parents=True, exist_ok=True)
    standing = orjson.loads(path.read_bytes()) if path.exists() else {}
    new = {one.name: {key: value for key, value in asdict(one).items() if key != "name"} for one in figures}
    path.write_bytes(orjson.dumps(standing | new, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
