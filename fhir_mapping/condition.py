"""Condition -> diagnoses of the engine's list.

Used are confirmed ones and those without a verification status. ``refuted`` and ``entered-in-error`` retract.
``unconfirmed``, ``provisional`` and ``differential`` ones, and those that cannot be read but for their code,
are listed and stand as not confirmed, so that nobody concludes from their absence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fhir_mapping import codes
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.instants import last, moment
from fhir_mapping.lenient import as_object, objects
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Period, Ref, Shape, Text, view
from twin_engine.twin import Condition, Item

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_RETRACTED = frozenset({"refuted", "entered-in-error"})
_UNSURE = frozenset({"unconfirmed", "provisional", "differential"})


class _Coded(Shape, frozen=True):
    code: CodeableConcept | None = None


class _Condition(_Coded, frozen=True, kw_only=True):
    subject: Ref
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
        problem = Problem("status", "the diagnosis is not confirmed", "Condition.verificationStatus")
        return Mapped(items=_doubtful(names, origin), reasons=(problem,))
    # A diagnosis stands without its onset: dropping it for a bad date would understate a risk.
    onset = _onset(seen, origin.now)
    known = None if isinstance(onset, Problem) else onset
    until = _until(seen, origin.now)
    active = clinical in _ACTIVE if clinical else until is not None or not _abated(seen)
    items = tuple(
        Condition(name, origin.source, True, known)
        if name in codes.LASTING
        else Condition(name, origin.source, active, known, until)
        for name in names
    )
    return Mapped(items, reasons=(onset,) if isinstance(onset, Problem) else ())


def suspected(resource: dict[str, Any], origin: Origin) -> tuple[Item, ...]:
    """Return what a Condition that is otherwise not readable speaks of, as far as its code tells."""
    try:
        seen = view(resource, _Coded)
    except Unusable:
        return ()
    verification = objects(as_object(resource.get("verificationStatus")).get("coding"))
    if any(str(coding.get("code")) in _RETRACTED for coding in verification):
        return ()
    return _doubtful(sorted(_names(seen.code)), origin)


def _doubtful(names: Iterable[str], origin: Origin) -> tuple[Item, ...]:
    return tuple(Condition(name, origin.source, active=False, confirmed=False) for name in names)


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


def _until(seen: _Condition, now: datetime) -> datetime | None:
    """Return an end that is still to come."""
    end = last(seen.abatement_date_time or (seen.abatement_period and seen.abatement_period.end))
    return end if end is not None and end > now else None


def _abated(seen: _Condition) -> bool:
    ended = seen.abatement_period is not None and seen.abatement_period.end is not None
    return bool(seen.abatement_date_time or seen.abatement_string or seen.abatement_age) or ended


def _refused(code: str, text: str, element: str) -> Mapped:
    return Mapped(reasons=(Problem(code, text, f"Condition.{element}"),))
