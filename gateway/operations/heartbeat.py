"""Keep a lease while its work lasts: short, so that a killed worker's work is soon another's.

The beat is a thread of the worker's process and ends with it. A worker that was only asleep finds its
fence moved and commits nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.telemetry import log, place

BEATS = 3  # in one lease, so that one may fail


@contextmanager
def beating(renew: Callable[[], None], lease: float) -> Iterator[None]:
    """Call ``renew`` again and again until the block ends; ``lease`` in seconds."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(lease / BEATS):
            try:
                renew()
            except Exception as error:  # noqa: BLE001  # the next beat may succeed; the fence guards the rest
                log().warning("lease-not-renewed", fault=place(error))

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
