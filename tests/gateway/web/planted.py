"""A gateway over real databases with made-up patients planted in it, as updates would have left them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import orjson
from sqlalchemy import insert

from consent.policy import Directive, Provision
from gateway.hospitals.profile import Profile
from gateway.operations import assess
from gateway.operations.commit import evidence_key
from gateway.operations.directives import remember
from gateway.operations.receive import seal_patient
from gateway.operations.registry import Access
from gateway.operations.services import Services
from gateway.operations.update import compute
from gateway.settings import Settings
from gateway.storage.engine import to_us
from gateway.storage.schema import delivery, hospital, readback, twin
from gateway.wiring import wire
from twin_engine import store
from twin_engine.store import EvidenceRecord
from twin_engine.twin import (
    Condition,
    Dose,
    Finding,
    Item,
    Measurement,
    Series,
    Sex,
    Subject,
    Treatment,
)

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
EHR = "https://ehr.example.org/fhir"
HOSPITAL = "h" * 32
PROFILE = Profile(
    fhir_version="4.0.1",
    software="test",
    sync="subscription",
    write="update",
    unlisted=False,
    versions=True,
    strict=True,
    types={},
)
DENIAL = Directive(
    "refusal", "1", "active", "patient-privacy", frozenset({"59284-0"}), Provision("deny"), frozenset()
)


class Silence:
    """A queue that wakes nobody."""

    def synchronise(self, twin: str, delay: float) -> None: ...

    def resolve(self, hospital: str) -> None: ...

    def catch_up(self, subscription: str) -> None: ...

    def deliver(self, twin: str) -> None: ...

    def enrol(self, hospital: str) -> None: ...


@dataclass
class Clock:
    """Time that tests move on."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Made:
    """A made-up patient."""

    id: str
    name: object
    sex: Sex = "female"
    born: date = date(1971, 5, 3)
    items: tuple[Item, ...] = ()
    unusable: tuple[str, ...] = ()
    directives: tuple[Directive, ...] | None = ()
    labels: frozenset[str] = frozenset()
    state: str = "current"
    updated: datetime = NOW - timedelta(minutes=12)
    delivery: str = "confirmed"


@dataclass
class Counter:
    """Numbers resources."""

    next: int = 100
    kinds: dict[str, int] = field(default_factory=dict)

    def __call__(self, kind: str = "Observation") -> str:
        self.next += 1
        return f"{kind}/{self.next}/_history/{1 + self.next % 3}"


def clinic(source: Callable[..., str], at: datetime, **changed: float) -> Iterator[Item]:
    """One visit with every input of PREVENT."""
    levels = {
        "systolic-blood-pressure": 148.0,
        "diastolic-blood-pressure": 88.0,
        "total-cholesterol": 221.0,
        "hdl-cholesterol": 44.0,
        "body-mass-index": 31.2,
        "creatinine": 0.94,
    } | changed
    panel = source()
    for signal, value in levels.items():
        own = panel if signal.endswith("blood-pressure") else source()
        yield Measurement(signal, at, own, value)


def ward(
    source: Callable[..., str], at: datetime, rate: float, saturation: float, heart: float
) -> Iterator[Item]:
    """One complete round of vital signs."""
    signs = {
        "respiratory-rate": rate,
        "oxygen-saturation": saturation,
        "heart-rate": heart,
        "systolic-blood-pressure": 108.0,
        "body-temperature": 38.4,
    }
    for signal, value in signs.items():
        yield Measurement(signal, at, source(), value)
    yield Finding("consciousness", at, source(), "alert")
    yield Finding("supplemental-oxygen", at, source(), "oxygen")


def _drift(year: int) -> dict[str, float]:
    """Levels some years ago."""
    wobble = (year % 2) * 4
    return {
        "systolic-blood-pressure": 148.0 - 3.5 * year + wobble,
        "total-cholesterol": 221.0 + 6 * year - wobble,
        "hdl-cholesterol": 44.0 + 1.5 * year,
        "body-mass-index": 31.2 - 0.3 * year,
        "creatinine": 0.94 - 0.02 * year + 0.01 * wobble,
    }


