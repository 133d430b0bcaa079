"""Every forecast is scored when its outcome arrives, as a part of the update that brings it.

1. a forecast of which something can be scored is kept, sealed, until it is known;
2. an update looks at the forecasts that are due: what is known is scored, what is not is looked at again
   later and given up after ``PATIENCE``;
3. scores are kept with the twin, sealed, until they are summed up (``calibrating``) and for as long as
   evidence may still be withdrawn;
4. a withdrawn value takes the scores away that may rest on it, a withdrawn consent all of the twin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection

from gateway.operations.services import Services
from gateway.operations.update import Computed
from gateway.storage import scores
from gateway.storage.engine import to_us
from gateway.storage.scores import Awaited, ScoreRow
from twin_engine.encoding import decode, decode_forecasts, encode, encode_forecasts
from twin_engine.model import Model
from twin_engine.scoring import Period, Score, bare, periods
from twin_engine.scoring import scores as scored
from twin_engine.store import EvidenceRecord
from twin_engine.twin import Evidence, Forecast, Item, Measurement, Series

PATIENCE = timedelta(days=3)  # a sensor is read late, a laboratory answers the next day
AGAIN = timedelta(minutes=15)  # before it is looked again for an outcome that is not known
LIMIT = 500  # forecasts that one update looks at

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Settled:
    """What an update knows of earlier forecasts: scores, what is done with, when to look at others again."""

    scores: tuple[ScoreRow, ...] = ()
    done: tuple[str, ...] = ()
    put_off: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Sitting:
    """One update of one twin, as far as scoring is concerned."""

    services: Services
    twin: str
    hospital: str
    at: datetime


def settle(connection: Connection, sitting: Sitting, evidence: Evidence) -> Settled:
    """Return how the forecasts did whose outcomes ``evidence`` tells."""
    found: list[ScoreRow] = []
    done: list[str] = []
    later: list[tuple[str, int, int]] = []
    for one in scores.due(connection, sitting.twin, to_us(sitting.at), LIMIT):
        model = sitting.services.models.get(one.model)
        looked = _look(sitting, model, one, evidence) if model else _Looked((), None)
        found += [_row(sitting, one, score) for score in looked.scores]
        if looked.again is None:
            done.append(one.id)
        else:
            later.append((one.id, *looked.again))
    return Settled(_set_apart(connection, sitting.twin, found), tuple(done), tuple(later))


@dataclass(frozen=True, slots=True)
class _Looked:
    """Scores of one forecast, and until when it is settled and when to look again, if at all."""

    scores: tuple[Score, ...]
    again: tuple[int, int] | None


def _look(sitting: Sitting, model: Model, awaited: Awaited, evidence: Evidence) -> _Looked:
    forecast, at = _opened(sitting.services, awaited), sitting.at
    open_ = [one for one in periods(model, forecast) if to_us(one.until) > awaited.passed]
    known = scored(model, forecast, [one for one in open_ if one.until <= at], evidence, at)
    passed = awaited.passed
    found: list[Score] = []
    for until, group in groupby(open_, key=lambda one: one.until):
        together = list(group)
        if until > at:
            return _Looked(tuple(found), (passed, to_us(until)))
        if not _complete(together, known) and at < until + PATIENCE:
            return _Looked(tuple(found), (passed, to_us(at + max(AGAIN, at - until))))
        found += [known[one] for one in together if one in known]
        passed = to_us(until)
    return _Looked(tuple(found), None)


def _complete(together: list[Period], known: dict[Period, Score]) -> bool:
    return all(one in known for one in together)


def _opened(services: Services, awaited: Awaited) -> Forecast:
    owner = f"twin/{awaited.twin}"
    (forecast,) = decode_forecasts(
        services.unseal(owner, "awaited_outcome.sealed", awaited.id, awaited.sealed)
    )
    if not isinstance(forecast, Forecast):
        raise TypeError("a refusal waits for no outcome")
    return forecast


def _row(sitting: Sitting, awaited: Awaited, score: Score) -> ScoreRow:
    services, until = sitting.services, to_us(score.until)
    identifier = services.pseudonyms.of("score", awaited.id, score.kind, score.what, str(until))
    sealed = services.seal(f"twin/{sitting.twin}", "forecast_score.sealed", identifier, encode(score))
    return ScoreRow(
        id=identifier,
        twin=sitting.twin,
        hospital=sitting.hospital,
        model=awaited.model,
        version=awaited.version,
        kind=score.kind,
        what=score.what,
        horizon=score.horizon,
        made=to_us(score.made),
        until=until,
        apart=False,
        sealed=sealed,
    )


def open_score(services: Services, row: ScoreRow) -> Score:
    """Return what stands in a score."""
    return decode(Score, services.unseal(f"twin/{row.twin}", "forecast_score.sealed", row.id, row.sealed))


def _set_apart(connection: Connection, twin: str, rows: list[ScoreRow]) -> tuple[ScoreRow, ...]:
    """Mark those that were made after the last one so marked was over."""
    if not rows:
        return ()
    last = scores.last_apart(connection, twin, min(row.made for row in rows))
    marked = []
    for row in sorted(rows, key=lambda one: (one.made, one.until)):
        key = (row.model, row.version, row.kind, row.what, row.horizon)
        apart = row.made >= last.get(key, row.made)
        if apart:
            last[key] = row.until
        marked.append(replace(row, apart=apart))
    return tuple(marked)


def keep(connection: Connection, sitting: Sitting, settled: Settled, computed: Iterable[Computed]) -> None:
    """Keep scores, and the new forecasts until their outcomes are known."""
    scores.keep(connection, settled.scores)
    scores.settle(connection, settled.done)
    for identifier, passed, due in settled.put_off:
        scores.put_off(connection, identifier, passed, due)
    scores.wait(connection, (one for each in computed for one in _awaited(sitting, each)))


def _awaited(sitting: Sitting, computed: Computed) -> Iterator[Awaited]:
    services, snapshot = sitting.services, computed.snapshot
    for answer in computed.answers if snapshot is not None else ():
        expected = periods(computed.model, answer) if isinstance(answer, Forecast) else ()
        if snapshot is None or not isinstance(answer, Forecast) or not expected:
            continue
        made = str(to_us(answer.at))
        key = (sitting.twin, snapshot.model, snapshot.version, snapshot.code, answer.family, made)
        identifier = services.pseudonyms.of("awaited", *key)
        content = encode_forecasts((bare(answer),))
        yield Awaited(
            id=identifier,
            twin=sitting.twin,
            model=snapshot.model,
            version=snapshot.version,
            passed=to_us(answer.at),
            due=to_us(expected[0].until),
            sealed=services.seal(f"twin/{sitting.twin}", "awaited_outcome.sealed", identifier, content),
        )


def withdrawn(old: EvidenceRecord | None, new: EvidenceRecord | None) -> tuple[Span, ...]:
    """Return when the values were measured that stood in ``old`` and do not stand in ``new`` any more."""
    before, now = (record.items if record else () for record in (old, new))
    return tuple(span for item in before for span in _span(item) if not _repeated(item, now))


def _span(item: Item) -> Iterator[Span]:
    if isinstance(item, Measurement):
        yield item.time, item.time
    elif isinstance(item, Series):
        yield item.time, item.time + timedelta(seconds=item.period * len(item.values))


def _repeated(item: Item, now: Iterable[Item]) -> bool:
    """Tell whether the same is said by another version; a trace that goes on says what its beginning said."""
    return any(type(one) is type(item) and _says(one, item) for one in now)


def _says(new: Item, old: Item) -> bool:
    if isinstance(new, Measurement) and isinstance(old, Measurement):
        return (new.signal, new.time, new.value) == (old.signal, old.time, old.value)
    if isinstance(new, Series) and isinstance(old, Series):
        begun = replace(new, source=old.source, values=new.values[: len(old.values)])
        return replace(begun, below=old.below, above=old.above) == old
    return False
