"""Where an update begins, and what a twin was at any instant as it was known at any other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from twin_engine.encoding import decode
from twin_engine.fingerprint import code_hash
from twin_engine.model import Model
from twin_engine.store import EvidenceRecord, Snapshot, gather
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


def state_at(
    model: Model,
    records: Iterable[EvidenceRecord],
    snapshot: Snapshot | None,
    valid: datetime,
) -> Any:  # the model's own
    """Return the state of the twin at ``valid`` as ``records`` know it; None while the person is not known.

    ``records`` are the evidence at an instant of knowing (``store.current_evidence(..., known)``): what
    arrived late or was withdrawn since has no part in it, or has where ``known`` is later. ``snapshot``
    (``store.snapshot_at``) only shortens the way.
    """
    evidence = gather(records)
    if evidence is None:
        return None
    return model.assimilate(resume(model, snapshot, evidence.subject, valid), evidence, valid)
