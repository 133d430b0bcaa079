"""Commands about dosing proposals, which are off until a person switches them on at one EHR."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from gateway.cli.shared import hospital_id, services_of, told
from gateway.settings import Settings

WIDE = 160


@click.group()
def dosing() -> None:
    """Switch dosing proposals on or off. They are for research use only, and not for treatment."""


@dosing.command("on")
@click.option("--hospital", metavar="NAME", required=True, help="At which EHR.")
@click.option("--by", required=True, help="Who answers for it; it stands in the audit log.")
@click.option("--reason", required=True, help="Why; it must not name a patient.")
@click.pass_obj
def dosing_on(settings: Settings, hospital: str, by: str, reason: str) -> None:
    """Show dosing proposals of this EHR's patients on the FHIR address, by the models as they are now."""
    from gateway.operations import dosing as operations

    services = services_of(settings)
    told(lambda: operations.turn(services, "on", hospital_id(services, hospital), by, reason))
    click.echo(f"dosing proposals are on at {hospital}; research use only, not for treatment")


@dosing.command("off")
@click.option("--hospital", metavar="NAME", help="Only at this EHR.  [default: everywhere]")
@click.option("--by", required=True, help="Who says so; it stands in the audit log.")
@click.option("--reason", required=True, help="Why; it must not name a patient.")
@click.pass_obj
def dosing_off(settings: Settings, hospital: str | None, by: str, reason: str) -> None:
    """Show no dosing proposals from now on."""
    from gateway.operations import dosing as operations

    services = services_of(settings)
    where = hospital_id(services, hospital) if hospital else ""
    told(lambda: operations.turn(services, "off", where, by, reason))
    click.echo(f"dosing proposals are off {f'at {hospital}' if hospital else 'everywhere'}")


@dosing.command("list")
@click.pass_obj
def dosing_list(settings: Settings) -> None:
    """List at each EHR whether dosing proposals are shown, since when, by whose word and why."""
    from gateway.operations import dosing as operations
    from gateway.operations import registry

    services = services_of(settings)
    table = Table("EHR", "model", "version", "dosing proposals")
    with services.journal.reading() as connection:
        for ehr, identifier in registry.hospitals(services).items():
            for name in operations.proposing(services):
                held = operations.switch(connection, services, identifier, name)
                table.add_row(ehr, name, held.version, held.said)
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)
