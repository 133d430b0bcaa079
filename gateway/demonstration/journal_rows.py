"""Rows of the live view, from the journal and from what the hospital reads back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from gateway.demonstration.stage import Stage
from gateway.demonstration.view import Row
from gateway.demonstration.view import Stage as Step
from gateway.operations.receive import open_change
from gateway.storage.engine import from_us, to_us
from gateway.storage.schema import inbox, readback

SHOWN = 200
MILLISECONDS = 1_000
DEPTH = 30  # audit entries of a twin that are looked through
STEPS: dict[str, Step] = {"consent-decision": "consent", "pull": "pulled"}


@dataclass(slots=True)
class JournalRows:
    """The newest events of the demo as rows; what was read back once is not read again."""

    stage: Stage
    names: Mapping[str, str]
    after: int
    _consented: dict[int, dict[Step, int]] = field(default_factory=dict)
    _read: dict[tuple[str, int], str] = field(default_factory=dict)

    def __call__(self) -> list[Row]:
        """Return the rows, the oldest first."""
        confirmed = (
            select(func.min(readback.c.confirmed))
            .where(readback.c.twin == inbox.c.twin, readback.c.seq >= inbox.c.seq)
            .scalar_subquery()
        )
        query = select(inbox, confirmed.label("confirmed")).where(inbox.c.id > self.after)
        with self.stage.services.journal.reading() as connection:
            found = connection.execute(query.order_by(inbox.c.id.desc()).limit(SHOWN)).all()
        return [self._row(row) for row in reversed(found)]

    def _row(self, row: Any) -> Row:
        change = open_change(self.stage.services, self.stage.hospital_id, row.sealed)
        shown = row.outcome == "used" and row.confirmed is not None
        return Row(
            key=str(row.id),
            at=from_us(row.received),
            patient=self.names.get(change.subject or "", change.subject or "?"),
            says=f"{change.type}/{change.id}",
            reached=self._reached(row),
            result=self._result(row) if shown else self._reason(row),
            state="shown" if shown else "waiting" if row.outcome in (None, "used") else "stopped",
        )

    def _reached(self, row: Any) -> dict[Step, float]:
        reached: dict[Step, float] = {"journaled": 0.0}
        if row.done is not None and row.twin is not None:
            instants = self._decided(row) | {"twin": row.done}
            reached |= {step: (instant - row.received) / MILLISECONDS for step, instant in instants.items()}
        if row.outcome == "used" and row.confirmed is not None:
            reached["read back"] = (row.confirmed - row.received) / MILLISECONDS
        return reached

    def _decided(self, row: Any) -> dict[Step, int]:
        """Return when consent was given and when the reading was over, from the audit log; found once."""
        if row.id not in self._consented:
            instants: dict[Step, int] = {}
            for entry in self.stage.services.audit.for_subject(row.twin, DEPTH):
                at = to_us(entry.leaf.recorded)
                step = STEPS.get(entry.leaf.kind)
                if step is not None and row.received <= at <= row.done:
                    instants[step] = at if step == "consent" else max(at, instants.get(step, 0))
            self._consented[row.id] = instants
        return self._consented[row.id]

    def _reason(self, row: Any) -> str:
        if row.outcome is None or row.detail is None:
            return row.outcome or ""
        detail = self.stage.services.unseal(
            f"twin/{row.twin}", "inbox.detail", str(row.id), row.detail
        ).decode()
        return f"{row.outcome}: {detail}" if detail else str(row.outcome)

    def _result(self, row: Any) -> str:
        key = (row.twin, row.confirmed)
        if key not in self._read:
            self._read[key] = self._read_back(row.twin, row.confirmed)
        return self._read[key]

    def _read_back(self, twin: str, confirmed: int) -> str:
        """Read the assessment as the hospital's own systems do."""
        query = select(readback.c.id).where(readback.c.twin == twin, readback.c.confirmed == confirmed)
        with self.stage.services.journal.reading() as connection:
            identifier = connection.execute(query.limit(1)).scalar()
        resource = self.stage.client.read("RiskAssessment", str(identifier))
        return headline(resource) if resource else ""


def headline(resource: Mapping[str, Any]) -> str:
    """Return the first prediction of a RiskAssessment in a few words."""
    for prediction in resource.get("prediction", ()):
        name = prediction["outcome"]["text"]
        if "probabilityDecimal" in prediction:
            return f"{name}: {prediction['probabilityDecimal']:.1f} %"
        return f"{name}: {prediction['qualitativeRisk']['text']}"
    return (
        f"{resource['status']}: {resource['note'][-1]['text']}"
        if resource.get("note")
        else str(resource["status"])
    )
