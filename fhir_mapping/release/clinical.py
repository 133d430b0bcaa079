"""What differs between R4 and R5 in the clinical types that are read.

Sources: the definitions of FHIR 4.0.1 and 5.0.0, and for codes R5's own descriptions of them.
"""

from __future__ import annotations

import copy

from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.release.coded import Merged
from fhir_mapping.release.datatypes import ATTACHMENT, SAMPLED_DATA
from fhir_mapping.release.place import UNKNOWN, Element, Place, Step, put_back, stow, unstow
from fhir_mapping.release.steps import Codes, Irregular, Listed, Only, Refused, Renamed, Within

PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
REASON = Merged("reason", "reasonCode", "reasonReference")
ACTORS = {"function": "CodeableConcept", "actor": "Reference"}
_FUNCTIONS = {"recorder": "author", "asserter": "informant"}
_PERFORMED = ("DateTime", "Period", "String", "Age", "Range")
_FAMILY_PROCEDURE = {
    "code": "CodeableConcept",
    "outcome": "CodeableConcept",
    "contributedToDeath": "boolean",
    "performedAge": "Age",
    "performedRange": "Range",
    "performedPeriod": "Period",
    "performedString": "string",
    "performedDateTime": "dateTime",
    "note": "Annotation*",
}
_CONTACT = (Only("R5", "organization", "Reference"), Only("R5", "period", "Period"))
_QUALIFICATION = {
    "identifier": "Identifier*",
    "code": "CodeableConcept",
    "period": "Period",
    "issuer": "Reference",
}
_CONCEPT = "CodeableConcept"
_NEW_VALUES = Refused(("valueAttachment", "valueReference"), "R4 knows no value of this kind")
_MEASURED: tuple[Step, ...] = (
    _NEW_VALUES,
    Within("referenceRange", (Only("R5", "normalValue", "CodeableConcept"),)),
    Within("valueSampledData", SAMPLED_DATA, "SampledData"),
)


def _participants(element: Element, place: Place) -> None:
    url = place.url("participant", "R5")
    others, _ = unstow(element, url, ACTORS)
    made = [
        {"function": {"coding": [{"system": PARTICIPANT, "code": code}]}, "actor": element.pop(name)}
        for name, code in _FUNCTIONS.items()
        if name in element
    ]
    if made or others:
        element["participant"] = [*made, *others]
    said = unstow(element, place.url("clinicalStatus", "R5"), _CONCEPT)
    put_back(element, "clinicalStatus", said, many=False)
    # R5 demands a status; the mark tells one that is not said from one that is said to be unknown.
    unsaid = {**copy.deepcopy(UNKNOWN), "coding": [{"system": CLINICAL, "code": "unknown"}]}
    element.setdefault("clinicalStatus", unsaid)


def _recorder(element: Element, place: Place) -> None:
    others = []
    for each in objects(element.pop("participant", None)):
        name = next((name for name, code in _FUNCTIONS.items() if code in _coded(each.get("function"))), None)
        if name is None or name in element or "actor" not in each:
            others.append(each)
        else:
            element[name] = each["actor"]
    stow(element, place.url("participant", "R5"), ACTORS, others)
    # R4 has no "unknown", and its rule con-5 forbids a status of what was entered in error.
    status = element.get("clinicalStatus")
    unknown = _coded(status) == {"unknown"}
    if unknown or "entered-in-error" in _coded(element.get("verificationStatus")):
        element.pop("clinicalStatus", None)
    if unknown and as_object(status).get("extension") != UNKNOWN["extension"]:
        stow(element, place.url("clinicalStatus", "R5"), _CONCEPT, status)


def _evidence_to_r5(element: Element, _: Place) -> None:
    evidence = objects(element.pop("evidence", None))
    told = [{"concept": code} for each in evidence for code in as_list(each.get("code"))]
    told += [{"reference": one} for each in evidence for one in as_list(each.get("detail"))]
    if told:
        element["evidence"] = told


def _evidence_to_r4(element: Element, _: Place) -> None:
    names = {"concept": "code", "reference": "detail"}
    told = [
        {names[key]: [part] for key, part in each.items() if key in names}
        for each in objects(element.pop("evidence", None))
    ]
    if told:
        element["evidence"] = told


