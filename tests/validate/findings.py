"""What a validation finds: a number, and where it is so what it is for each person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Finding:
    """One number, with its 95 % interval ``low``..``high`` and each of the ``people`` where told."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    people: Mapping[str, float] | None = None


def show(found: Iterable[Finding], notes: Iterable[str], console: Console) -> None:
    """Print one table, one with a row for each person, then what has to be known to read them."""
    findings = list(found)
    table = Table("finding", "unit")
    for title in ("value", "low", "high"):
        table.add_column(title, justify="right")
    for one in findings:
        table.add_row(one.name, one.unit, _said(one.value), _said(one.low), _said(one.high))
    console.print(table)
    console.print(_people([one for one in findings if one.people]))
    for note in notes:
        console.print(f"- {note}")


def _people(findings: list[Finding]) -> Table:
    table = Table("of each person")
    names = sorted({name for one in findings for name in one.people or {}})
    for name in names:
        table.add_column(name, justify="right")
    for one in findings:
        table.add_row(one.name, *(_said((one.people or {}).get(name)) for name in names))
    return table


def _said(number: float | None) -> str:
    return "" if number is None else f"{number:,.2f}"


def keep(path: Path, found: Iterable[Finding]) -> None:
    """Write findings by name; those of groups that were not run stay as they were."""
    path.parent.mkdir(parents=True, exist_ok=True)
    standing = orjson.loads(path.read_bytes()) if path.exists() else {}
    new = {
        one.name: {key: value for key, value in asdict(one).items() if key != "name" and value is not None}
        for one in found
    }
    path.write_bytes(orjson.dumps(standing | new, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
