"""A queue that holds its calls until a test lets them go, or loses them as a broker may."""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from gateway.hospitals.errors import HospitalError
from gateway.operations.catch_up import catch_up
from gateway.operations.census import find_new
from gateway.operations.deliver import deliver
from gateway.operations.resolve import resolve
from gateway.operations.services import Services
from gateway.operations.synchronise import synchronise

USE_CASES = {
    "synchronise": synchronise,
    "resolve": resolve,
    "catch_up": catch_up,
    "deliver": deliver,
    "enrol": find_new,
}


class HeldQueue:
    """Calls in the order in which they came, as (use case, identifier)."""

    def __init__(self) -> None:
        self.calls: deque[tuple[str, str]] = deque()

    def synchronise(self, twin: str, delay: float) -> None:
        self.calls.append(("synchronise", twin))

    def resolve(self, hospital: str) -> None:
        self.calls.append(("resolve", hospital))

    def catch_up(self, subscription: str) -> None:
        self.calls.append(("catch_up", subscription))

    def deliver(self, twin: str) -> None:
        self.calls.append(("deliver", twin))

    def enrol(self, hospital: str) -> None:
        self.calls.append(("enrol", hospital))

    def lose(self) -> list[tuple[str, str]]:
        """Forget what was called; return it."""
        lost = list(self.calls)
        self.calls.clear()
        return lost

    def run(self, services: Services) -> int:
        """Do what was called, and what that calls, until nothing is left; return how many calls."""
        done = 0
        while self.calls:
            name, identifier = self.calls.popleft()
            with suppress(HospitalError):  # a worker's task ends so too
                USE_CASES[name](services, identifier)
            done += 1
        return done
