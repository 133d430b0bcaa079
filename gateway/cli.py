"""The ``didymos`` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from gateway import telemetry
from gateway.errors import BadRequest, DidymosError
from gateway.settings import PREFIX, Settings

if TYPE_CHECKING:
    from gateway.operations.services import Services


# What exceeds DIDYMOS_BODY_LIMIT is refused by the application, with an OperationOutcome; only beyond this
# does the server itself refuse. It keeps bodies above 512 KB in a temporary file, not in memory.
SERVER_LIMIT = 64_000_000


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="didymos")
@click.pass_context
def main(context: click.Context) -> None:
    r"""Didymos keeps digital twins of patients current from an EHR and writes their risks back.

    Decision support and research; not a medical device. Settings are DIDYMOS_* environment
    variables; `didymos doctor` lists and checks them.

    \b
    A first hour:
      didymos serve                                   start gateway, worker and embedded broker
      didymos key                                     print the public key to register at the EHR
      didymos connect ward https://ehr.example/fhir   find out what works, subscribe
      didymos backfill ward                           bring in its patients
    """
    try:
        context.obj = Settings.load()
    except ValueError as error:
        raise click.ClickException(_first_words(error)) from None
    telemetry.configure(context.obj.log_level)


def _first_words(error: ValueError) -> str:
    problems = getattr(error, "errors", None)
    if problems is None:
        return str(error)
    return "\n".join(f"{PREFIX}{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in problems())


def _services(settings: Settings) -> Services:
    from gateway.wiring import wire

    return wire(settings)


def _told(work: Callable[[], Any]) -> Any:
    """Do ``work``; say an expected failure in one line."""
    try:
        return work()
    except (DidymosError, LookupError) as error:
        raise click.ClickException(str(error) or type(error).__name__) from None


@main.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Run the gateway, a worker and, without DIDYMOS_BROKER_URL, an embedded broker, until Ctrl-C.

    Everything ends with this process, also when it is killed. What the gateway acknowledged is on
    disk and goes on at the next start.
    """
    from gateway.supervisor import embedded

    supervisor = embedded(settings)
    click.echo(f"gateway   {settings.url}/health")
    click.echo(f"state     {settings.state_dir.resolve()}")
    try:
        supervisor.watch()
    except KeyboardInterrupt:
        pass
    finally:
        supervisor.stop()


@main.command()
@click.pass_obj
def web(settings: Settings) -> None:
    """Run only the web process (waitress). In a container gunicorn may serve gateway.app:from_environment."""
    import waitress

    from gateway.app import create

    services = _services(settings)
    if settings.worker_inside_web:
        from gateway.worker import start_inside

        start_inside(settings, services)
    app = create(services)
    waitress.serve(
        app,
        host=settings.host,
        port=settings.port,
        threads=settings.web_threads,
        max_request_body_size=max(SERVER_LIMIT, 2 * settings.body_limit),
        ident=None,
    )


@main.command()
@click.option(
    "--scheduler", is_flag=True, help="Also run the sweeper's clock; one worker of a site needs it."
)
@click.pass_obj
def worker(settings: Settings, scheduler: bool) -> None:
    """Run only a worker. With an in-memory broker the gateway process must run the worker itself."""
    from gateway.worker import build

    services = _services(settings)  # before the fork: numpy and the models are loaded once and shared
    celery = build(settings, lambda: services)
    arguments = ["worker", "--loglevel", "ERROR", "--pool", "prefork", "--without-gossip", "--without-mingle"]
    arguments += ["--concurrency", str(settings.worker_processes)]
    if scheduler:
        clock = settings.state_dir / "scheduler"
        arguments += ["--beat", "--schedule", str(clock)]
    celery.worker_main(arguments)


@main.command()
@click.pass_obj
def key(settings: Settings) -> None:
    """Print this site's public key (JWKS, ES384) to register at an EHR; it is made at the first call."""
    from gateway.operations.site_key import public_jwks

    click.echo(msgspec.json.format(msgspec.json.encode(public_jwks(_services(settings)))).decode())


@main.command()
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
    r"""Register the EHR at BASE_URL as NAME, and say what will and will not work with it.

    Its CapabilityStatement decides how changes reach us (Subscriptions, or polling) and where
    assessments go (written back, or kept here and served from /fhir).

    \b
    Example:
      didymos connect ward https://ehr.example/fhir --client-id 4f1c... --policy treat-when-silent
    """
    from gateway.operations import registry
    from gateway.operations.site_key import private_jwk
    from gateway.wiring import connect as connection_to

    if open_access == (client_id is not None):
        raise click.UsageError("give --client-id, or --open for an EHR without tokens")
    services = _services(settings)
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

    _told(register)


@main.command()
@click.argument("name")
@click.pass_obj
def disconnect(settings: Settings, name: str) -> None:
    """Remove our Subscriptions from the EHR called NAME and forget our access to it.

    Its twins, and what was written to the EHR, stay as they are; nothing is read or written any more.
    `didymos connect` with the same name and address goes on where this stopped.
    """
    from gateway.operations import registry

    services = _services(settings)
    left = _told(lambda: registry.disconnect(services, _hospital(services, name)))
    if left:
        click.echo(f"{left} Subscriptions could not be removed; ask the EHR's administrator to remove them")
    click.echo(f"{name} is disconnected")


