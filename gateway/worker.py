"""Celery tasks, one line each: every task calls a use case with an opaque identifier."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from celery.schedules import schedule
from celery.signals import beat_embedded_init, worker_process_init

from gateway.operations import catch_up, census, deliver, resolve, sweep, synchronise
from gateway.operations.services import Services
from gateway.queue import application
from gateway.settings import Settings
from gateway.telemetry import log, place, tasks

USE_CASES: dict[str, Callable[..., None]] = {
    "synchronise": synchronise.synchronise,
    "resolve": resolve.resolve,
    "catch_up": catch_up.catch_up,
    "deliver": deliver.deliver,
    "enrol": census.find_new,
    "sweep": sweep.sweep,
}


def start_inside(settings: Settings, parts: Services) -> None:
    """Run worker and sweeper as threads of this process: a queue in memory reaches no other one."""
    celery = build(settings, lambda: parts)
    controller = celery.WorkController(pool="threads", concurrency=settings.worker_processes)
    threading.Thread(target=controller.start, name="worker", daemon=True).start()

    def sweep_for_ever() -> None:
        while True:
            time.sleep(settings.sweep_interval)
            _run("sweep", sweep.sweep, parts, ())

    threading.Thread(target=sweep_for_ever, name="sweeper", daemon=True).start()


def ending_with(worker: int) -> Callable[..., None]:
    """Return what has a process end with the ``worker`` that forked it; killed, it would leave it behind."""

    def leash(**_: object) -> None:
        if sys.platform == "linux" and os.getpid() != worker:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, prctl(2)
            if os.getppid() != worker:  # it died before the kernel was asked
                os.kill(os.getpid(), signal.SIGKILL)

    return leash


def build(settings: Settings, parts: Callable[[], Services]) -> Any:
    """Return the Celery application with tasks and schedule; ``parts`` gives a process its services."""
    celery = application(settings)
    leash = ending_with(os.getpid())
    beat_embedded_init.connect(leash, weak=False)
    worker_process_init.connect(leash, weak=False)
    for name, use_case in USE_CASES.items():
        _register(celery, parts, name, use_case)
    celery.conf.beat_schedule = {
        "sweep": {"task": "sweep", "schedule": schedule(settings.sweep_interval), "options": {"expires": 30}}
    }
    return celery


def _register(celery: Any, parts: Callable[[], Services], name: str, use_case: Callable[..., None]) -> None:
    def task(*identifiers: str) -> None:
        _run(name, use_case, parts(), identifiers)

    celery.task(task, name=name)


def _run(name: str, use_case: Callable[..., None], parts: Services, identifiers: tuple[str, ...]) -> None:
    try:
        use_case(parts, *identifiers)
    except Exception as error:  # noqa: BLE001  # a task's end is counted; the journal has what it did not do
        tasks.labels(name, "failed").inc()
        log().error("task-failed", task=name, identifiers=identifiers, fault=place(error))
    else:
        tasks.labels(name, "done").inc()
