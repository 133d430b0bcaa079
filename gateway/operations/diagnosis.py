"""Check that everything a site needs is there and answers, and that no work lies still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kombu.connection import Connection as BrokerConnection
from sqlalchemy import ColumnElement, func, select

from gateway.errors import DidymosError
from gateway.hospitals.errors import BadAnswer
from gateway.operations import switches
from gateway.operations.inspection import verify
from gateway.operations.registry import hospitals
from gateway.operations.services import Services
from gateway.settings import Settings
from gateway.storage.leases import DISCONNECTED
from gateway.storage.outbox import REFUSED, WITHHELD
from gateway.storage.schema import delivery, inbox, subscription, twin
from gateway.telemetry import place
from twin_engine.check import Nonconformance, check_model

MINUTE = 60_000_000
PATIENCE = 3.0  # seconds in which a broker must answer
SPOKEN = (Nonconformance, DidymosError)  # their words are for people and hold no patient data


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    what: str
    ok: bool
    text: str


def examine(settings: Settings, build: Callable[[Settings], Services]) -> list[Finding]:
    """Run every check; a failing one does not stop the others that do not need it."""
    opened: list[Services] = []

    def build_all() -> str:
        opened.append(build(settings))
        return "open"

    findings = [_try("broker", partial(_broker, settings)), _try("databases and keys", build_all)]
    if not opened:
        return findings
    services = opened[0]
    findings += [_log(services), _models(services)]
    findings += [_try(f"model {name}", partial(_model, services, name)) for name in services.models]
    for name, identifier in hospitals(services).items():
        findings.append(_try(f"EHR {name}", partial(_ehr, services, identifier)))
    return findings + _work(services)


def _try(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, check())
    except Exception as error:  # noqa: BLE001  # a doctor lists whatever is wrong
        return Finding(what, False, f"{error}" if isinstance(error, SPOKEN) and str(error) else place(error))


def _broker(settings: Settings) -> str:
    if settings.worker_inside_web:
        return "in the gateway's memory; starts with `didymos serve`"
    try:
        _ping(settings)
    except Exception:  # whatever its client raises
        if settings.broker_embedded:
            return "embedded, not running; starts with `didymos serve`"
        raise
    return "answers"


def _ping(settings: Settings) -> None:
    options = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    redis = settings.broker.startswith(("redis", "valkey"))
    told: dict[str, Any] = {"connect_timeout": PATIENCE, "transport_options": options if redis else {}}
    with BrokerConnection(settings.broker, **told) as link:  # type: ignore[no-untyped-call]
        link.ensure_connection(max_retries=1, interval_start=0.1, timeout=PATIENCE)


def _log(services: Services) -> Finding:
    verdict = verify(services)
    return Finding("audit log", verdict.ok, verdict.text)


def _models(services: Services) -> Finding:
    """Check that a default names models that there are."""
    chosen = switches.by_default(services)
    strange = sorted(chosen - services.models.keys())
    said = f"not registered: {', '.join(strange)}" if strange else ", ".join(sorted(chosen)) or "none"
    return Finding("models by default", not strange, said)


def _model(services: Services, name: str) -> str:
    check_model(services.models[name])
    return f"version {services.models[name].card.version} conforms"


def _ehr(services: Services, identifier: str) -> str:
    """Make a search that finds nobody; it needs a token where the EHR asks for tokens."""
    hospital = services.hospital(identifier)
    nobody = [("_summary", "count"), ("_id", "didymos-doctor")]
    status, issues = hospital.connection.status(("Patient",), nobody)
    if status != 200:
        raise BadAnswer(f"the EHR answered {status} ({', '.join(issues) or 'no issue code'})")
    return f"answers; {hospital.profile.sync}, write {hospital.profile.write}"


def _work(services: Services) -> list[Finding]:
    """Return what lies still; it is a failure where only a person can help."""
    told = inbox.c.received < services.now() - MINUTE
    nobodys = inbox.c.twin.is_(None) & inbox.c.outcome.is_(None) & told
    parked = twin.c.parked != DISCONNECTED
    return [
        _pile(services, "parked twins", parked, twin.c.parked, grave=True),
        _pile(services, "refused deliveries", delivery.c.state == REFUSED, delivery.c.reason, grave=True),
        _pile(services, "withheld deliveries", delivery.c.state == WITHHELD, delivery.c.reason),
        _pile(services, "events that no patient is known of", nobodys, inbox.c.hospital),
        _pile(services, "inactive Subscriptions", subscription.c.status != "active", subscription.c.status),
    ]


def _pile(
    services: Services, what: str, which: ColumnElement[bool], by: ColumnElement[Any], *, grave: bool = False
) -> Finding:
    query = select(func.coalesce(by, "no reason given"), func.count()).where(which).group_by(by).order_by(by)
    with services.journal.reading() as connection:
        counted = [f"{row[1]} ({row[0]})" for row in connection.execute(query)]
    return Finding(what, not (grave and counted), ", ".join(counted) or "none")
