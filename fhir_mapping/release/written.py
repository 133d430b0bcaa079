"""What differs between R4 and R5 in what is written: assessments, provenance, the model, warnings."""

from __future__ import annotations

from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.release.clinical import REASON
from fhir_mapping.release.coded import Merged, Pointed
from fhir_mapping.release.datatypes import ATTACHMENT, SIGNATURE
from fhir_mapping.release.place import Element, Place, Step, put_back, stow, unstow
from fhir_mapping.release.steps import Codes, Demanded, Irregular, Listed, Only, Renamed, Within

_ACTIVITY = {
    "kind": "code",
    "instantiatesCanonical": "canonical*",
    "instantiatesUri": "uri*",
    "code": "CodeableConcept",
    "reasonCode": "CodeableConcept*",
    "reasonReference": "Reference*",
    "goal": "Reference*",
    "status": "code",
    "statusReason": "CodeableConcept",
    "doNotPerform": "boolean",
    "scheduledTiming": "Timing",
    "scheduledPeriod": "Period",
    "scheduledString": "string",
    "location": "Reference",
    "performer": "Reference*",
    "productCodeableConcept": "CodeableConcept",
    "productReference": "Reference",
    "dailyAmount": "Quantity",
    "quantity": "Quantity",
    "description": "string",
}
_NAMES = {
    "manufacturer-name": "registered-name",
    "model-name": "user-friendly-name",
    "other": "user-friendly-name",
    "udi-label-name": "registered-name",
}
_ISSUE = {
    "registered": "preliminary",
    "amended": "final",
    "corrected": "final",
    "cancelled": "",
    "unknown": "",
}
_CODEABLE_REFERENCE = {"concept": "CodeableConcept", "reference": "Reference"}
_STANDARD = {"category": "CodeableConcept", "specification": "CodeableConcept", "version": "string"}
_PROPERTY = {"valueQuantity": "valueQuantity", "valueCode": "valueCodeableConcept"}


def _reasons_to_r5(element: Element, place: Place) -> None:
    told = [{"concept": each} for each in as_list(element.pop("reason", None))]
    kept, _ = unstow(element, place.url("authorization", "R5"), "Reference")
    told += [{"reference": each} for each in kept]
    if told:
        element["authorization"] = told


def _reasons_to_r4(element: Element, place: Place) -> None:
    found = objects(element.pop("authorization", None))
    concepts = [each["concept"] for each in found if "concept" in each]
    element |= {"reason": concepts} if concepts else {}
    references = [each["reference"] for each in found if "reference" in each]
    stow(element, place.url("authorization", "R5"), "Reference", references)


def _text_to_r5(element: Element, _: Place) -> None:
    if "contentString" in element:
        element["contentCodeableConcept"] = {"text": element.pop("contentString")}


def _text_to_r4(element: Element, place: Place) -> None:
    content = element.pop("contentCodeableConcept", None)
    text = as_object(content).get("text")
    if isinstance(text, str) and set(content) == {"text"}:
        element["contentString"] = text
    elif content is not None:
        place.refuse("content", "it is said by a code, for which R4 has only text")


def _properties_to_r5(element: Element, _: Place) -> None:
    """R5 has one value in each property where R4 has lists."""
    single = []
    for each in objects(element.pop("property", None)):
        kept = {name: part for name, part in each.items() if name not in _PROPERTY}
        values = [{r5: value} for r4, r5 in _PROPERTY.items() for value in objects(each.get(r4))]
        single += [kept | value for value in values or [{}]]
    if single:
        element["property"] = single


def _properties_to_r4(element: Element, _: Place) -> None:
    for each in objects(element.get("property")):
        for r4, r5 in _PROPERTY.items():
            if r5 in each:
                each[r4] = [each.pop(r5)]


def _status_to_r5(element: Element, place: Place) -> None:
    if element.get("status") == "unknown":  # R5 says it by silence
        stow(element, place.url("status", "R4"), "code", element.pop("status"))


