"""What differs between R4 and R5 in what is prescribed, taken and given.

R5 parted the record of a MedicationStatement from the taking: ``status`` says that it is recorded,
``adherence`` whether the patient takes it. Without adherence it says nothing of that: R4's ``unknown``.
"""

from __future__ import annotations

from fhir_mapping.lenient import as_object, objects
from fhir_mapping.release.clinical import REASON
from fhir_mapping.release.coded import Either, Pointed
from fhir_mapping.release.datatypes import DOSAGE
from fhir_mapping.release.place import Element, Place, Step, put_back, stow, unstow
from fhir_mapping.release.steps import Codes, Irregular, Listed, Only, Refused, Renamed, Within

ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"
_CODEABLE_REFERENCE = {"concept": "CodeableConcept", "reference": "Reference"}
_TAKEN = {"active": "taking", "on-hold": "on-hold", "stopped": "stopped", "not-taken": "not-taking"}
_TAKEN_IN_R4 = {code: status for status, code in _TAKEN.items()}
_ADHERENCE = {"code": "CodeableConcept", "reason": "CodeableConcept"}
_MEDICATION = Either("medication", "medicationCodeableConcept", "medicationReference")


def _reported_to_r5(element: Element, place: Place) -> None:
    if "reportedBoolean" in element:
        element["reported"] = element.pop("reportedBoolean")
    elif "reportedReference" in element:
        element["reported"] = True
    Listed("reportedReference", "Reference", "informationSource").to_r5(element, place)


def _reported_to_r4(element: Element, place: Place) -> None:
    reported = element.pop("reported", None)
    if reported is False:  # R4 knows an informant only of what was reported
        stow(element, place.url("informationSource", "R5"), "Reference", element.pop("informationSource", []))
    Listed("reportedReference", "Reference", "informationSource").to_r4(element, place)
    if reported is not None and "reportedReference" not in element:
        element["reportedBoolean"] = reported


def _potency_to_r5(element: Element, place: Place) -> None:
    put_back(element, "isSubPotent", unstow(element, place.url("isSubPotent", "R5"), "boolean"), many=False)


def _potency_to_r4(element: Element, place: Place) -> None:
    if element.get("isSubPotent") is False:  # so is every administration in R4, which has no word for it
        stow(element, place.url("isSubPotent", "R5"), "boolean", element.pop("isSubPotent"))
    Refused(("isSubPotent", "subPotentReason")).to_r4(element, place)


def _adherence_to_r5(element: Element, place: Place) -> None:
    status = element.get("status")
    if not isinstance(status, str):
        return
    kept, _ = unstow(element, place.url("adherence", "R5"), _ADHERENCE)
    known = kept[0] if kept else _adherence(status)
    element |= {"adherence": known} if known else {}
    if status != "entered-in-error":
        element["status"] = "recorded"
        if _status(element) != status:
            stow(element, place.url("status", "R4"), "code", status)


def _adherence_to_r4(element: Element, place: Place) -> None:
    if "status" in element:
        earlier, _ = unstow(element, place.url("status", "R4"), "code")
        status = earlier[0] if earlier and element["status"] == "recorded" else _status(element)
        element["status"] = status
        adherence = element.pop("adherence", None)
        if adherence not in (None, _adherence(status)):
            stow(element, place.url("adherence", "R5"), _ADHERENCE, adherence)


def _adherence(status: str) -> Element | None:
    code = _TAKEN.get(status)
    return {"code": {"coding": [{"system": ADHERENCE, "code": code}]}} if code else None


def _status(element: Element) -> str:
    """Return R4's status for an R5 statement: ``taking-as-directed`` is a kind of ``taking``."""
    if element["status"] not in ("recorded", "draft"):
        return str(element["status"])
    codings = objects(as_object(as_object(element.get("adherence")).get("code")).get("coding"))
    said = {str(each.get("code")) for each in codings if each.get("system") in (ADHERENCE, None)}
    found = {
        status
        for each in said
        for code, status in _TAKEN_IN_R4.items()
        if each == code or each.startswith(f"{code}-")
    }
    return found.pop() if len(found) == 1 and element["status"] == "recorded" else "unknown"


MEDICATION_REQUEST: tuple[Step, ...] = (
    _MEDICATION,
    REASON,
    Codes("status", r4={"ended": "completed"}),
    Irregular(_reported_to_r5, _reported_to_r4),
    Listed("performer", "Reference"),
    Within("dosageInstruction", DOSAGE, "Dosage"),
    Within(
        "dispenseRequest",
        (
            Renamed("performer", "dispenser"),
            Only("R5", "dispenserInstruction", "Annotation", many=True),
            Only("R5", "doseAdministrationAid", "CodeableConcept"),
        ),
    ),
    Only("R4", "detectedIssue", "Reference", many=True),
    Only("R4", "instantiatesCanonical", "canonical", many=True),
    Only("R4", "instantiatesUri", "uri", many=True),
    Only("R5", "device", _CODEABLE_REFERENCE, many=True),
    Only("R5", "effectiveDosePeriod", "Period"),
    Only("R5", "renderedDosageInstruction", "markdown"),
    Only("R5", "statusChanged", "dateTime"),
)
MEDICATION_STATEMENT: tuple[Step, ...] = (
    _MEDICATION,
    REASON,
    Irregular(_adherence_to_r5, _adherence_to_r4),
    Refused(("effectiveTiming",)),
    Renamed("context", "encounter"),
    Listed("category", "CodeableConcept"),
    Listed("informationSource", "Reference"),
    Within("dosage", DOSAGE, "Dosage"),
    Only("R4", "statusReason", "CodeableConcept", many=True),
    Only("R4", "basedOn", "Reference", many=True),
    Only("R5", "relatedClinicalInformation", "Reference", many=True),
    Only("R5", "renderedDosageInstruction", "markdown"),
)
MEDICATION_ADMINISTRATION: tuple[Step, ...] = (
    _MEDICATION,
    REASON,
    Renamed("effectiveDateTime", "occurenceDateTime"),  # R5 spells it so
    Renamed("effectivePeriod", "occurencePeriod"),
    Refused(("occurenceTiming",)),
    Irregular(_potency_to_r5, _potency_to_r4),
    Renamed("context", "encounter"),
    Listed("category", "CodeableConcept"),
    Within("performer", (Pointed("actor"),)),
    Pointed("device"),
    Only("R4", "instantiates", "uri", many=True),
    Only("R5", "basedOn", "Reference", many=True),
    Only("R5", "recorded", "dateTime"),
)
MEDICATION: tuple[Step, ...] = (
    Renamed("form", "doseForm"),
    Renamed("manufacturer", "marketingAuthorizationHolder"),
    Within(
        "ingredient",
        (
            Either("item", "itemCodeableConcept", "itemReference"),
            Renamed("strength", "strengthRatio"),
            Only("R5", "strengthCodeableConcept", "CodeableConcept"),
            Only("R5", "strengthQuantity", "Quantity"),
        ),
    ),
    Only("R4", "amount", "Ratio"),
    Only("R5", "totalVolume", "Quantity"),
    Only("R5", "definition", "Reference"),
)
