"""Commands about the models: how they do, and whether they speak."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from gateway.cli.shared import hospital_id, services_of, told
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.operations.calibrating import Standing
    from gateway.operations.services import Services
    from twin_engine.drift import Record

WIDE = 160


@click.group()
def model() -> None:
    """See how the models do; stop, silence and start them."""


@model.command("list")
@click.pass_obj
def model_list(settings: Settings) -> None:
    """List the models at each EHR: whether they are on, since when and why, and whether they keep limits."""
    services = services_of(settings)
    table = Table("EHR", "model", "version", "evidence", "state", "outcomes", "limits")
    for ehr, name, one in _standings(services):
        card = services.models[name].card
        outcomes = sum(record.n for record in one.records if not record.group.people)
        limits = one.verdict.state if one.verdict else "none declared"
        table.add_row(ehr, name, card.version, card.evidence, one.switch.said, f"{outcomes}", limits)
    _show(table)


@model.command("scores")
@click.argument("name", required=False)
@click.pass_obj
def model_scores(settings: Settings, name: str | None) -> None:
    """Show how forecasts did whose outcome is known, by horizon, sex and age; of the model NAME, or of all.

    The loss is a Brier score for a risk, and the mean pinball loss for a course.
    """
    columns = ("EHR", "model", "what", "n", "apart", "coverage", "events", "expected", "line", "loss")
    table = Table(*columns)
    for ehr, one, standing in _standings(services_of(settings)):
        for record in standing.records if name in (None, one) else ():
            table.add_row(ehr, one, *_row(record))
    _show(table)


def _standings(services: Services) -> Iterator[tuple[str, str, Standing]]:
    from gateway.operations import calibrating, registry

    for ehr, identifier in registry.hospitals(services).items():
        for name, one in sorted(calibrating.standings(services, identifier).items()):
            yield ehr, name, one


def _row(record: Record) -> tuple[str, ...]:
    course = record.group.kind == "course"
    coverage = f"{100 * record.coverage:.1f} %" if record.coverage is not None else ""
    line = f"{record.line.intercept:+.2f} {record.line.slope:.2f}" if record.line else ""
    events = ("", "") if course else (f"{record.observed:g}", f"{record.expected:.1f}")
    return (
        *(str(record.group), f"{record.n}", f"{record.apart}"),
        *(coverage, *events, line, f"{record.loss:.4g}"),
    )


def _show(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)


def _word(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.argument("name"),
        click.option("--hospital", metavar="NAME", help="Only at this EHR.  [default: everywhere]"),
        click.option("--by", required=True, help="Who says so; it stands in the audit log and on pages."),
        click.option("--reason", required=True, help="Why; it must not name a patient."),
        click.pass_obj,
    )
    for option in reversed(options):
        command = option(command)
    return command


@model.command("stop")
@_word
def model_stop(settings: Settings, **said: Any) -> None:
    """Do not compute the model NAME any more, and take back what stands in the EHR by it."""
    _turn(settings, "off", **said)


@model.command("silence")
@_word
def model_silence(settings: Settings, **said: Any) -> None:
    """Go on computing and scoring the model NAME, show it to nobody, take back what stands in the EHR."""
    _turn(settings, "silent", **said)


@model.command("start")
@_word
def model_start(settings: Settings, **said: Any) -> None:
    """Let the model NAME speak; its outcomes are counted anew from now on."""
    _turn(settings, "on", **said)


def _turn(settings: Settings, state: Any, name: str, hospital: str | None, by: str, reason: str) -> None:
    from gateway.operations import switches

    services = services_of(settings)
    where = hospital_id(services, hospital) if hospital else switches.EVERYWHERE
    count = told(lambda: switches.turn(services, switches.Word(name, state, by, reason, where)))
    click.echo(
        f"{name} is {state} {f'at {hospital}' if hospital else 'everywhere'}; {count} twins are updated"
    )
