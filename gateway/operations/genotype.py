"""Bring the variants of a patient in from a VCF file, for an EHR without genomic FHIR.

What the file says is read beside the EHR as if the EHR had sent it: under the same consent, audited, mapped
and kept like any other evidence. Nothing of it is kept where consent denies. Later readings of the EHR leave
it standing. A file adds to what was brought in before; ``forget`` takes all of it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
from sqlalchemy import select

from fhir_mapping.codes import GENES
from fhir_mapping.errors import Unusable
from fhir_mapping.genomics.vcf import calls, is_imported, rendering
from fhir_mapping.genomics.vcf.regions import regions
from gateway.errors import BadRequest, NotPermitted
from gateway.hospitals.connection import Fetched
from gateway.operations.backfill import enrol
from gateway.operations.services import Hospital, Reader, Services
from gateway.operations.synchronise import synchronise
from gateway.storage.schema import twin as twins


@dataclass(frozen=True, slots=True)
class Source:
    """A VCF or BCF file, the sample to read where there are several, and a BED file of where genes lie."""

    path: Path
    sample: str | None = None
    regions: Path | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """How many Observations came of the file, and what was left of it, counted by reason."""

    observations: int
    left: Mapping[str, int]


def bring_in(services: Services, hospital_id: str, patient: str, source: Source) -> Brought:
    """Add what the file says of the genes that are known or asked for to the patient's twin.

    Raises
    ------
    NotPermitted
        Consent does not permit it: nothing of the file was kept.
    BadRequest
        The file cannot be read or is not of the germline, the EHR does not know the patient, or the twin is
        being updated just now.
    """
    found = _calls(services, source)
    rendered = rendering.observations(found.found, found.build, patient, found.made)
    _read_beside(
        services, hospital_id, patient, {one["id"]: _fetched(one) for one in rendered}, takes_back=False
    )
    return Brought(len(rendered), found.left)


def forget(services: Services, hospital_id: str, patient: str) -> None:
    """Take back all that was brought in from files.

    Raises
    ------
    NotPermitted
        Consent does not permit the patient's record to be read; a twin that may not be read holds nothing.
    BadRequest
        The EHR does not know the patient, or the twin is being updated just now.
    """
    _read_beside(services, hospital_id, patient, {}, takes_back=True)


def _calls(services: Services, source: Source) -> calls.Calls:
    declared = {gene for model in services.models.values() for gene in model.inputs.genes}
    try:
        listed = regions(source.regions.read_text()) if source.regions else ()
        return calls.read(source.path, declared | {*GENES.values()}, listed, source.sample)
    except (Unusable, UnicodeDecodeError) as fault:
        text = str(fault) if isinstance(fault, Unusable) else "the regions are no text"
        raise BadRequest(text) from None


def _fetched(observation: dict[str, object]) -> Fetched:
    return Fetched(observation, orjson.dumps(observation), None)


def _read_beside(
    services: Services, hospital_id: str, patient: str, held: Mapping[str, Fetched], *, takes_back: bool
) -> None:
    real = services.hospital(hospital_id)
    beside = Beside(real.reader, held, takes_back=takes_back)
    (twin,) = enrol(services, real, [patient])
    synchronise(replace(services, hospital=lambda _: _with(real, beside)), twin)
    _check(services, twin, beside)


def _with(real: Hospital, reader: Reader) -> Hospital:
    return replace(real, reader=reader)


def _check(services: Services, twin: str, beside: Beside) -> None:
    query = select(twins.c.state, twins.c.full).where(twins.c.id == twin)
    with services.journal.reading() as connection:
        state, full = connection.execute(query).one()
    if full is not None or (state == "current" and not beside.asked):
        raise BadRequest("the patient's record could not be read to its end just now; try again")
    if state == "unknown":
        raise BadRequest("the EHR does not know this patient")
    if state != "current":
        raise NotPermitted("consent does not permit it; nothing of the file was kept")


class Beside:
    """The EHR, and Observations beside it. ``asked`` tells whether these were read."""

    def __init__(self, reader: Reader, held: Mapping[str, Fetched], *, takes_back: bool) -> None:
        self._reader = reader
        self._held = held
        self._takes_back = takes_back
        self.asked = False

    def covers(self, reference: str) -> bool:
        return self._takes_back if is_imported(reference) else self._reader.covers(reference)

    def get(self, kind: str, id_: str) -> Fetched | None:
        return self._reader.get(kind, id_)

    def search(
        self, kind: str, parameters: Iterable[tuple[str, str]] = (), *, patient: str | None = None
    ) -> Iterator[Fetched]:
        """Yield what the EHR shows, then what is held beside it."""
        yield from self._reader.search(kind, parameters, patient=patient)
        if kind == "Observation":
            self.asked = True
            yield from self._held.values()
