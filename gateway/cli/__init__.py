"""The ``didymos`` command."""

from __future__ import annotations

import click

from gateway import telemetry
from gateway.cli import access, ehrs, looking, running
from gateway.cli.dosing import dosing
from gateway.cli.genotype import genotype
from gateway.cli.mapping import mapping
from gateway.cli.models import model
from gateway.cli.shared import first_words
from gateway.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="didymos")
@click.pass_context
def main(context: click.Context) -> None:
    """Didymos keeps digital twins of patients current from an EHR and writes their risks back.

    Decision support and research; not a medical device. Settings are DIDYMOS_* environment
    variables; `didymos doctor` lists and checks them.

    \b
    A first hour:
      didymos serve                                   start gateway, worker and embedded broker
      didymos key                                     print the public key to register at the EHR
      didymos connect ward https://ehr.example/fhir   find out what works, subscribe
      didymos backfill ward                           bring in its patients
    """  # noqa: D301  # click wants the control character \b itself
    try:
        context.obj = Settings.load()
    except ValueError as error:
        raise click.ClickException(first_words(error)) from None
    telemetry.configure(context.obj.log_level)


COMMANDS = (
    *(running.serve, running.web, running.worker, running.warm, running.demo),
    *(ehrs.key, ehrs.connect, ehrs.disconnect, ehrs.backfill, genotype),
    *(looking.twin, looking.audit, looking.quarantine, looking.doctor, mapping, model, dosing),
    *(access.client, access.person, access.invite),
)
for command in COMMANDS:
    main.add_command(command)
