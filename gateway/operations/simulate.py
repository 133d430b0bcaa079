"""Try a therapy on a twin: nothing is stored, and nothing is written to the EHR.

1. find the assessment, and with it the twin and the model; what may not be seen is not there;
2. decide on *disclose* as for any answer of the twin, and put the decision and the trial on record;
3. bring the state to now from all evidence, and let the model try the plan.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fhir_mapping import exit as outward
from fhir_mapping import plan
from fhir_mapping.device import Software
from fhir_mapping.heading import Heading
from gateway.errors import NotFound
from gateway.operations.answering import DERIVED
from gateway.operations.consented import Caller
from gateway.operations.presence import brought_to
from gateway.operations.reading import Sought, begin
from gateway.operations.receive import open_patient
from gateway.operations.services import Services
from gateway.storage import records
from gateway.storage.schema import twin as twins
from gateway.telemetry import hop
from twin_engine.fingerprint import code_hash
from twin_engine.model import Model
from twin_engine.twin import Plan, Refusal, Trajectory


def simulate(
    services: Services, caller: Caller, identifier: str, trial: plan.Trial, at: datetime
) -> dict[str, Any] | Refusal:
    """Return what the model of an assessment says to ``trial`` at ``at``, as Parameters.

    Raises
    ------
    NotPermitted
        The caller's scopes do not reach courses and assessments.
    NotFound
        There is no such assessment for this caller, or its model is not shown.
    audit.log.AuditUnavailable
        The trial could not be recorded, so nothing is shown.
    """
    reading = begin(services, caller, "Observation", "s")
    with services.journal.reading() as connection:
        found = records.one(connection, services.settings.tenant, identifier, None)
    model = services.models.get(found.version.model) if found else None
    if found is None or model is None:
        reading.commit()
        raise NotFound
    version = found.version
    sought = Sought(version.twin, found.hospital, found.state, version.labels)
    if not reading.permits(sought) or not reading.shows(found.hospital, version.model):
        reading.commit()
        raise NotFound
    reading.commit([(version.twin, f"RiskAssessment/{identifier}/_history/{version.version}")])
    answer = tried(services, version.twin, model, trial.plan, at, trial.until)
    if isinstance(answer, Refusal):
        return answer
    card, labels = model.card, frozenset(version.labels.split())
    software = Software(card.name, card.version, card.title, code_hash(model), card.sources)
    with services.journal.reading() as connection:
        row = connection.execute(twins.select().where(twins.c.id == version.twin)).one()
    patient = open_patient(services, version.twin, row.patient)
    head = Heading(identifier, f"Patient/{patient}", (DERIVED, identifier), software, labels)
    said = plan.render(head, answer, lambda name: services.pseudonyms.of("trial", identifier, name))
    url = services.hospital(found.hospital).base_url
    return outward.addressed(said, url)


def tried(
    services: Services, twin: str, model: Model, asked: Plan, at: datetime, until: datetime
) -> Trajectory | Refusal:
    """Return the path of a twin under ``asked``; the caller has been permitted to see it.

    The same trial of the same evidence shows the same path.
    """
    state, rng = brought_to(services, twin, model, at)
    with hop("twin"):
        return model.simulate(state, asked, until, rng)
