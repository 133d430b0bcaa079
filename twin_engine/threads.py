"""Types made ready for decoding by one thread at a time.

What msgspec knows of a type is kept with the type and filled at its first use, while other threads may
already see it: two first uses at once have crashed the process (msgspec 0.22, a null pointer in its core).
"""

from __future__ import annotations

from threading import RLock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_lock = RLock()
_ready: set[Any] = set()


def ready(kind: type[T]) -> type[T]:
    """Return ``kind`` once everything that is needed to decode it is there."""
    if kind not in _ready:
        with _lock:
            msgspec.json.Decoder(kind)
            _ready.add(kind)
    return kind