def cohort() -> tuple[Made, ...]:
    """The patients that pages and screenshots show."""
    source = Counter()
    visits = [NOW - timedelta(days=30 + 320 * year) for year in range(5)]
    history = [item for year, at in enumerate(visits) for item in clinic(source, at, **_drift(year))]
    lasting = [
        Finding("smoking-status", visits[0], source(), "former"),
        Condition("diabetes", source("Condition"), True, NOW - timedelta(days=2000)),
        Treatment("antihypertensive", source("MedicationRequest"), True, NOW - timedelta(days=700)),
    ]
    rounds = [
        *ward(source, NOW - timedelta(hours=5), 20, 95, 96),
        *ward(source, NOW - timedelta(minutes=40), 25, 92, 118),
    ]
    steady = [*clinic(source, visits[0], **{"systolic-blood-pressure": 122.0, "body-mass-index": 24.6})]
    never = Finding("smoking-status", visits[0], source(), "never")
    partial = [item for item in clinic(source, visits[0]) if "cholesterol" not in getattr(item, "signal", "")]
    named = [{"use": "official", "family": "Okafor", "given": ["Miriam", "Ada"]}]
    return (
        Made(
            "17",
            named,
            items=(*history, *lasting, *rounds),
            unusable=("unit: the unit is not one of the signal",),
        ),
        Made(
            "18",
            [{"text": "Jonas Lindqvist"}],
            "male",
            date(1964, 2, 11),
            (*steady, never),
            delivery="pending",
        ),
        Made("19", [{"family": "Haddad", "given": ["Leila"]}], items=(*partial, never), delivery="kept"),
        Made("20", [{"family": "<script>alert(1)</script>"}], "male", date(1990, 1, 1), (never,)),
        Made(
            "21", [{"family": "Zzmarker", "given": ["Secret"]}], items=(*steady, never), directives=(DENIAL,)
        ),
    )


SHAPE = (0, 40, 95, 60, 20, -10, -55, -25)  # mg/dL about the mean, every three hours
GLUCOSE, FOOD, INSULIN = "interstitial-glucose", "carbohydrate-intake", "fast-acting-insulin"


