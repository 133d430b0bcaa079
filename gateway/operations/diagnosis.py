"""Check that everything a site needs is there and answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gateway.operations.inspection import verify
from gateway.operations.registry import hospitals
from gateway.operations.services import Services
from gateway.settings import Settings
from gateway.telemetry import place
from twin_engine.check import Nonconformance, check_model


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

    findings = [_try("databases and keys", build_all)]
    if not opened:
        return findings
    services = opened[0]
    findings.append(_log(services))
    findings += [_try(f"model {name}", partial(_model, services, name)) for name in services.models]
    for name, identifier in hospitals(services).items():
        findings.append(_try(f"EHR {name}", partial(_ehr, services, identifier)))
    return findings


def _try(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, check())
    except Exception as error:  # noqa: BLE001  # a doctor lists whatever is wrong
        return Finding(what, False, f"{error}" if isinstance(error, Nonconformance) else place(error))


def _log(services: Services) -> Finding:
    verdict = verify(services)
    return Finding("audit log", verdict.ok, verdict.text)


def _model(services: Services, name: str) -> str:
    check_model(services.models[name])
    return f"version {services.models[name].card.version} conforms"


def _ehr(services: Services, identifier: str) -> str:
    hospital = services.hospital(identifier)
    hospital.connection.status(("Patient",), [("_summary", "count"), ("_id", "didymos-doctor")])
    return f"answers; {hospital.profile.sync}, write {hospital.profile.write}"
