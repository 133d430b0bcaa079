"""The Celery application: how messages travel. What they do stands in ``worker``."""

from __future__ import annotations

from functools import cache
from typing import Any

from celery import Celery

from gateway.settings import Settings


@cache
def application(settings: Settings) -> Any:
    """Return the application for one set of settings."""
    celery = Celery("didymos", broker=settings.broker, set_as_current=False)
    celery.conf.update(
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport(settings),
        task_acks_late=True,
        task_create_missing_queues=True,
        task_default_queue="twins",
        task_ignore_result=True,
        task_reject_on_worker_lost=True,
        task_soft_time_limit=settings.task_limit * 0.9,
        task_time_limit=settings.task_limit,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_max_tasks_per_child=10_000,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        timezone="UTC",
    )
    return celery


def _transport(settings: Settings) -> dict[str, object]:
    # Without the two unacked_restore options a killed worker's task comes back after 90 s, not 7 s.
    if settings.worker_inside_web:
        return {"polling_interval": 0.02}
    if not settings.broker.startswith(("redis", "valkey")):
        return {}
    return {
        "global_keyprefix": "didymos:",
        "health_check_interval": 25,
        "socket_keepalive": not settings.broker.startswith("redis+socket"),
        "socket_timeout": 30,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "visibility_timeout": settings.task_limit + 60,
    }