def _languages_to_r5(element: Element, _: Place) -> None:
    told = [{"language": each} for each in as_list(element.pop("communication", None))]
    element |= {"communication": told} if told else {}


def _languages_to_r4(element: Element, _: Place) -> None:
    told = [each["language"] for each in objects(element.pop("communication", None)) if "language" in each]
    element |= {"communication": told} if told else {}


def _membership(element: Element, _: Place) -> None:
    if "actual" in element:
        element["membership"] = "enumerated" if element.pop("actual") else "definitional"


def _actual(element: Element, _: Place) -> None:
    if "membership" in element:
        element["actual"] = element.pop("membership") == "enumerated"


def _coded(concept: object) -> set[str]:
    return {str(coding.get("code")) for coding in objects(as_object(concept).get("coding"))}


CARE_TEAM: tuple[Step, ...] = (
    REASON,
    Only("R4", "encounter", "Reference"),
    Within(
        "participant",
        (
            Listed("role", "CodeableConcept", plural="R4"),
            Renamed("period", "coveragePeriod"),
            Only("R5", "coverageTiming", "Timing"),
        ),
    ),
)
OBSERVATION: tuple[Step, ...] = (
    *_MEASURED,
    Within("component", _MEASURED),
    Only("R5", "instantiatesCanonical", "canonical"),
    Only("R5", "instantiatesReference", "Reference"),
    Only("R5", "bodyStructure", "Reference"),
    Only("R5", "triggeredBy", {"observation": "Reference", "type": "code", "reason": "string"}, many=True),
)
PATIENT: tuple[Step, ...] = (Within("photo", ATTACHMENT, "Attachment"),)
CONDITION: tuple[Step, ...] = (
    Irregular(_participants, _recorder),
    Irregular(_evidence_to_r5, _evidence_to_r4),
)
PROCEDURE: tuple[Step, ...] = (
    *(Renamed(f"performed{kind}", f"occurrence{kind}") for kind in _PERFORMED),
    Refused(("occurrenceTiming", "focus")),
    REASON,
    Merged("complication", "complication", "complicationDetail"),
    Merged("used", "usedCode", "usedReference"),
    Listed("category", "CodeableConcept"),
    Only("R4", "asserter", "Reference"),
    Only("R5", "recorded", "dateTime"),
    Only("R5", "reportedBoolean", "boolean"),
    Only("R5", "reportedReference", "Reference"),
    Only("R5", "supportingInfo", "Reference", many=True),
    Within("performer", (Only("R5", "period", "Period"),)),
)
FAMILY_MEMBER_HISTORY: tuple[Step, ...] = (
    REASON,
    Only("R5", "participant", ACTORS, many=True),
    Only("R5", "procedure", _FAMILY_PROCEDURE, many=True),
)
DIAGNOSTIC_REPORT: tuple[Step, ...] = (
    Codes("status", r4={"modified": "preliminary"}),
    Renamed("imagingStudy", "study"),
    Only("R5", "composition", "Reference"),
    Only("R5", "note", "Annotation", many=True),
    Only("R5", "supportingInfo", {"type": "CodeableConcept", "reference": "Reference"}, many=True),
    Within("presentedForm", ATTACHMENT, "Attachment"),
)
PRACTITIONER: tuple[Step, ...] = (
    Irregular(_languages_to_r5, _languages_to_r4),
    Within("photo", ATTACHMENT, "Attachment"),
    Only("R5", "deceasedBoolean", "boolean"),
    Only("R5", "deceasedDateTime", "dateTime"),
)
ORGANIZATION: tuple[Step, ...] = (
    Only("R4", "telecom", "ContactPoint", many=True),
    Only("R4", "address", "Address", many=True),
    Within("contact", (Listed("name", "HumanName"), *_CONTACT)),
    Only("R5", "description", "markdown"),
    Only("R5", "qualification", _QUALIFICATION, many=True),
)
GROUP: tuple[Step, ...] = (Irregular(_membership, _actual), Only("R5", "description", "markdown"))