@main.command()
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

    services = _services(settings)
    hospital = _hospital(services, name)
    with Progress(transient=False, disable=not sys.stderr.isatty()) as bar:
        line = bar.add_task("patients", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(line, completed=done, total=total)

        if folder is None:
            filled = _told(lambda: use_case.from_search(services, hospital, progress))
        else:
            filled = _told(lambda: use_case.from_folder(services, hospital, folder, progress))
    click.echo(f"{filled.read} read, {filled.postponed} postponed; `didymos twin list` shows them")
    if filled.postponed:
        click.echo("workers go on with the postponed; `didymos doctor` shows those that were parked")


def _hospital(services: Services, name: str) -> str:
    from gateway.operations import registry

    known = registry.hospitals(services)
    if name not in known:
        raise click.ClickException(f"no EHR is called {name}; known: {', '.join(known) or 'none yet'}")
    return known[name]


@main.group()
def twin() -> None:
    """Look at twins."""


@twin.command("list")
@click.pass_obj
def twin_list(settings: Settings) -> None:
    """List the twins with their state; identifiers are opaque."""
    from gateway.operations import inspection

    for one in inspection.twins(_services(settings)):
        click.echo("  ".join(one))


@twin.command("show")
@click.argument("identifier")
@click.option("--patient", is_flag=True, help="IDENTIFIER is EHR-NAME/PATIENT-ID instead of a twin's id.")
@click.pass_obj
def twin_show(settings: Settings, identifier: str, patient: bool) -> None:
    """Show one twin: evidence, answers of every model, and what stands in the EHR.

    This opens patient data on your terminal, and is recorded in the audit log as a read by the administrator.
    """
    from gateway.operations import inspection

    services = _services(settings)
    if patient:
        name, _, patient_id = identifier.partition("/")
        identifier = services.twin_id(_hospital(services, name), patient_id)
    shown = _told(lambda: inspection.twin(services, identifier))
    click.echo(msgspec.json.format(msgspec.json.encode(shown, order="deterministic")).decode())


@twin.command("retry")
@click.argument("identifiers", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every parked twin.")
@click.pass_obj
def twin_retry(settings: Settings, identifiers: tuple[str, ...], every: bool) -> None:
    """Try twins again that were parked after DIDYMOS_ATTEMPTS failures; `twin list` says why they were."""
    from gateway.operations import sweep

    if every == bool(identifiers):
        raise click.UsageError("give the ids of twins, or --all")
    count = sweep.retry(_services(settings), None if every else list(identifiers))
    click.echo(f"{count} parked twins are tried again")


@main.group()
def audit() -> None:
    """Check and read the audit log."""


@audit.command("verify")
@click.pass_obj
def audit_verify(settings: Settings) -> None:
    """Recompute every hash and signature of the audit log; name the first bad entry.

    The exit status is 0 only if the whole log is intact.
    """
    from gateway.operations import inspection

    report = inspection.verify(_services(settings))
    click.echo(report.text)
    sys.exit(0 if report.ok else 1)


@main.group()
def quarantine() -> None:
    """See what could not be used."""


@quarantine.command("list")
@click.pass_obj
def quarantine_list(settings: Settings) -> None:
    """List the resources that no model uses because something about them is wrong, with the reason.

    What consent does not permit to be shown is only counted. Recorded as a read by the administrator.
    """
    from gateway.operations import inspection

    found = _told(lambda: inspection.quarantined(_services(settings)))
    for row in found.shown:
        click.echo("  ".join(row))
    click.echo(f"{len(found.shown) + found.hidden} in quarantine, {found.hidden} of them not shown")


@main.group()
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

    registered = _told(
        lambda: clients.register(_services(settings), name, msgspec.json.decode(jwks.read()), scopes)
    )
    click.echo(f"client id  {registered}\ntoken url  {settings.url}/oauth/token")


@client.command("remove")
@click.argument("name")
@click.pass_obj
def client_remove(settings: Settings, name: str) -> None:
    """Take the access of the client called NAME away; tokens that it holds are refused at once."""
    from gateway.operations import clients

    _told(lambda: clients.remove(_services(settings), name))
    click.echo(f"client {name} is removed")


@main.group()
def person() -> None:
    """People who may sign in; `didymos invite` adds one."""


@person.command("remove")
@click.argument("name")
@click.pass_obj
def person_remove(settings: Settings, name: str) -> None:
    """Take the access of the person called NAME away; whoever is signed in under it is signed out at once."""
    from gateway.operations import people

    _told(lambda: people.remove(_services(settings), name))
    click.echo(f"{name} is removed")


@main.command("invite")
@click.argument("name")
@click.option("--role", default="clinician", show_default=True)
@click.pass_obj
def invite(settings: Settings, name: str, role: str) -> None:
    """Print a one-time sign-in link for a person; it works once, for ten minutes."""
    from gateway.operations import people

    ticket = _told(lambda: people.invite(_services(settings), name, role))
    click.echo(f"{settings.url}/sign-in/{ticket}")


@main.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """List every setting, and check databases, keys, broker, models and EHRs.

    The exit status is 0 only if all is well.
    """
    from gateway.operations import diagnosis

    for name, field in Settings.model_fields.items():
        mark = "*" if PREFIX + name.upper() in os.environ else " "
        click.echo(f"{mark} {PREFIX}{name.upper():<24} {getattr(settings, name)!s:<24} {field.description}")
    findings = diagnosis.examine(settings, _services)
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}: {finding.text}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


@main.command()
@click.option("--once", is_flag=True, help="A bounded run that checks every event, then ends.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the state here, in a new or empty folder.  [default: a temporary folder]",
)
@click.pass_obj
def demo(settings: Settings, once: bool, as_json: bool, state: Path | None) -> None:
    """Show the main job: a third-party EHR, patients, events, and what is read back from the EHR.

    `make demo` installs the EHR and calls this.
    """
    from gateway.demonstration.run import run

    try:
        status = run(settings, once=once, as_json=as_json, state=state)
    except BadRequest as refused:
        raise click.ClickException(str(refused)) from None
    sys.exit(status)


if __name__ == "__main__":
    main()