def sensed(at: datetime) -> float:
    """Glucose at an instant: a course that every day repeats, with what one day differs from another."""
    hours = at.hour + at.minute / 60
    place = int(hours // 3)
    share = hours / 3 - place
    course = (1 - share) * SHAPE[place] + share * SHAPE[(place + 1) % len(SHAPE)]
    return round(135.0 + course + 12 * (at.day % 5 - 2) + 4 * (at.minute % 3 - 1))


def reading(at: datetime) -> Measurement:
    """One reading of a sensor."""
    return Measurement(GLUCOSE, at, f"Observation/{at:%d%H%M}/_history/1", sensed(at))


def on_a_pump(until: datetime = NOW, days: int = 15) -> Made:
    """A person with type 1 diabetes: traces of days, single readings of the last hours, meals and doses."""
    source = Counter(5000)
    midnight = until.replace(hour=0, minute=0)
    items: list[Item] = [Condition("type-1-diabetes", source("Condition"), True, NOW - timedelta(days=4000))]
    for day in range(days - 1, -1, -1):
        start = midnight - timedelta(days=day)
        items.append(
            Dose(INSULIN, start, source("MedicationAdministration"), 24.0, start + timedelta(days=1))
        )
        if day:
            times = [start + timedelta(minutes=15 * n) for n in range(96)]
            items.append(Series(GLUCOSE, start, source(), 900.0, tuple(sensed(at) for at in times)))
    items += [reading(until - timedelta(minutes=5 * n)) for n in range(36)]
    for hour, grams in ((7, 40.0), (12, 60.0)):
        items.append(Measurement(FOOD, midnight + timedelta(hours=hour), source(), grams))
        items.append(
            Dose(INSULIN, midnight + timedelta(hours=hour), source("MedicationAdministration"), grams / 10)
        )
    return Made("22", [{"text": "Olga Berg"}], born=date(1992, 4, 1), items=tuple(items), updated=until)


def settings(folder: Path, **chosen: object) -> Settings:
    return Settings(state_dir=folder, policy="treat-when-silent", **chosen)  # type: ignore[arg-type]


def gateway(folder: Path, clock: Callable[[], datetime], **chosen: object) -> Services:
    """Return a gateway with one registered EHR and no patients."""
    services = wire(settings(folder, **chosen), clock=clock, queue=Silence())
    access = services.vault.seal(services.ours, ("hospital.access", HOSPITAL), msgspec.json.encode(Access()))
    with services.journal.transaction() as connection:
        connection.execute(
            insert(hospital).values(
                id=HOSPITAL,
                tenant=services.settings.tenant,
                name="St. Example",
                base_url=EHR,
                policy="treat-when-silent",
                profile=msgspec.json.encode(PROFILE).decode(),
                access=access,
                actors="Organization/1",
                labels_attested=False,
                created=to_us(NOW),
            )
        )
    return services


def plant(services: Services, patients: Iterable[Made]) -> dict[str, str]:
    """Store the patients as updates would; return their twins by patient id."""
    return {made.id: _plant(services, made) for made in patients}


def _plant(services: Services, made: Made) -> str:
    identifier = services.twin_id(HOSPITAL, made.id)
    records = _records(made)
    gathered = store.gather(records)
    computed = compute(services.models, gathered, {}, made.updated, 1) if gathered else ()
    occasion = assess.Occasion(services, services.hospital(HOSPITAL), identifier, made.id, made.updated, 1)
    with services.journal.transaction() as connection:
        row = {"id": identifier, "hospital": HOSPITAL, "patient": seal_patient(services, identifier, made.id)}
        moments = {
            "created": to_us(NOW),
            "read": to_us(made.updated),
            "state": made.state,
            "seq": 1,
            "done_seq": 1,
        }
        connection.execute(insert(twin).values(**row, **moments))
        for record in records:
            key = evidence_key(services, identifier, record.reference)
            store.put_evidence(connection, services.vault, identifier, record, key=key, known=made.updated)
        for one in computed:
            if one.snapshot is not None:
                store.append_snapshot(connection, services.vault, identifier, one.snapshot)
        if made.directives is not None:
            remember(connection, services, identifier, made.directives)
    _deliver(services, made, occasion, computed)
    return identifier


def renew(services: Services, twin_id: str, items: Iterable[Item], at: datetime) -> None:
    """Let the twin of ``type-1-diabetes`` know more evidence at ``at``."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.source, []).append(item)
    records = [
        EvidenceRecord(*source.split("/_history/"), None, "", tuple(mine)) for source, mine in found.items()
    ]
    with services.journal.transaction() as connection:
        for record in records:
            key = evidence_key(services, twin_id, record.reference)
            store.put_evidence(connection, services.vault, twin_id, record, key=key, known=at)
        gathered = store.gather(store.current_evidence(connection, services.vault, twin_id))
        assert gathered is not None
        models = {"type-1-diabetes": services.models["type-1-diabetes"]}
        [one] = compute(models, gathered, {}, at, 2)
        assert one.snapshot is not None
        store.append_snapshot(connection, services.vault, twin_id, one.snapshot)


def _deliver(services: Services, made: Made, occasion: assess.Occasion, computed: tuple) -> None:
    new = assess.assessments(occasion, computed)
    with services.journal.transaction() as connection:
        assess.keep(connection, occasion.hospital, new, to_us(made.updated))
        for version in new:
            stands = made.delivery == "confirmed"
            chosen = delivery.update().where(delivery.c.id == version.id)
            connection.execute(chosen.values(state=made.delivery, written=1 if stands else 0))
            if stands:
                moment = to_us(made.updated + timedelta(seconds=1))
                values = {"id": version.id, "version": 1, "twin": version.twin, "seq": 1, "confirmed": moment}
                connection.execute(insert(readback).values(**values))


def _records(made: Made) -> tuple[EvidenceRecord, ...]:
    by_source: dict[str, list[Item]] = {}
    for item in made.items:
        by_source.setdefault(item.source, []).append(item)
    body = {"resourceType": "Patient", "id": made.id, "name": made.name}
    person = EvidenceRecord(
        reference=f"Patient/{made.id}",
        version="1",
        last_updated=NOW - timedelta(days=400),
        content_hash="",
        subject=Subject(made.sex, made.born, False, f"Patient/{made.id}/_history/1"),
        body=orjson.dumps(body),
    )
    clinical = [
        EvidenceRecord(*source.split("/_history/"), None, "", tuple(items), labels=made.labels)
        for source, items in by_source.items()
    ]
    unusable = [
        EvidenceRecord(f"Observation/9{number}", "2", None, "", reasons=(reason,))
        for number, reason in enumerate(made.unusable)
    ]
    return (person, *clinical, *unusable)
