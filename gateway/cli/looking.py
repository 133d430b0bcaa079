"""Commands that look: twin, audit, quarantine, doctor."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import msgspec

from gateway.cli.shared import hospital_id, services_of, told
from gateway.settings import PREFIX, Settings


@click.group()
def twin() -> None:
    """Look at twins."""


@twin.command("list")
@click.pass_obj
def twin_list(settings: Settings) -> None:
    """List the twins with their state; identifiers are opaque."""
    from gateway.operations import inspection

    for one in inspection.twins(services_of(settings)):
        click.echo("  ".join(one))


@twin.command("show")
@click.argument("identifier")
@click.option("--patient", is_flag=True, help="IDENTIFIER is EHR-NAME/PATIENT-ID instead of a twin's id.")
@click.pass_obj
def twin_show(settings: Settings, identifier: str, patient: bool) -> None:
    """Show one twin: evidence, answers of every model, what stands in the EHR, Consents as understood.

    This opens patient data on your terminal, and is recorded in the audit log as a read by the administrator.
    """
    from gateway.operations import inspection

    services = services_of(settings)
    if patient:
        name, _, patient_id = identifier.partition("/")
        identifier = services.twin_id(hospital_id(services, name), patient_id)
    shown = told(lambda: inspection.twin(services, identifier))
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
    count = sweep.retry(services_of(settings), None if every else list(identifiers))
    click.echo(f"{count} parked twins are tried again")


@click.group()
def audit() -> None:
    """Check and read the audit log."""


@audit.command("verify")
@click.pass_obj
def audit_verify(settings: Settings) -> None:
    """Recompute every hash and signature of the audit log; name the first bad entry.

    The exit status is 0 only if the whole log is intact.
    """
    from gateway.operations import inspection

    report = inspection.verify(services_of(settings))
    click.echo(report.text)
    sys.exit(0 if report.ok else 1)


@audit.command("export")
@click.option("--from", "since", metavar="DATE", help="Recorded at or after; from the first entry on.")
@click.option("--to", "until", metavar="DATE", help="Recorded before; up to now.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def audit_export(settings: Settings, since: str | None, until: str | None, file: Path) -> None:
    """Write entries to a new FILE as FHIR AuditEvents, one a line, each with its leaf of the log's tree.

    DATE is a FHIR date or dateTime, in UTC where it names no zone: 2026, 2026-03, 2026-03-01. FILE holds
    identifiers of patients' records and is readable by you only. Recorded as a reading of the log.
    """
    from gateway.operations import audit_export as exporting

    count = told(lambda: exporting.export(services_of(settings), since, until, file))
    click.echo(f"{count} entries in {file}")


@click.group()
def quarantine() -> None:
    """See what could not be used."""


@quarantine.command("list")
@click.pass_obj
def quarantine_list(settings: Settings) -> None:
    """List the resources that no model uses because something about them is wrong, with the reason.

    What consent does not permit to be shown is only counted. Recorded as a read by the administrator.
    """
    from gateway.operations import inspection

    found = told(lambda: inspection.quarantined(services_of(settings)))
    for row in found.shown:
        click.echo("  ".join(row))
    click.echo(f"{len(found.shown) + found.hidden} in quarantine, {found.hidden} of them not shown")


@click.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """List every setting, and check databases, keys, broker, models and EHRs.

    The exit status is 0 only if all is well.
    """
    from gateway.operations import diagnosis

    for name, field in Settings.model_fields.items():
        mark = "*" if PREFIX + name.upper() in os.environ else " "
        click.echo(f"{mark} {PREFIX}{name.upper():<24} {getattr(settings, name)!s:<24} {field.description}")
    findings = diagnosis.examine(settings, services_of)
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}: {finding.text}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
