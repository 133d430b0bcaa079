"""Commands about the mapping: what is read of FHIR, and what would be read of a file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

WIDE = 140


@click.group()
def mapping() -> None:
    """See what is read of FHIR resources, and try a file."""


@mapping.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def mapping_list(as_json: bool) -> None:
    """List resource types, signals, findings, conditions and treatments with their codes; and releases."""
    from fhir_mapping import coverage

    rows = coverage.rows()
    if as_json:
        for row in rows:
            click.echo(msgspec.json.encode(row).decode())
        return
    table = Table("what", Column("name", no_wrap=True), Column("unit", no_wrap=True), "codes")
    for row in rows:
        table.add_row(row.what, row.name, row.unit, row.codes)
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)


@mapping.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def mapping_check(file: Path) -> None:
    """Check FILE as if an EHR had sent it: a resource, or a Bundle of them.

    Prints for each resource an OperationOutcome with every fault and everything that would be quarantined,
    and how many values would be used. Nothing is stored. The exit status is 0 only if nothing was refused.
    """
    from gateway.operations.trial import tried

    refused = False
    for found in tried(file.read_bytes(), datetime.now(UTC)):
        refused = refused or found.refused
        click.echo(msgspec.json.encode(found).decode())
    sys.exit(1 if refused else 0)
