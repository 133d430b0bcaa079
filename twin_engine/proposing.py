"""Models that propose doses."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from numpy.random import Generator

from twin_engine.twin import Proposal, Refusal


@runtime_checkable
class Proposing(Protocol):
    """A model that proposes doses within limits of its own; asked only where a person switched it on."""

    def propose(self, state: Any, at: datetime, rng: Generator) -> tuple[Proposal, ...] | Refusal:
        """Return what to give from ``at`` on, nothing where the therapy is well as it is, or why not."""
