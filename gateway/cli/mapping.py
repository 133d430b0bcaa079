"""Commands about the mapping: what is read of FHIR, and what would be read of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, groupby
from typing import IO, TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

if TYPE_CHECKING:
    from fhir_mapping.coverage import Code, Row
    from fhir_mapping.release import Release

WIDE = 160
RELEASES = ("R4", "R4B", "R5")


@click.group()
def mapping() -> None:
    """See what is read of FHIR resources, and try a file."""


@mapping.command("list")
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def mapping_list(words: tuple[str, ...], as_json: bool) -> None:
    """List what is read, what is written, and every code that is known, with units and plausible ranges.

    WORDS choose: a kind (releases, resource types, signals, findings, answers, panels, refused, genomics,
    genes, conditions, procedures, treatments, doses, outcomes), a name or a part of one, or a code. The exit
    status is 1 where nothing is found.

    \b
    Examples:
      didymos mapping list signals
      didymos mapping list glucose
      didymos mapping list LOINC 2339-0       which signal it is, and in which units it is taken
      didymos mapping list ICD-10 E10.9
    """  # noqa: D301  # click wants the control character \b itself
    from fhir_mapping import coverage

    rows = coverage.find(" ".join(words)) if words else coverage.rows()
    if not rows:
        raise click.ClickException("no kind, name or code that is read is called so")
    if as_json:
        for row in rows:
            click.echo(msgspec.json.encode(row).decode())
        return
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    for what, same in groupby(rows, key=lambda row: row.what):
        console.print(_table(what, [_cells(row) for row in same]))


def _table(what: str, rows: list[dict[str, str]]) -> Table:
    """Return rows of one kind, with the columns that any of them has something in."""
    filled = [name for name in rows[0] if any(row[name] for row in rows)]
    columns = (Column(name, no_wrap=name in ("name", "unit")) for name in filled)
    table = Table(*columns, title=what, title_justify="left")
    for row in rows:
        table.add_row(*(row[name] for name in filled))
    return table


def _cells(row: Row) -> dict[str, str]:
    return {
        "name": row.name,
        "unit": row.unit,
        "plausible": "" if row.low is None else f"{row.low} to {row.high}",
        "taken in": ", ".join(row.units),
        "meaning": row.meaning,
        "codes": _told(row.codes),
    }


def _told(codes: tuple[Code, ...]) -> str:
    by_system = groupby(codes, key=lambda code: code.system)
    return "; ".join(f"{system} {', '.join(_spelt(code) for code in same)}" for system, same in by_system)


def _spelt(code: Code) -> str:
    narrowed = f" (only {', '.join(code.units)})" if code.units else ""
    return f"{code.code}{'…' if code.prefix else ''}{narrowed}"


@mapping.command("check")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--release",
    type=click.Choice(RELEASES),
    default="R4",
    show_default=True,
    help="The release of FHIR that FILE is in.",
)
def mapping_check(file: IO[bytes], release: Release) -> None:
    """Check FILE as if an EHR had sent it: a resource, a Bundle of them, or NDJSON, one resource a line.

    A dash stands for standard input. Prints for each resource one JSON object: its line and its number in the
    Bundle, how many values would be used, and an OperationOutcome with every fault and everything that would
    be quarantined. Nothing is stored. The exit status is 1 if anything was refused, else 0.

    \b
    Examples:
      didymos mapping check bundle.json
      didymos mapping check --release R5 Observation.ndjson
      curl -s https://ehr.example/fhir/Patient/17 | didymos mapping check -
    """  # noqa: D301  # click wants the control character \b itself
    from gateway.operations.trial import tried

    refused = False
    now = datetime.now(UTC)
    for line, body in enumerate(_bodies(file), 1):
        for found in tried(body, now, release):
            refused = refused or found.refused
            click.echo(msgspec.json.encode({"line": line, **msgspec.structs.asdict(found)}).decode())
    sys.exit(1 if refused else 0)


def _bodies(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of NDJSON, known by its name or by a first line that is whole; else all as one body."""
    first = file.readline()
    if str(getattr(file, "name", "")).endswith(".ndjson") or _is_whole(first):
        yield from (line for line in chain((first,), file) if line.strip())
    else:
        yield first + file.read()


def _is_whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return False
    return True
