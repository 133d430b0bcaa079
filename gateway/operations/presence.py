"""The state of a twin at this moment, for what is computed when it is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from gateway.errors import NotFound
from gateway.operations.services import Services
from gateway.telemetry import hop
from twin_engine import store
from twin_engine.fingerprint import evidence_digest
from twin_engine.model import Model
from twin_engine.resumption import state_at


def brought_to(services: Services, twin: str, model: Model, at: datetime) -> tuple[Any, np.random.Generator]:
    """Return the state of a twin at ``at`` from all evidence, and randomness that follows from it.

    Raises
    ------
    NotFound
        The person is not known.
    """
    with services.journal.reading() as connection, hop("seal"):
        known = store.current_evidence(connection, services.vault, twin)
        before = store.snapshot_at(connection, services.vault, twin, model.card.name, at, at)
    evidence = store.gather(known)
    if evidence is None:
        raise NotFound
    with hop("twin"):
        state = state_at(model, known, before, at)
    return state, np.random.default_rng(int(evidence_digest(evidence, model)[:16], 16))
