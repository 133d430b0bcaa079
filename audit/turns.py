"""Group commit: threads that write at the same time share one transaction.

Everyone queues what it has, then waits to lead. Who leads takes all that is queued and writes it in
one go; the others, when their turn comes, find their part written. No thread of its own is needed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")
Failed = Callable[[str], Exception]


@dataclass(slots=True, eq=False)
class _Part(Generic[Item]):
    """What one caller queued; ``first`` is the index its first item was given."""

    items: Sequence[Item]
    settled: bool = False
    first: int = 0
    failure: BaseException | None = None


class Turns(Generic[Item]):
    """Calls ``write(items) -> first index`` for several callers at once, never twice at a time.

    Parameters
    ----------
    write
        Writes the items durably, in their order, or raises.
    failed
        Makes the exception that callers get, from its reason.
    limit
        The number of items from which a leader takes no further part.
    patience
        Seconds that a caller waits for its turn.
    """

    def __init__(
        self, write: Callable[[Sequence[Item]], int], failed: Failed, *, limit: int, patience: float
    ) -> None:
        self._write, self._failed = write, failed
        self._limit, self._patience = limit, patience
        self._queue: deque[_Part[Item]] = deque()
        self._queue_lock, self._lead_lock = Lock(), Lock()

    def submit(self, items: Sequence[Item]) -> tuple[int, ...]:
        """Write the items together with those of other callers; return their indices.

        Raises what ``failed`` makes where the write failed, whoever led it, and where the wait was
        too long; the items are then written or not.
        """
        part = _Part(items)
        with self._queue_lock:
            self._queue.append(part)
        led = self._lead_lock.acquire(timeout=self._patience)
        try:
            if led and not part.settled:
                self._lead(part)
        finally:
            self._withdraw(part)
            if led:
                self._lead_lock.release()
        if part.failure is not None:
            raise self._failed(type(part.failure).__name__) from part.failure
        if not part.settled:
            raise self._failed(f"no turn within {self._patience:g} seconds")
        return tuple(range(part.first, part.first + len(items)))

    def _withdraw(self, part: _Part[Item]) -> None:
        with self._queue_lock:
            if part in self._queue:
                self._queue.remove(part)

    def _lead(self, own: _Part[Item]) -> None:
        """Write queued parts until the own one is among them."""
        while not own.settled and (parts := self._take()):
            self._write_parts(parts)

    def _take(self) -> list[_Part[Item]]:
        taken: list[_Part[Item]] = []
        count = 0
        with self._queue_lock:
            while self._queue and (not taken or count + len(self._queue[0].items) <= self._limit):
                taken.append(self._queue.popleft())
                count += len(taken[-1].items)
        return taken

    def _write_parts(self, parts: Sequence[_Part[Item]]) -> None:
        failure: BaseException | None = None
        first = 0
        try:
            first = self._write([item for part in parts for item in part.items])
        except Exception as raised:  # noqa: BLE001  each caller learns of it in its own thread
            failure = raised
        except BaseException as raised:
            failure = raised
            raise
        finally:
            for part in parts:
                part.first, part.failure, part.settled = first, failure, True
                first += len(part.items)
