"""Condition -> diagnoses of the engine's list.

Used are confirmed ones and those without a verification status. ``refuted`` and ``entered-in-error`` retract.
``unconfirmed``, ``provisional`` and ``differential`` ones, and those that cannot be read but for their code,
are listed and stand as not confirmed, so that nobody concludes from their absence. So does one whose clinical
status is R5's ``unknown``. One without a clinical status is active: of an abated one FHIR requires a status
that says so (con-4).

How sure a diagnosis in ICD-10-GM is may stand beside its code (German base profiles, ``Diagnosesicherheit``):
``G`` confirmed, ``V`` suspected, ``A`` excluded, ``Z`` a state after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fhir_mapping import terms
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.instants import Moment, moment
from fhir_mapping.lenient import as_object, objects
from fhir_mapping.mapped import IRRELEVANT, Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Ref, Shape, view
from twin_engine.twin import Condition, Item

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_RETRACTED = frozenset({"refuted", "entered-in-error"})
_UNSURE = frozenset({"unconfirmed", "provisional", "differential"})
# Where a conversion from R5 keeps a clinical status that R4 does not have.
_CLINICAL_IN_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Condition.clinicalStatus"
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
_EXCLUDED, _AFTER = frozenset({"A"}), frozenset({"Z"})
_SURE = frozenset({"G", "Z"})
_VAGUE = ("Age", "Range", "String")  # other types of onset[x] and performed[x]


class _Coded(Shape, frozen=True):
    code: CodeableConcept | None = None


class _Condition(_Coded, frozen=True, kw_only=True):
    subject: Ref
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a Condition; one that no model knows is irrelevant."""
    seen = view(resource, _Condition)
    clinical = _status(seen.clinical_status, CLINICAL, _ACTIVE | _OVER, "clinicalStatus")
    verification = _status(
        seen.verification_status, VERIFICATION, _RETRACTED | _UNSURE | {"confirmed"}, "verificationStatus"
    )
    found = named(seen.code)
    if not found:
        return IRRELEVANT
    certainty = _certainty(resource)
    if certainty == _EXCLUDED:
        return _refused("retracted", "the diagnosis was excluded", "code.coding")
    if verification in _RETRACTED:
        return _refused("retracted", "the diagnosis was refuted or entered in error", "verificationStatus")
    doubt = _doubt(resource, verification, certainty)
    if doubt is not None:
        return Mapped(items=doubtful(found, origin), reasons=(doubt,))
    over = clinical in _OVER or (clinical is None and certainty == _AFTER)
    return _standing(resource, found, origin, over=over)


def suspected(resource: dict[str, Any], origin: Origin) -> tuple[Item, ...]:
    """Return what a Condition that is otherwise not readable speaks of, as far as its code tells."""
    try:
        seen = view(resource, _Coded)
    except Unusable:
        return ()
    verification = objects(as_object(resource.get("verificationStatus")).get("coding"))
    if any(str(coding.get("code")) in _RETRACTED for coding in verification):
        return ()
    if _certainty(resource) == _EXCLUDED:
        return ()
    return doubtful(named(seen.code), origin)


def named(concept: CodeableConcept | None) -> list[str]:
    """Return the names of the conditions that ``concept`` is coded as."""
    if concept is None:
        return []
    return sorted(set().union(*(terms.conditions(coding.system, coding.code) for coding in concept.coding)))


def doubtful(names: Iterable[str], origin: Origin) -> tuple[Item, ...]:
    """Return conditions from which neither presence nor absence follows."""
    return tuple(Condition(name, origin.source, active=False, confirmed=False) for name in names)


def begun(
    resource: dict[str, Any], element: str, now: datetime
) -> tuple[datetime | None, tuple[Problem, ...]]:
    """Return when what ``element`` (a choice of types) speaks of began, and why that cannot be used."""
    text = _start(resource, element)
    place = f"{resource['resourceType']}.{element}"
    found = moment(text)
    if found is None:
        vague = text is not None or any(f"{element}{kind}" in resource for kind in _VAGUE)
        problem = Problem("time", "when it began is not said as a date", place)
        return None, (problem,) if vague else ()
    if found.after(now):
        return None, (Problem("time", "it begins in the future", place),)
    return found.at, ()


def started(resource: dict[str, Any], element: str) -> Moment | None:
    """Return when what ``element`` speaks of began, be it in the future."""
    return moment(_start(resource, element))


def _start(resource: dict[str, Any], element: str) -> object:
    return resource.get(f"{element}DateTime") or as_object(resource.get(f"{element}Period")).get("start")


def _doubt(resource: dict[str, Any], verification: str | None, certainty: frozenset[str]) -> Problem | None:
    if verification in _UNSURE:
        return Problem("status", "the diagnosis is not confirmed", "Condition.verificationStatus")
    if not certainty <= _SURE:
        return Problem("status", "the diagnosis is not certain by its code", "Condition.code.coding")
    if any(each.get("url") == _CLINICAL_IN_R5 for each in objects(resource.get("extension"))):
        return Problem("status", "whether the diagnosis is active is not known", "Condition.clinicalStatus")
    return None


def _certainty(resource: dict[str, Any]) -> frozenset[str]:
    """Return how sure the codes of the diagnosis are said to be; nothing where none says it."""
    return frozenset(
        str(as_object(extension.get("valueCoding")).get("code"))
        for coding in objects(as_object(resource.get("code")).get("coding"))
        for extension in objects(coding.get("extension"))
        if extension.get("url") == CERTAINTY
    )


def _standing(resource: dict[str, Any], names: list[str], origin: Origin, *, over: bool) -> Mapped:
    # A diagnosis stands without its onset: dropping it for a bad date would understate a risk.
    onset, reasons = begun(resource, "onset", origin.now)
    items = (Condition(name, origin.source, not over or name in terms.LASTING, onset) for name in names)
    return Mapped(tuple(items), reasons=reasons)


def _status(concept: CodeableConcept | None, system: str, allowed: frozenset[str], name: str) -> str | None:
    if concept is None:
        return None
    found = {coding.code for coding in concept.coding if coding.system in (system, None)}
    if len(found) != 1 or not found <= allowed:
        raise Unusable("code-invalid", "a code is outside its required value set", 422, f"Condition.{name}")
    return found.pop()


def _refused(code: str, text: str, element: str) -> Mapped:
    return Mapped(reasons=(Problem(code, text, f"Condition.{element}"),))
