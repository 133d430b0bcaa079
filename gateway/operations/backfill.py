"""Bring in whole populations: every patient of an EHR, or a folder of bundles.

An EHR is always searched anew. Enrolment is committed page by page before any reading, and a twin that was
read since an interrupted backfill began is not read again, so that a repeated call goes on where the last
one stopped; what cannot be read now is left to the workers. A folder is read as if it were the EHR (Synthea
bundles, an export), with the same consent, mapping and journal; the EHR itself is not read for it.

Of each Patient only the id is asked for. What an EHR that ignores ``_elements`` sends beyond it is dropped
unread: nothing of it is kept or logged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import func, select

from fhir_mapping import bundle, guard, identity, references
from gateway.errors import BadRequest, NotPermitted
from gateway.hospitals.connection import Fetched
from gateway.operations.consented import ask_for_hospital, looked_up
from gateway.operations.receive import seal_patient
from gateway.operations.services import Hospital, Services
from gateway.operations.synchronise import synchronise
from gateway.storage import inbox
from gateway.storage.schema import twin as twins

BATCH = 200
NEVER = -1
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """How many patients were read in full, and how many could not be now: workers go on with those."""

    read: int
    postponed: int


def from_search(services: Services, hospital_id: str, progress: Progress, threads: int = 4) -> Filled:
    """Enrol every patient that the EHR shows us and update their twins.

    Raises
    ------
    NotPermitted
        The hospital's policy permits no consent lookup.
    """
    since = _interrupted(services, hospital_id)
    found = _enrol_found(services, hospital_id, since)
    waiting = pending(services, hospital_id)
    _each(waiting, lambda twin: synchronise(services, twin), progress, threads)
    return _filled(services, {*found, *waiting})


def enrol_new(services: Services, hospital_id: str) -> list[str]:
    """Enrol the patients that have no twin yet; return the new twins, whose full reading is now asked for.

    Raises
    ------
    NotPermitted
        The hospital's policy permits no consent lookup.
    """
    return [twin for twin, asked in _enrol_found(services, hospital_id, NEVER).items() if asked]


def from_folder(services: Services, hospital_id: str, folder: Path, progress: Progress) -> Filled:
    """Update the twins of the patients in a folder of FHIR bundles.

    Raises
    ------
    BadRequest
        There is no bundle in the folder.
    NotPermitted
        The hospital's policy permits no consent lookup.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise BadRequest("there is no .json file in this folder")
    hospital = services.hospital(hospital_id)
    enrolled: set[str] = set()
    for number, file in enumerate(files, 1):
        shelf = Shelf.of(file.read_bytes(), hospital)
        enrolled |= _from_shelf(services, hospital, shelf)
        progress(number, len(files))
    return _filled(services, enrolled)


FILE_LIMITS = replace(guard.DEFAULT, size=200_000_000, nodes=20_000_000)


def _from_shelf(services: Services, real: Hospital, shelf: Shelf) -> set[str]:
    read_here = replace(real, reader=shelf)
    beside = replace(services, hospital=lambda _: read_here)
    for patient in shelf.ids("Patient"):
        synchronise(services, services.twin_id(real.id, patient))  # what the EHR has told is read there
    enrolled = enrol(services, real, shelf.ids("Patient"))
    for twin in enrolled:
        synchronise(beside, twin)
    return {*enrolled}


def _ask(services: Services, hospital: Hospital, intent: str) -> None:
    if not ask_for_hospital(services, hospital, intent):
        raise NotPermitted("this EHR's policy permits no consent lookup; nothing was read")


def _enrol_found(services: Services, hospital_id: str, since: int | None) -> dict[str, bool]:
    """Search for every patient and enrol each page as it comes; return as ``_enrol`` does."""
    hospital = services.hospital(hospital_id)
    _ask(services, hospital, "the ids of all patients")
    found = hospital.connection.search("Patient", [("_elements", "id"), ("_count", str(BATCH))])
    ids = (fetched.id for fetched in found)
    enrolled: dict[str, bool] = {}
    while page := list(islice(ids, BATCH)):
        services.audit.append(looked_up(services, hospital, f"the ids of {len(page)} patients"))
        enrolled |= _enrol(services, hospital.id, page, since)
    return enrolled


