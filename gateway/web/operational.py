"""Health and metrics, for whoever keeps the gateway running. No patient data."""

from __future__ import annotations

import os

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.storage import inbox
from gateway.web.answers import services

blueprint = Blueprint("operational", __name__)


@blueprint.get("/health")
def health() -> dict[str, object]:
    """Say whether the journal answers, and how much waits."""
    with services().journal.reading() as connection:
        waiting = inbox.backlog(connection, 10_000)
    return {"status": "ok", "waiting": waiting}


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the metrics of all processes of this machine."""
    return Response(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


def registry() -> CollectorRegistry:
    """Return the collector over all processes, or of this one where there is no shared folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return shared
