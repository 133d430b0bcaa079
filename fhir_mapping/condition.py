"""Condition -> diagnoses of the engine's list.

Used are confirmed ones and those without a verification status. ``refuted`` and ``entered-in-error`` retract;
``unconfirmed``, ``provisional`` and ``differential`` are listed and not used.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fhir_mapping import codes
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.instants import moment
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Period, Ref, Shape, Text, view
from twin_engine.twin import Condition

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_RETRACTED = frozenset({"refuted", "entered-in-error"})
_UNSURE = frozenset({"unconfirmed", "provisional", "differential"})


class _Condition(Shape, frozen=True):
    subject: Ref
    code: CodeableConcept | None = None
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    onset_date_time: Text | None = None
    onset_period: Period | None = None
    abatement_date_time: Text | None = None
    abatement_period: Period | None = None
    abatement_string: Text | None = None
    abatement_age: dict[str, Any] | None = None


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a Condition; one that no model knows is irrelevant."""
    seen = view(resource, _Condition)
    clinical = _status(seen.clinical_status, CLINICAL, _ACTIVE | _OVER, "clinicalStatus")
    verification = _status(
        seen.verification_status, VERIFICATION, _RETRACTED | _UNSURE | {"confirmed"}, "verificationStatus"
    )
    names = sorted(_names(seen.code))
    if not names:
        return IRRELEVANT
    if verification in _RETRACTED:
        return _refused("retracted", "the diagnosis was refuted or entered in error", "verificationStatus")
    if verification in _UNSURE:
        return _refused("status", "the diagnosis is not confirmed", "verificationStatus")
    # A diagnosis stands without its onset: dropping it for a bad date would understate a risk.
    onset = _onset(seen, origin.now)
    known = None if isinstance(onset, Problem) else onset
    active = clinical in _ACTIVE if clinical else not _abated(seen)
    return Mapped(
        items=tuple(Condition(name, origin.source, active or name in codes.LASTING, known) for name in names),
        reasons=(onset,) if isinstance(onset, Problem) else (),
    )


def _status(concept: CodeableConcept | None, system: str, allowed: frozenset[str], name: str) -> str | None:
    if concept is None:
        return None
    found = {coding.code for coding in concept.coding if coding.system in (system, None)}
    if len(found) != 1 or not found <= allowed:
        raise Unusable("code-invalid", "a code is outside its required value set", 422, f"Condition.{name}")
    return found.pop()


def _names(concept: CodeableConcept | None) -> set[str]:
    found = {codes.condition(coding.system, coding.code) for coding in concept.coding} if concept else set()
    return {name for name in found if name is not None}


def _onset(seen: _Condition, now: datetime) -> datetime | Problem | None:
    text = seen.onset_date_time or (seen.onset_period and seen.onset_period.start)
    if not text:
        return None
    found = moment(text)
    if found is None:
        return Problem("time", "the onset is not a FHIR dateTime with its zone", "Condition.onset")
    if found.after(now):
        return Problem("time", "the onset lies in the future", "Condition.onset")
    return found.at


def _abated(seen: _Condition) -> bool:
    ended = seen.abatement_period is not None and seen.abatement_period.end is not None
    return bool(seen.abatement_date_time or seen.abatement_string or seen.abatement_age) or ended


def _refused(code: str, text: str, element: str) -> Mapped:
    return Mapped(reasons=(Problem(code, text, f"Condition.{element}"),))
