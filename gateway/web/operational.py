"""Health and metrics, for whoever keeps the gateway running. No patient data."""

from __future__ import annotations

import os

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.operations import calibrating, switches
from gateway.operations.registry import hospitals
from gateway.storage import inbox
from gateway.web.answers import services

blueprint = Blueprint("operational", __name__)


@blueprint.get("/health")
def health() -> dict[str, object]:
    """Say whether the journal answers, and how much waits."""
    with services().journal.reading() as connection:
        waiting = inbox.backlog(connection, 10_000)
        held = switches.everywhere(connection, services())
    quiet = sorted({one.model for each in held.values() for one in each.values() if one.state != "on"})
    return {"status": "ok", "waiting": waiting, "models_not_on": quiet}


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the metrics of all processes of this machine."""
    told = generate_latest(registry()) + generate_latest(_models())
    return Response(told, content_type=CONTENT_TYPE_LATEST)


def _models() -> CollectorRegistry:
    """Return what stands in the journal of the models: their state, and whether they drift."""
    told = CollectorRegistry()
    labels = ("model", "version", "hospital")
    state = Gauge("didymos_model_state", "1 for the state that holds", (*labels, "state"), registry=told)
    drifting = Gauge("didymos_model_drifting", "1 where a model broke its limits", labels, registry=told)
    for hospital in hospitals(services()).values():
        for one in calibrating.standings(services(), hospital).values():
            place = (one.switch.model, one.switch.version, hospital)
            for name in switches.STATES:
                state.labels(*place, name).set(name == one.switch.state)
            if one.verdict is not None:
                drifting.labels(*place).set(one.verdict.state == "drifting")
    return told


def registry() -> CollectorRegistry:
    """Return the collector over all processes, or of this one where there is no shared folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return shared
