"""What is known of a twin and what was foretold, sealed and append-only.

Content is sealed with the twin's own key. Rows of one twin are written by one writer at a time (the
caller's lease); the latest row is the last one appended. Nothing is changed; what ``compact`` takes away
are states that no prediction was based on.
"""

from twin_engine.fingerprint import code_hash, evidence_digest
from twin_engine.store.evidence import (
    EvidenceRecord,
    current_evidence,
    evidence_body,
    gather,
    put_evidence,
    retract,
)
from twin_engine.store.sealing import Sealer
from twin_engine.store.snapshots import (
    Snapshot,
    append_snapshot,
    compact,
    latest_snapshots,
    snapshot_at,
    snapshots_since,
)
from twin_engine.store.tables import metadata

__all__ = [
    "EvidenceRecord",
    "Sealer",
    "Snapshot",
    "append_snapshot",
    "code_hash",
    "compact",
    "current_evidence",
    "evidence_body",
    "evidence_digest",
    "gather",
    "latest_snapshots",
    "metadata",
    "put_evidence",
    "retract",
    "snapshot_at",
    "snapshots_since",
]
