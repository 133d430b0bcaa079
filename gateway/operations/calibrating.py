"""Summing up scores, judging models by the sums, and taking scores out of them again.

A model that declares limits (``twin_engine.calibration.Limited``) and drifts outside them at an EHR is
silenced there by itself. The sums name nobody and stay; a score can be taken out of them for ``KEPT``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from consent.vault import KeyDestroyed
from gateway.operations import switches
from gateway.operations.scoring import Span, open_score
from gateway.operations.services import Services
from gateway.operations.switches import Switch
from gateway.storage import scores
from gateway.storage.engine import to_us
from gateway.storage.schema import calibration
from gateway.storage.scores import ScoreRow
from twin_engine.calibration import Limited, Limits
from twin_engine.drift import Record, Verdict, records, verdict
from twin_engine.scoring import Score, Tally

LIMIT = 2000  # scores that are summed up at a time
KEPT = timedelta(days=92)
GIVEN_UP = timedelta(days=30)  # for a forecast whose twin nobody reads any more

Site = tuple[str, str, str]  # hospital, model, version


def calibrate(services: Services) -> None:
    """Sum up what was scored lately, and silence models that drift."""
    now = services.clock()
    with services.journal.transaction() as connection:
        rows = scores.claim_uncounted(connection, LIMIT)
        counted = _with_epochs(connection, rows)
        scores.add(connection, _sums(services, counted, 1))
        scores.count_under(connection, {row.id: row.counted for row in counted if row.counted})
        if rows:
            scores.drop(connection, to_us(now - KEPT))
            scores.give_up(connection, to_us(now - GIVEN_UP))
    for site in sorted({_site(row) for row in rows}):
        _judge(services, site)


def _site(row: ScoreRow) -> Site:
    return row.hospital, row.model, row.version


def _with_epochs(connection: Connection, rows: list[ScoreRow]) -> list[ScoreRow]:
    """Return the rows with the epoch in whose sums they belong: the one in which they were made."""
    sites = {_site(row) for row in rows}
    begun = {site: switches.epoch(connection, site[1], site[2], site[0]) for site in sites}
    return [replace(row, counted=begun[_site(row)] if row.made >= begun[_site(row)] else 0) for row in rows]


def _sums(
    services: Services, rows: Iterable[ScoreRow], sign: int
) -> Mapping[tuple[object, ...], tuple[float, ...]]:
    found: dict[tuple[object, ...], tuple[float, ...]] = defaultdict(lambda: (0.0,) * len(scores.SUMS))
    for row in rows:
        try:
            score = open_score(services, row)
        except KeyDestroyed:
            continue  # an erased person is in no sum that is still to be made
        key = _key(row, score)
        values = (1, score.loss, score.observed, score.expected, score.width)
        found[key] = tuple(a + sign * b for a, b in zip(found[key], values, strict=True))
    return found


def _key(row: ScoreRow, score: Score) -> tuple[object, ...]:
    low, high = score.between
    return (
        *(row.hospital, row.model, row.version, row.counted or 0),
        *(score.kind, score.what, score.horizon, score.sex, score.band, f"{low!r}..{high!r}", row.apart),
    )


def take_out(
    connection: Connection, services: Services, twin: str, spans: Iterable[Span] | None = None
) -> None:
    """Forget scores of a twin, in the sums too.

    Those that may rest on what was measured in ``spans``; without, all, and the forecasts that wait for their
    outcome.
    """
    touched = None if spans is None else [(to_us(start), to_us(end)) for start, end in spans]
    if touched == []:
        return
    rows = scores.of_twin(connection, twin, touched)
    scores.add(connection, _sums(services, (row for row in rows if row.counted is not None), -1))
    scores.remove(connection, [row.id for row in rows])
    if touched is None:
        scores.forget_awaited(connection, twin)


@dataclass(frozen=True, slots=True)
class Standing:
    """A model at an EHR: whether it is on, what is made of its outcomes, how it did.

    ``verdict`` is None where the model declares no limits.
    """

    switch: Switch
    verdict: Verdict | None
    records: tuple[Record, ...]


def standings(services: Services, hospital_id: str) -> Mapping[str, Standing]:
    """Return how every registered model stands at one EHR."""
    with services.journal.reading() as connection:
        held = switches.switches(connection, services, hospital_id)
        return {
            name: _standing(connection, services, (hospital_id, name, switch.version), switch)
            for name, switch in held.items()
        }


def _standing(connection: Connection, services: Services, site: Site, switch: Switch) -> Standing:
    limits = _limits(services, site[1])
    tallies = _tallies(connection, site)
    level = limits.level if limits else Limits().level
    return Standing(switch, verdict(limits, tallies) if limits else None, records(tallies, level))


def _limits(services: Services, model: str) -> Limits | None:
    found = services.models.get(model)
    return found.limits if isinstance(found, Limited) else None


def _tallies(connection: Connection, site: Site) -> list[Tally]:
    """Return the sums of one version of a model at one EHR since it was last started."""
    hospital, model, version = site
    begun = switches.epoch(connection, model, version, hospital)
    rows = scores.sums(
        connection,
        calibration.c.hospital == hospital,
        calibration.c.model == model,
        calibration.c.version == version,
        calibration.c.epoch == begun,
    )
    return [_tally(row) for row in rows]


def _tally(row: Row[Any]) -> Tally:
    low, _, high = row.between.partition("..")
    return Tally(
        kind=row.kind,
        what=row.what,
        horizon=row.horizon,
        sex=row.sex,
        band=row.band,
        between=(float(low), float(high)),
        apart=row.apart,
        n=row.n,
        loss=row.loss,
        observed=row.observed,
        expected=row.expected,
        width=row.width,
    )


def _judge(services: Services, site: Site) -> None:
    """Silence the version of a model that drifts; one that is not registered any more is left alone."""
    hospital, model, version = site
    limits = _limits(services, model)
    if limits is None or services.models[model].card.version != version:
        return
    with services.journal.reading() as connection:
        found = verdict(limits, _tallies(connection, site))
    if found.state == "drifting":
        switches.demote(services, model, version, hospital, "; ".join(found.reasons))