def _status_to_r4(element: Element, place: Place) -> None:
    put_back(element, "status", unstow(element, place.url("status", "R4"), "code"), many=False)


RISK_ASSESSMENT: tuple[Step, ...] = (REASON,)
PROVENANCE: tuple[Step, ...] = (
    Demanded("R4", "recorded"),
    Irregular(_reasons_to_r5, _reasons_to_r4),
    Within("entity", (Codes("role", {"derivation": "source"}, {"instantiates": "source"}),)),
    Within("signature", SIGNATURE, "Signature"),
    Only("R5", "patient", "Reference"),
    Only("R5", "encounter", "Reference"),
    Only("R5", "basedOn", "Reference", many=True),
)
DEVICE: tuple[Step, ...] = (
    Renamed("deviceName", "name"),
    Within(
        "name",
        (
            Renamed("name", "value"),
            Codes("type", _NAMES, {"registered-name": "udi-label-name"}),
            Only("R5", "display", "boolean"),
        ),
        "Device.deviceName",
    ),
    Irregular(_status_to_r5, _status_to_r4),
    Irregular(_properties_to_r5, _properties_to_r4),
    Within(
        "property",
        (
            Only("R5", "valueAttachment", "Attachment"),
            Only("R5", "valueBoolean", "boolean"),
            Only("R5", "valueInteger", "integer"),
            Only("R5", "valueRange", "Range"),
            Only("R5", "valueString", "string"),
        ),
    ),
    Within("version", (Only("R5", "installDate", "dateTime"),)),
    Within(
        "udiCarrier",
        (
            Codes("entryType", r4={"electronic-transmission": "unknown"}),
            Demanded("R5", "deviceIdentifier"),
            Demanded("R5", "issuer"),
        ),
    ),
    Listed("type", "CodeableConcept"),
    Pointed("definition"),
    Only("R4", "patient", "Reference"),
    Only("R4", "distinctIdentifier", "string"),
    Only("R4", "statusReason", "CodeableConcept", many=True),
    Only("R4", "specialization", {"systemType": "CodeableConcept", "version": "string"}, many=True),
    Only("R5", "availabilityStatus", "CodeableConcept"),
    Only("R5", "biologicalSourceEvent", "Identifier"),
    Only("R5", "category", "CodeableConcept", many=True),
    Only("R5", "conformsTo", _STANDARD, many=True),
    Only("R5", "cycle", "Count"),
    Only("R5", "displayName", "string"),
    Only("R5", "duration", "Duration"),
    Only("R5", "endpoint", "Reference", many=True),
    Only("R5", "gateway", _CODEABLE_REFERENCE, many=True),
    Only("R5", "mode", "CodeableConcept"),
)
DETECTED_ISSUE: tuple[Step, ...] = (
    Renamed("patient", "subject"),
    Codes("status", _ISSUE, {"mitigated": "final"}),
    Within("mitigation", (Only("R5", "note", "Annotation", many=True),)),
    Only("R5", "category", "CodeableConcept", many=True),
    Only("R5", "encounter", "Reference"),
)
COMMUNICATION: tuple[Step, ...] = (
    REASON,
    Within(
        "payload",
        (Irregular(_text_to_r5, _text_to_r4), Within("contentAttachment", ATTACHMENT, "Attachment")),
    ),
)
CARE_PLAN: tuple[Step, ...] = (
    Codes("intent", r4={"directive": ""}),
    Renamed("author", "custodian"),
    Pointed("addresses"),
    Within(
        "activity",
        (
            Merged("performedActivity", "outcomeCodeableConcept", "outcomeReference"),
            Renamed("reference", "plannedActivityReference"),
            Only("R4", "detail", _ACTIVITY),
        ),
    ),
)
GUIDANCE_RESPONSE: tuple[Step, ...] = (
    REASON,
    Listed("evaluationMessage", "Reference", plural="R4"),
    Listed("result", "Reference"),
)
