"""Commands that run processes, and one that prepares them: serve, web, worker, warm, demo."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.cli.shared import services_of
from gateway.errors import BadRequest
from gateway.settings import Settings

# What exceeds DIDYMOS_BODY_LIMIT is refused by the application, with an OperationOutcome; only beyond this
# does the server itself refuse. It keeps bodies above 512 KB in a temporary file, not in memory.
SERVER_LIMIT = 64_000_000


@click.command()
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


@click.command()
@click.pass_obj
def web(settings: Settings) -> None:
    """Run only the web process (waitress). In a container gunicorn may serve gateway.app:from_environment."""
    import waitress

    from gateway.app import create

    services = services_of(settings)
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


@click.command()
@click.option(
    "--scheduler", is_flag=True, help="Also run the sweeper's clock; one worker of a site needs it."
)
@click.pass_obj
def worker(settings: Settings, scheduler: bool) -> None:
    """Run only a worker. With an in-memory broker the gateway process must run the worker itself."""
    from gateway.worker import build
    from twin_engine import compilation

    services = services_of(settings)  # before the fork: numpy, models and kernels are loaded once and shared
    compilation.warm(services.models.values())
    celery = build(settings, lambda: services)
    arguments = ["worker", "--loglevel", "ERROR", "--pool", "prefork", "--without-gossip", "--without-mingle"]
    arguments += ["--concurrency", str(settings.worker_processes)]
    if scheduler:
        clock = settings.state_dir / "scheduler"
        arguments += ["--beat", "--schedule", str(clock)]
    celery.worker_main(arguments)


@click.command()
def warm() -> None:
    """Compile the kernels of all models, or find them compiled, so that a worker starts at once.

    Run it at set-up and when an image is built. They are kept in NUMBA_CACHE_DIR, else in the user's cache
    folder, and serve processors of the same kind.
    """
    from twin_engine import compilation
    from twin_engine.model import registered

    modules = compilation.warm(registered().values())
    click.echo(f"{len(modules)} modules of kernels are ready in {compilation.folder()}")


@click.command()
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
