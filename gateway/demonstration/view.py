"""The live view of the demo: the path of each event, and what now stands in the EHR.

A pure function from rows to something rich can draw, and a loop around it. It shows made-up people only;
the gateway's own logs never say what is shown here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

Stage = Literal["journaled", "consent", "pulled", "twin", "read back"]
STAGES: tuple[Stage, ...] = get_args(Stage)
_COLOURS = {"shown": "green", "stopped": "yellow", "waiting": "dim"}


@dataclass(frozen=True, slots=True)
class Row:
    """One event on its way.

    ``reached`` holds, for each stage passed, milliseconds since the notification came in. ``result`` is the
    assessment read back ("total CVD 10 y 7.4 %") or the reason why there is none.
    """

    key: str
    at: datetime
    patient: str
    says: str
    reached: Mapping[Stage, float]
    result: str = ""
    state: Literal["waiting", "shown", "stopped"] = "waiting"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to look, and what is there."""

    url: str
    what: str


def picture(rows: Sequence[Row], addresses: Sequence[Address], height: int = 20) -> RenderableType:
    """Return the header and a table of the newest ``height`` rows, newest last."""
    return Group(
        _header(addresses),
        Text(),
        _table(rows[-height:]),
        Text("milliseconds since the notification; Ctrl-C ends the demo", "dim"),
    )


def line(row: Row) -> str:
    """Return one row as plain text, for output that is not a terminal."""
    path = " > ".join(f"{stage} {row.reached[stage]:.0f} ms" for stage in STAGES if stage in row.reached)
    return " | ".join((f"{row.at:%H:%M:%S}", row.patient, row.says, path, row.result))


def watch(
    rows: Callable[[], Sequence[Row]],
    addresses: Sequence[Address],
    console: Console,
    wait: Callable[[], bool],
) -> None:
    """Draw ``rows()`` again and again while ``wait()``, which sleeps between pictures, returns true.

    On a terminal a live table; elsewhere one line a row, when it has come to its end.
    """
    if console.is_terminal:
        _draw(rows, addresses, console, wait)
    else:
        _print(rows, addresses, console, wait)


def _draw(
    rows: Callable[[], Sequence[Row]],
    addresses: Sequence[Address],
    console: Console,
    wait: Callable[[], bool],
) -> None:
    def now() -> RenderableType:
        return picture(rows(), addresses, max(console.height - len(addresses) - 6, 5))

    with Live(now(), console=console, auto_refresh=False) as live:
        while wait():
            live.update(now(), refresh=True)


def _print(
    rows: Callable[[], Sequence[Row]],
    addresses: Sequence[Address],
    console: Console,
    wait: Callable[[], bool],
) -> None:
    printed: set[str] = set()
    for address in addresses:
        _say(console, f"{address.what}: {address.url}")
    while True:
        going = wait()
        for row in rows():
            if row.state != "waiting" and row.key not in printed:
                printed.add(row.key)
                _say(console, line(row))
        if not going:
            return


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _header(addresses: Sequence[Address]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_row(Text("Didymos", "bold"), Text("made-up patients; decision support, not for sole use", "dim"))
    for address in addresses:
        grid.add_row(Text(address.what, "dim"), Text(address.url, style=f"link {address.url}"))
    return grid


def _table(rows: Sequence[Row]) -> Table:
    table = Table(expand=True, box=None, pad_edge=False, header_style="bold")
    table.add_column("time", no_wrap=True)
    table.add_column("patient", no_wrap=True)
    table.add_column("event", no_wrap=True)
    for stage in STAGES:
        table.add_column(stage, justify="right")
    table.add_column("in the EHR, or why not", min_width=28, ratio=1)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> list[Text]:
    path = [Text(f"{row.reached[stage]:.0f}" if stage in row.reached else "·") for stage in STAGES]
    start = [Text(f"{row.at:%H:%M:%S}"), Text(row.patient), Text(row.says)]
    return [*start, *path, Text(row.result, _COLOURS[row.state])]