def enrol(services: Services, hospital: Hospital, patients: Iterable[str]) -> list[str]:
    """Have a twin for each patient and a full reading asked for; return the twins.

    Raises
    ------
    NotPermitted
        The hospital's policy permits no consent lookup.
    """
    ids = list(patients)
    _ask(services, hospital, f"the patients of {len(ids)} records")
    enrolled: dict[str, bool] = {}
    for start in range(0, len(ids), BATCH):
        enrolled |= _enrol(services, hospital.id, ids[start : start + BATCH], None)
    return list(enrolled)


def _enrol(services: Services, hospital_id: str, patients: list[str], since: int | None) -> dict[str, bool]:
    """Enrol a page; return of each twin whether a full reading was asked for.

    It is not where it already was, nor where one was done at or after ``since``.
    """
    known = [(services.twin_id(hospital_id, patient), patient) for patient in patients]
    rows = [(twin, seal_patient(services, twin, patient)) for twin, patient in known]
    now = services.now()
    with services.journal.transaction() as connection:
        query = select(twins.c.id).where(twins.c.id.in_([twin for twin, _ in rows]))
        asked = twins.c.full.is_not(None) & twins.c.parked.is_(None)
        done = asked if since is None else asked | (twins.c.reconciled >= since)
        passed = {*connection.execute(query.where(done)).scalars()}
        for twin, sealed in rows:
            inbox.enrol(connection, hospital_id, twin, sealed, now)
            if twin not in passed:
                inbox.wake(connection, twin, now, full=True)
    return {twin: twin not in passed for twin, _ in rows}


def pending(services: Services, hospital_id: str) -> list[str]:
    """Return the twins whose full reading was asked for and not yet done."""
    wanted = twins.c.full.is_not(None) & twins.c.parked.is_(None)
    with services.journal.reading() as connection:
        query = select(twins.c.id).where(twins.c.hospital == hospital_id, wanted).order_by(twins.c.id)
        return list(connection.execute(query).scalars())


def _interrupted(services: Services, hospital_id: str) -> int | None:
    """Return when the oldest reading that is still to be done was asked for."""
    query = select(func.min(twins.c.full)).where(twins.c.hospital == hospital_id, twins.c.parked.is_(None))
    with services.journal.reading() as connection:
        return connection.execute(query).scalar()


def _filled(services: Services, population: set[str]) -> Filled:
    """Count by what became of each: an update that fails is put off without a word."""
    ids = sorted(population)
    undone = twins.c.full.is_not(None) | twins.c.parked.is_not(None)
    postponed = 0
    with services.journal.reading() as connection:
        for start in range(0, len(ids), BATCH):
            mine = twins.c.id.in_(ids[start : start + BATCH])
            query = select(func.count()).select_from(twins).where(mine, undone)
            postponed += connection.execute(query).scalar_one()
    return Filled(len(ids) - postponed, postponed)


def _each(waiting: list[str], work: Callable[[str], None], progress: Progress, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(work, waiting), 1):
            progress(done, len(waiting))


class Shelf:
    """One bundle read beside the EHR: it adds evidence, and the EHR's own Consents hold for it."""

    def __init__(self, resources: Mapping[tuple[str, str], Fetched], real: Hospital) -> None:
        self._resources = resources
        self._real = real

    @classmethod
    def of(cls, body: bytes, real: Hospital) -> Shelf:
        """Return the resources of one bundle; versions are by content where the bundle gives none.

        Raises
        ------
        Unusable
            For anything else than a Bundle.
        """
        found = {}
        for resource, raw in bundle.pairs(guard.resource(body, FILE_LIMITS), body):
            version = identity.version_of(resource)
            fetched = Fetched.of(resource, raw, version, real.profile.release)
            found[resource["resourceType"], fetched.id] = fetched
        return cls(found, real)

    def covers(self, reference: str) -> bool:  # noqa: ARG002  # a folder adds, and takes nothing away
        return False

    def ids(self, kind: str) -> list[str]:
        return [one for held, one in self._resources if held == kind]

    def get(self, kind: str, id_: str) -> Fetched | None:
        return self._resources.get((kind, id_))

    def search(
        self, kind: str, parameters: Iterable[tuple[str, str]] = (), *, patient: str | None = None
    ) -> Iterator[Fetched]:
        """Yield the patient's resources of a type; the mapping passes over what no model wants."""
        wanted = dict(parameters).get("_id")
        for (held, one), fetched in self._resources.items():
            mine = patient is None or references.subject_id(fetched.resource) == patient
            if held == kind and mine and (wanted is None or one in wanted.split(",")):
                yield fetched
        if kind == "Consent" and self._real.profile.can("Consent", "search-type"):
            yield from self._real.connection.search("Consent", parameters, patient=patient)
