"""The command that brings in variants from a file: genotype."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.shared import hospital_id, services_of, told
from gateway.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("name")
@click.argument("patient")
@click.argument("file", required=False, type=_FILE)
@click.option("--sample", help="The sample to read, where the file holds several.")
@click.option("--regions", type=_FILE, help="A BED file (chromosome, start, end, gene) of genes to read.")
@click.option("--forget", is_flag=True, help="Take back all that was brought in for this patient.")
@click.pass_obj
def genotype(
    settings: Settings,
    name: str,
    patient: str,
    file: Path | None,
    sample: str | None,
    regions: Path | None,
    forget: bool,
) -> None:
    """Bring in the germline variants of one PATIENT of the EHR called NAME from a VCF or BCF FILE.

    Taken are the genes that the models or guidelines ask for, by the annotations of SnpEff, VEP or ClinVar,
    or by --regions. Consent is asked as for anything read from the EHR. A file adds to earlier ones.

    \b
    Example:
      didymos genotype ward 4711 exome.vcf.gz --sample NA12878
    """  # noqa: D301  # click wants the control character \b itself
    from gateway.operations import genotype as use_case

    if forget == (file is not None):
        raise click.UsageError("give a FILE, or --forget")
    services = services_of(settings)
    hospital = hospital_id(services, name)
    if file is None:
        told(lambda: use_case.forget(services, hospital, patient))
        click.echo("what was brought in from files is forgotten")
        return
    source = use_case.Source(file, sample, regions)
    brought = told(lambda: use_case.bring_in(services, hospital, patient, source))
    click.echo(f"{brought.observations} observations of known genes; `didymos twin` shows what came of them")
    for reason, count in sorted(brought.left.items()):
        click.echo(f"  {count} left: {reason}")
