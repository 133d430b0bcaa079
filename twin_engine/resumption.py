"""Where an update begins: at the state that was stored, as long as the same model made it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from twin_engine.encoding import decode
from twin_engine.fingerprint import code_hash
from twin_engine.model import Model
from twin_engine.store import Snapshot
from twin_engine.twin import Subject


def resume(model: Model, snapshot: Snapshot | None, subject: Subject, at: datetime) -> Any:  # the model's own
    """Return the state into which all evidence is to be assimilated.

    It is the state of ``snapshot`` where model, version and code are the same; otherwise, and where there is
    no snapshot, the prior of ``subject`` at ``at``: a state of other code is not interpreted.
    """
    card = model.card
    if snapshot is None or (snapshot.model, snapshot.version) != (card.name, card.version):
        return model.prior(subject, at)
    if snapshot.code != code_hash(model):
        return model.prior(subject, at)
    return decode(model.state_type, snapshot.state)
