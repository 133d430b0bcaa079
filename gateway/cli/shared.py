"""What every command shares: the services, and failures said in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from gateway.errors import DidymosError
from gateway.settings import PREFIX, Settings

if TYPE_CHECKING:
    from gateway.operations.services import Services


def first_words(error: ValueError) -> str:
    problems = getattr(error, "errors", None)
    if problems is None:
        return str(error)
    return "\n".join(f"{PREFIX}{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in problems())


def services_of(settings: Settings) -> Services:
    from gateway.wiring import wire

    return wire(settings)


def told(work: Callable[[], Any]) -> Any:
    """Do ``work``; say an expected failure in one line."""
    try:
        return work()
    except (DidymosError, LookupError) as error:
        raise click.ClickException(str(error) or type(error).__name__) from None


def hospital_id(services: Services, name: str) -> str:
    from gateway.operations import registry

    known = registry.hospitals(services)
    if name not in known:
        raise click.ClickException(f"no EHR is called {name}; known: {', '.join(known) or 'none yet'}")
    return known[name]
