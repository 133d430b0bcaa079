"""Commands about EHRs: key, connect, disconnect, backfill."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from gateway.cli.shared import hospital_id, services_of, told
from gateway.settings import Settings


@click.command()
@click.pass_obj
def key(settings: Settings) -> None:
    """Print this site's public key (JWKS, ES384) to register at an EHR; it is made at the first call."""
    from gateway.operations.site_key import public_jwks

    click.echo(msgspec.json.format(msgspec.json.encode(public_jwks(services_of(settings)))).decode())


@click.command()
@click.argument("name")
@click.argument("base_url")
@click.option("--client-id", help="Our client id at the EHR (SMART Backend Services).")
@click.option("--open", "open_access", is_flag=True, help="The EHR asks for no token at all.")
@click.option("--policy", help="Consent policy; see consent/policies.toml.  [default: DIDYMOS_POLICY]")
@click.option("--actor", "actors", multiple=True, help="A reference by which this EHR's Consents name us.")
@click.option(
    "--labels-attested", is_flag=True, help="The EHR's administrator attests that it enforces labels."
)
@click.option("--no-subscribe", is_flag=True, help="Only look; register no Subscriptions.")
@click.pass_obj
def connect(
    settings: Settings,
    name: str,
    base_url: str,
    client_id: str | None,
    open_access: bool,
    policy: str | None,
    actors: tuple[str, ...],
    labels_attested: bool,
    no_subscribe: bool,
) -> None:
    """Register the EHR at BASE_URL as NAME, and say what will and will not work with it.

    Its CapabilityStatement decides how changes reach us (Subscriptions, or polling) and where
    assessments go (written back, or kept here and served from /fhir).

    \b
    Example:
      didymos connect ward https://ehr.example/fhir --client-id 4f1c... --policy treat-when-silent
    """  # noqa: D301  # click wants the control character \b itself
    from gateway.operations import registry
    from gateway.operations.site_key import private_jwk
    from gateway.wiring import connect as connection_to

    if open_access == (client_id is not None):
        raise click.UsageError("give --client-id, or --open for an EHR without tokens")
    services = services_of(settings)
    access = registry.Access()
    if client_id:
        access = registry.Access(client_id, private_jwk(services))
    registration = registry.Registration(
        name=name,
        base_url=base_url,
        access=access,
        policy=policy or settings.policy,
        actors=frozenset(actors),
        labels_attested=labels_attested,
    )

    def register() -> None:
        link = connection_to(settings, base_url, access, services.clock)
        identifier, profile = registry.register(services, registration, link)
        click.echo(f"{name}: {profile.software}, FHIR {profile.fhir_version}")
        for note in profile.notes:
            click.echo(f"  {note}")
        if not no_subscribe:
            click.echo(f"  {registry.subscribe(services, identifier)} Subscriptions stand")

    told(register)


@click.command()
@click.argument("name")
@click.pass_obj
def disconnect(settings: Settings, name: str) -> None:
    """Remove our Subscriptions from the EHR called NAME and forget our access to it.

    Its twins, and what was written to the EHR, stay as they are; nothing is read or written any more.
    `didymos connect` with the same name and address goes on where this stopped.
    """
    from gateway.operations import registry

    services = services_of(settings)
    left = told(lambda: registry.disconnect(services, hospital_id(services, name)))
    if left:
        click.echo(f"{left} Subscriptions could not be removed; ask the EHR's administrator to remove them")
    click.echo(f"{name} is disconnected")


@click.command()
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Bundles instead of the EHR.",
)
@click.pass_obj
def backfill(settings: Settings, name: str, folder: Path | None) -> None:
    """Bring in every patient of the EHR called NAME, or of a FOLDER of FHIR bundles.

    The EHR is searched at each call, so patients it did not have before are found. Interrupted, it
    goes on at the next call. What is already known is read again and changes nothing.
    """
    from rich.progress import Progress

    from gateway.operations import backfill as use_case

    services = services_of(settings)
    hospital = hospital_id(services, name)
    with Progress(transient=False, disable=not sys.stderr.isatty()) as bar:
        line = bar.add_task("patients", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(line, completed=done, total=total)

        if folder is None:
            filled = told(lambda: use_case.from_search(services, hospital, progress))
        else:
            filled = told(lambda: use_case.from_folder(services, hospital, folder, progress))
    click.echo(f"{filled.read} read, {filled.postponed} postponed; `didymos twin list` shows them")
    if filled.postponed:
        click.echo("workers go on with the postponed; `didymos doctor` shows those that were parked")
