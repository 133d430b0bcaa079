"""Set the stage: the third-party EHR, its patients, the gateway connected to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gateway import jose
from gateway.demonstration.ehr import BackendClient, ThirdPartyEhr
from gateway.demonstration.hospital import BackendToken, EhrClient, load
from gateway.demonstration.patients import DemoPatient, cohort
from gateway.operations import backfill, registry
from gateway.operations.services import Services
from gateway.operations.site_key import private_jwk, public_jwks
from gateway.settings import Settings
from gateway.supervisor import Supervisor, embedded
from gateway.wiring import connect, utc_now, wire

SEED = 20231110
OWN_PATIENTS = 3
GATEWAY, HOSPITAL = "didymos", "hospital-systems"
POLICY = "treat-when-silent"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs in the demo."""

    settings: Settings
    services: Services
    ehr: ThirdPartyEhr
    hospital_id: str
    client: EhrClient
    patients: tuple[DemoPatient, ...]
    supervisor: Supervisor
    notes: tuple[str, ...]


@contextmanager
def staged(settings: Settings, folder: Path) -> Iterator[Stage]:
    """Start everything in ``folder``; end it all on leaving."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    chosen = _settings(settings, folder)
    services = wire(chosen)
    own_key = jose.generate_key()
    with ExitStack() as stack:
        clients = {
            GATEWAY: BackendClient(public_jwks(services)["keys"][0], "system/*.*"),
            HOSPITAL: BackendClient(jose.public_jwks(own_key)["keys"][0], "system/*.*"),
        }
        ehr = stack.enter_context(ThirdPartyEhr(folder / "ehr", clients))
        client = EhrClient(
            ehr.base_url, BackendToken(ehr.token_url, HOSPITAL, own_key, "system/*.*", utc_now)
        )
        patients = cohort(datetime.now(UTC), np.random.default_rng(SEED))
        ehr.seed(OWN_PATIENTS)
        load(client, (resource for patient in patients for resource in patient.resources))
        supervisor = embedded(chosen)
        stack.callback(supervisor.stop)
        hospital_id, notes = _connect(services, ehr)
        backfill.from_search(services, hospital_id, lambda *_: None)
        yield Stage(chosen, services, ehr, hospital_id, client, patients, supervisor, notes)


def _settings(settings: Settings, folder: Path) -> Settings:
    changes: dict[str, object] = {"state_dir": folder / "state", "tenant": "demo", "policy": POLICY}
    if not _free(settings.host, settings.port):
        changes["port"] = _any_port(settings.host)
    return settings.model_copy(update=changes)


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _any_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def _connect(services: Services, ehr: ThirdPartyEhr) -> tuple[str, tuple[str, ...]]:
    access = registry.Access(GATEWAY, private_jwk(services))
    registration = registry.Registration("demo-ehr", ehr.base_url, access, POLICY, frozenset())
    link = connect(services.settings, ehr.base_url, access, services.clock)
    hospital_id, profile = registry.register(services, registration, link)
    registry.subscribe(services, hospital_id)
    return hospital_id, profile.notes
