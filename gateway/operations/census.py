"""Find the new patients of an EHR that tells us nothing: whoever is there and has no twin yet gets one."""

from __future__ import annotations

from sqlalchemy import update

from gateway.operations.backfill import enrol_new
from gateway.operations.services import Services
from gateway.storage.schema import hospital


def find_new(services: Services, hospital_id: str) -> None:
    """Search the EHR for patients, enrol the new ones, and note when that was done."""
    began = services.now()
    if services.hospital(hospital_id).profile.can("Patient", "search-type"):
        for twin in enrol_new(services, hospital_id):
            services.queue.synchronise(twin, 0)
    with services.journal.transaction() as connection:
        connection.execute(update(hospital).where(hospital.c.id == hospital_id).values(searched=began))
