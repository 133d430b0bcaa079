"""Commands about who may read: client, person, invite."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from gateway.cli.shared import services_of, told
from gateway.settings import Settings


@click.group()
def client() -> None:
    """Systems that may read assessments from our /fhir."""


@client.command("add")
@click.argument("name")
@click.option("--jwks", type=click.File("rb"), required=True, help="The system's public keys.")
@click.option(
    "--scope", "scopes", multiple=True, default=["system/RiskAssessment.rs", "system/Provenance.rs"]
)
@click.pass_obj
def client_add(settings: Settings, name: str, jwks: Any, scopes: tuple[str, ...]) -> None:
    """Let a backend system read from our /fhir with SMART Backend Services."""
    from gateway.operations import clients

    registered = told(
        lambda: clients.register(services_of(settings), name, msgspec.json.decode(jwks.read()), scopes)
    )
    click.echo(f"client id  {registered}\ntoken url  {settings.url}/oauth/token")


@client.command("remove")
@click.argument("name")
@click.pass_obj
def client_remove(settings: Settings, name: str) -> None:
    """Take the access of the client called NAME away; tokens that it holds are refused at once."""
    from gateway.operations import clients

    told(lambda: clients.remove(services_of(settings), name))
    click.echo(f"client {name} is removed")


@click.group()
def person() -> None:
    """People who may sign in; `didymos invite` adds one."""


@person.command("remove")
@click.argument("name")
@click.pass_obj
def person_remove(settings: Settings, name: str) -> None:
    """Take the access of the person called NAME away; whoever is signed in under it is signed out at once."""
    from gateway.operations import people

    told(lambda: people.remove(services_of(settings), name))
    click.echo(f"{name} is removed")


@click.command("invite")
@click.argument("name")
@click.option("--role", default="clinician", show_default=True)
@click.pass_obj
def invite(settings: Settings, name: str, role: str) -> None:
    """Print a one-time sign-in link for a person; it works once, for ten minutes."""
    from gateway.operations import people

    ticket = told(lambda: people.invite(services_of(settings), name, role))
    click.echo(f"{settings.url}/sign-in/{ticket}")
