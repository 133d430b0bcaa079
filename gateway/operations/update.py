"""Compute a twin from its evidence: every model, and which assessments that changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from twin_engine.encoding import encode
from twin_engine.model import Model
from twin_engine.resumption import resume
from twin_engine.store import Snapshot, code_hash, evidence_digest
from twin_engine.twin import Evidence, Forecast, Refusal


@dataclass(frozen=True, slots=True)
class Computed:
    """One model's answers; ``silent`` ones are shown to nobody. Without a ``snapshot`` nothing changed."""

    model: Model
    answers: tuple[Forecast | Refusal, ...]
    snapshot: Snapshot | None
    previous: tuple[Forecast | Refusal, ...]
    silent: bool = False


def compute(
    models: Mapping[str, Model], evidence: Evidence, previous: Mapping[str, Snapshot], at: datetime, seq: int
) -> tuple[Computed, ...]:
    """Run every model whose evidence changed or whose forecast has run out."""
    return tuple(
        _compute(model, evidence, previous.get(name), at, seq) for name, model in sorted(models.items())
    )


def _compute(model: Model, evidence: Evidence, before: Snapshot | None, at: datetime, seq: int) -> Computed:
    digest = evidence_digest(evidence, model)
    if before is not None and before.digest == digest and not _lapsed(before.answers, at):
        return Computed(model, before.answers, None, before.answers)
    state = model.assimilate(resume(model, before, evidence.subject, at), evidence, at)
    answers = model.forecast(state, at, np.random.default_rng(int(digest[:16], 16)))
    snapshot = Snapshot(
        model=model.card.name,
        version=model.card.version,
        code=code_hash(model),
        seq=seq,
        valid=at,
        known=at,
        digest=digest,
        state=encode(state),
        answers=answers,
    )
    return Computed(model, answers, snapshot, before.answers if before else ())


def _lapsed(answers: tuple[Forecast | Refusal, ...], at: datetime) -> bool:
    limit = turns(answers)
    return limit is not None and limit <= at


def turns(answers: Iterable[Forecast | Refusal]) -> datetime | None:
    """Return when time alone changes an answer: a forecast expires, a refusal may lift."""
    moments = [answer.expires if isinstance(answer, Forecast) else answer.retry for answer in answers]
    return min((moment for moment in moments if moment is not None), default=None)


def same(new: Forecast | Refusal, old: Forecast | Refusal) -> bool:
    """Return whether two answers say the same of the same evidence, whenever they were given."""
    if isinstance(new, Forecast) and isinstance(old, Forecast):
        return _said(new) == _said(old)
    return isinstance(new, Refusal) and isinstance(old, Refusal)


def _said(forecast: Forecast) -> tuple[object, ...]:
    risks = tuple((risk.outcome, risk.probability, risk.qualitative) for risk in forecast.risks)
    return (forecast.family, frozenset(forecast.basis), risks, forecast.score)
