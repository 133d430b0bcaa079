"""Log events and metrics by constant names and opaque identifiers, never values of a patient.

An exception is logged by its type and the place it rose, not by its text: texts of foreign
libraries quote what they were given.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

HOPS = ("receive", "pull", "map", "consent", "twin", "seal", "audit", "write")

cpu = Counter("didymos_cpu_seconds", "CPU time by hop of the path", ["hop"])
waited = Counter("didymos_hospital_wait_seconds", "Time in which an EHR's answer was waited for")
events = Counter("didymos_events", "Notified events by what became of them", ["outcome"])
tasks = Counter("didymos_tasks", "Tasks by name and end", ["task", "end"])
latency = Histogram(
    "didymos_latency_seconds",
    "Notification to read-back",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)

_local = threading.local()


@contextmanager
def hop(name: str) -> Iterator[None]:
    """Charge this thread's CPU time to ``name``; inner hops are not charged to the outer one."""
    start = time.thread_time()
    inner = [0.0]
    stack = _stack()
    stack.append(inner)
    try:
        yield
    finally:
        stack.pop()
        spent = time.thread_time() - start
        if stack:
            stack[-1][0] += spent
        cpu.labels(name).inc(max(spent - inner[0], 0.0))


@contextmanager
def waiting() -> Iterator[None]:
    """Count the time that passes without this thread computing."""
    start, spent = time.perf_counter(), time.thread_time()
    try:
        yield
    finally:
        waited.inc(max(time.perf_counter() - start - (time.thread_time() - spent), 0.0))


def _stack() -> list[list[float]]:
    if not hasattr(_local, "stack"):
        _local.stack = []
    stack: list[list[float]] = _local.stack
    return stack


def configure(level: str) -> None:
    """Write JSON lines to standard error; foreign loggers are cut to their level and name."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    root = logging.getLogger()
    root.handlers = [_Sober()]
    root.setLevel(logging.WARNING)


class _Sober(logging.Handler):
    """Foreign log records may quote input, so only who logged and how gravely is kept."""

    def emit(self, record: logging.LogRecord) -> None:
        fault = record.exc_info[1] if record.exc_info else None
        log().warning(
            "foreign-log", logger=record.name, level=record.levelname, fault=place(fault) if fault else None
        )


def log() -> Any:
    """Return the logger: ``log().info("event-name", twin=identifier)``."""
    return structlog.get_logger()


def place(error: BaseException) -> str:
    """Return type and origin of ``error``, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {where}"
