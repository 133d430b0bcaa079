"""Celery tasks, one line each: every task calls a use case with an opaque identifier."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from celery.schedules import schedule

from gateway.operations import catch_up, resolve, sweep, synchronise
from gateway.operations.services import Services
from gateway.queue import application
from gateway.settings import Settings
from gateway.telemetry import log, place, tasks
from gateway.wiring import wire

USE_CASES: dict[str, Callable[..., None]] = {
    "synchronise": synchronise.synchronise,
    "resolve": resolve.resolve,
    "catch_up": catch_up.catch_up,
    "sweep": sweep.sweep,
}


@cache
def services(settings: Settings) -> Services:
    """Return this process's services; a forked worker builds its own connections on first use."""
    return wire(settings)


def build(settings: Settings) -> Any:
    """Return the Celery application with its tasks and its schedule."""
    celery = application(settings)
    for name, use_case in USE_CASES.items():
        _register(celery, settings, name, use_case)
    celery.conf.beat_schedule = {
        "sweep": {"task": "sweep", "schedule": schedule(settings.sweep_interval), "options": {"expires": 30}}
    }
    return celery


def _register(celery: Any, settings: Settings, name: str, use_case: Callable[..., None]) -> None:
    def task(*identifiers: str) -> None:
        try:
            use_case(services(settings), *identifiers)
        except Exception as error:  # noqa: BLE001  # a task's end is counted; the journal has what it did not do
            tasks.labels(name, "failed").inc()
            log().error("task-failed", task=name, identifiers=identifiers, fault=place(error))
            return
        tasks.labels(name, "done").inc()

    celery.task(task, name=name)
