"""A therapy that a model proposes <-> MedicationRequest or CarePlan (R4) with ``intent = proposal``.

An amount makes it a MedicationRequest, a treatment without one a CarePlan. Both are drafts by a device: they
order nothing, and a human who agrees writes an order of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fhir_mapping import device, evidence, heading, narrative, timestamps
from fhir_mapping.heading import NOT_FOR_SOLE_USE, Heading, as_we_write
from fhir_mapping.outcome import own_code
from twin_engine.twin import Proposal

TREATMENT = "urn:didymos:treatment"
UCUM = "http://unitsofmeasure.org"
AWAITS = "This is a proposal by software. It awaits a human, and nothing is ordered."
_PER_HOUR = "/h"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal for one patient."""

    heading: Heading
    proposal: Proposal


def render(proposed: Proposed) -> dict[str, Any]:
    """Return the MedicationRequest or CarePlan."""
    kind = "CarePlan" if proposed.proposal.amount is None else "MedicationRequest"
    head, said = proposed.heading, proposed.proposal
    lines = (_sentence(said), said.rationale, *said.limits, AWAITS, NOT_FOR_SOLE_USE)
    notes = [{"text": text} for text in (*said.limits, AWAITS)]
    resource = heading.render(kind, head) | {
        "text": narrative.render(head.software.title, lines),
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": head.subject},
        "note": notes,
    }
    return resource | (_plan(said) if said.amount is None else _request(said))


def read(resource: dict[str, Any]) -> Proposed:
    """Return the proposal that ``render`` was given.

    Raises
    ------
    Unusable
        It is not as we write it.
    """
    return _read_plan(resource) if resource.get("resourceType") == "CarePlan" else _read_request(resource)


def _request(said: Proposal) -> dict[str, Any]:
    code = f"{said.unit}{_PER_HOUR if said.hourly else ''}"
    quantity = {"value": said.amount, "unit": code, "system": UCUM, "code": code}
    dosage = {
        "text": _sentence(said),
        "timing": {"repeat": {"boundsPeriod": _period(said)}},
        "doseAndRate": [{"rateQuantity" if said.hourly else "doseQuantity": quantity}],
    }
    return {
        "doNotPerform": said.withhold,
        "medicationCodeableConcept": _concept(said.treatment),
        "authoredOn": timestamps.render(said.at),
        "requester": device.reference(),
        "reasonCode": [{"text": said.rationale}],
        "dosageInstruction": [dosage],
        "dispenseRequest": {"validityPeriod": _period(said)},
        **_supporting("supportingInformation", said),
    }


def _plan(said: Proposal) -> dict[str, Any]:
    activity = {
        "code": _concept(said.treatment),
        "status": "not-started",
        "doNotPerform": said.withhold,
        "reasonCode": [{"text": said.rationale}],
        "description": _sentence(said),
    }
    return {
        "period": _period(said),
        "created": timestamps.render(said.at),
        "author": device.reference(),
        "activity": [{"detail": activity}],
        **_supporting("supportingInfo", said),
    }


def _supporting(element: str, said: Proposal) -> dict[str, Any]:
    return {element: [evidence.render(source) for source in said.basis]} if said.basis else {}


def _period(said: Proposal) -> dict[str, str]:
    return {"start": timestamps.render(said.start), "end": timestamps.render(said.until)}


def _concept(treatment: str) -> dict[str, Any]:
    return {"coding": [{"system": TREATMENT, "code": treatment}], "text": treatment}


def _sentence(said: Proposal) -> str:
    amount = "" if said.amount is None else f" {said.amount:g} {said.unit}{' an hour' if said.hourly else ''}"
    verb = "Withhold" if said.withhold else "Give"
    return f"{verb} {said.treatment}{amount} from {_minute(said.start)} to {_minute(said.until)}."


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z"


@as_we_write("MedicationRequest")
def _read_request(resource: dict[str, Any]) -> Proposed:
    (dosage,) = resource["dosageInstruction"]
    ((element, quantity),) = dosage["doseAndRate"][0].items()
    hourly, period = element == "rateQuantity", dosage["timing"]["repeat"]["boundsPeriod"]
    proposal = Proposal(
        treatment=own_code(resource["medicationCodeableConcept"], TREATMENT),
        at=timestamps.read(resource["authoredOn"]),
        start=timestamps.read(period["start"]),
        until=timestamps.read(period["end"]),
        rationale=resource["reasonCode"][0]["text"],
        amount=quantity["value"],
        unit=quantity["code"].removesuffix(_PER_HOUR) if hourly else quantity["code"],
        hourly=hourly,
        withhold=resource["doNotPerform"],
        limits=_limits(resource),
        basis=evidence.listed(resource.get("supportingInformation", ())),
    )
    return Proposed(heading.read(resource), proposal)


@as_we_write("CarePlan")
def _read_plan(resource: dict[str, Any]) -> Proposed:
    activity, period = resource["activity"][0]["detail"], resource["period"]
    proposal = Proposal(
        treatment=own_code(activity["code"], TREATMENT),
        at=timestamps.read(resource["created"]),
        start=timestamps.read(period["start"]),
        until=timestamps.read(period["end"]),
        rationale=activity["reasonCode"][0]["text"],
        withhold=activity["doNotPerform"],
        limits=_limits(resource),
        basis=evidence.listed(resource.get("supportingInfo", ())),
    )
    return Proposed(heading.read(resource), proposal)


def _limits(resource: dict[str, Any]) -> tuple[str, ...]:
    return tuple(note["text"] for note in resource["note"][:-1])
