"""Bring in whole populations: every patient of an EHR, or a folder of bundles.

Enrolment is committed before any reading, so an interrupted backfill goes on where it stopped: run
it again, or leave the rest to the workers. A folder is read as if it were the EHR (Synthea
bundles, an export), with the same consent, mapping and journal; the EHR itself is not read for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from fhir_mapping import bundle, guard, identity, references
from gateway.errors import BadRequest
from gateway.hospitals.connection import Fetched
from gateway.operations.receive import seal_patient
from gateway.operations.resolve import looked_up
from gateway.operations.services import Hospital, Services
from gateway.operations.synchronise import synchronise
from gateway.storage import inbox
from gateway.storage.schema import twin as twins

BATCH = 200
Progress = Callable[[int, int], None]


def from_search(services: Services, hospital_id: str, progress: Progress, threads: int = 4) -> int:
    """Enrol every patient that the EHR shows us and update their twins; return how many."""
    waiting = pending(services, hospital_id)
    if not waiting:
        hospital = services.hospital(hospital_id)
        found = hospital.connection.search("Patient", [("_elements", "id"), ("_count", str(BATCH))])
        waiting = enrol(services, hospital, (fetched.id for fetched in found))
    return _each(waiting, lambda twin: synchronise(services, twin), progress, threads)


def from_folder(services: Services, hospital_id: str, folder: Path, progress: Progress) -> int:
    """Update the twins of the patients in a folder of FHIR bundles; return how many.

    Raises
    ------
    BadRequest
        There is no bundle in the folder.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise BadRequest("there is no .json file in this folder")
    done = 0
    for number, file in enumerate(files, 1):
        shelf = Shelf.of(guard.parse(file.read_bytes(), FILE_LIMITS))
        done += _from_shelf(services, hospital_id, shelf)
        progress(number, len(files))
    return done


FILE_LIMITS = replace(guard.DEFAULT, size=200_000_000, nodes=20_000_000)


def _from_shelf(services: Services, hospital_id: str, shelf: Shelf) -> int:
    real = services.hospital(hospital_id)
    read_here = replace(real, reader=shelf)
    offline = replace(services, hospital=lambda _: read_here)
    enrolled = enrol(services, real, shelf.ids("Patient"))
    for twin in enrolled:
        synchronise(offline, twin)
    return len(enrolled)


def enrol(services: Services, hospital: Hospital, patients: Iterable[str]) -> list[str]:
    """Have a twin for each patient and a full reading asked for; return the twins."""
    ids = list(patients)
    services.audit.append(looked_up(services, hospital, len(ids)))
    enrolled = []
    for start in range(0, len(ids), BATCH):
        enrolled += _enrol(services, hospital.id, ids[start : start + BATCH])
    return enrolled


def _enrol(services: Services, hospital_id: str, patients: list[str]) -> list[str]:
    known = [(services.twin_id(hospital_id, patient), patient) for patient in patients]
    rows = [(twin, seal_patient(services, twin, patient)) for twin, patient in known]
    now = services.now()
    with services.journal.transaction() as connection:
        for twin, sealed in rows:
            inbox.enrol(connection, hospital_id, twin, sealed, now)
            inbox.wake(connection, twin, now, full=True)
    return [twin for twin, _ in rows]


def pending(services: Services, hospital_id: str) -> list[str]:
    """Return the twins whose full reading was asked for and not yet done."""
    wanted = twins.c.full.is_not(None) & twins.c.parked.is_(None)
    with services.journal.reading() as connection:
        query = select(twins.c.id).where(twins.c.hospital == hospital_id, wanted).order_by(twins.c.id)
        return list(connection.execute(query).scalars())


def _each(waiting: list[str], work: Callable[[str], None], progress: Progress, threads: int) -> int:
    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(work, waiting), 1):
            progress(done, len(waiting))
    return len(waiting)


class Shelf:
    """One bundle read as if it were the EHR."""

    def __init__(self, resources: Mapping[tuple[str, str], Fetched]) -> None:
        self._resources = resources

    @classmethod
    def of(cls, document: dict[str, Any]) -> Shelf:
        """Return the resources of one bundle; versions are by content where the bundle gives none."""
        found = {}
        for resource in bundle.resources(document):
            fetched = Fetched(resource, orjson.dumps(resource), identity.version_of(resource))
            found[resource["resourceType"], fetched.id] = fetched
        return cls(found)

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
