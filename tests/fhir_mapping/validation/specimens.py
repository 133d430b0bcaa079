"""One valid resource of each type that is read or written, rich enough to break in many ways."""

from __future__ import annotations

import copy
import re
from typing import Any

DROP = object()
PATIENT = {"reference": "Patient/1"}
TEXT = {"text": "as told"}
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem/"
MILLIMOLE = {"value": 5.4, "unit": "mmol/L", "system": UCUM, "code": "mmol/L"}


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


# Elements of a choice of types, as far as they are broken here.
_CHOICES = "abatement|born|deceased|effective|medication|onset|probability|value|when"


def fhirpath(place: str) -> str:
    """Return a place told by the names of JSON as FHIRPath tells it: a choice without its type."""
    return re.sub(rf"\b({_CHOICES})[A-Z]\w*", r"\1", place).replace("text.div", "text.`div`")


GLUCOSE = coded("http://loinc.org", "15074-8")

VALID: dict[str, dict[str, Any]] = {
    "Patient": {
        "id": "1",
        "active": True,
        "name": [{"family": "Example", "given": ["A", "B"], "period": {"start": "2001"}}],
        "telecom": [{"system": "phone", "value": "1", "rank": 1}],
        "gender": "female",
        "birthDate": "1974-12-25",
        "deceasedBoolean": False,
        "contact": [{"name": {"text": "Next of kin"}}],
        "generalPractitioner": [{"reference": "Practitioner/1"}],
        "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
        "communication": [{"language": TEXT, "preferred": True}],
    },
    "Observation": {
        "id": "1",
        "meta": {"lastUpdated": "2024-02-29T10:00:00Z", "tag": [{"code": "a"}]},
        "identifier": [{"system": "urn:oid:1.2", "value": "1"}],
        "status": "final",
        "category": [coded(HL7 + "observation-category", "laboratory")],
        "code": GLUCOSE,
        "subject": PATIENT,
        "effectiveDateTime": "2024-02-29T10:00:00.5+01:00",
        "issued": "2024-02-29T10:00:00.5+01:00",
        "performer": [{"reference": "Organization/1"}],
        "valueQuantity": MILLIMOLE,
        "referenceRange": [{"low": {"value": 3.9}, "high": {"value": 5.8}}],
        "component": [{"code": coded("http://loinc.org", "8480-6"), "valueQuantity": {"value": 120}}],
    },
    "Condition": {
        "clinicalStatus": coded(HL7 + "condition-clinical", "resolved"),
        "verificationStatus": coded(HL7 + "condition-ver-status", "confirmed"),
        "code": coded("http://snomed.info/sct", "44054006"),
        "subject": PATIENT,
        "onsetAge": {"value": 50, "unit": "a", "system": UCUM, "code": "a"},
        "abatementDateTime": "2020-06",
        "stage": [{"summary": TEXT}],
        "evidence": [{"code": [TEXT]}],
    },
    "MedicationRequest": {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": TEXT,
        "subject": PATIENT,
        "authoredOn": "2024-01-31",
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 500, "unit": "mg", "system": UCUM, "code": "mg"}}],
            }
        ],
        "dispenseRequest": {"expectedSupplyDuration": {"value": 30, "system": UCUM, "code": "d"}},
    },
    "MedicationStatement": {
        "status": "active",
        "medicationReference": {"reference": "Medication/1"},
        "subject": PATIENT,
        "effectivePeriod": {"start": "2024-01-01", "end": "2024-06-01"},
    },
    "MedicationAdministration": {
        "status": "completed",
        "medicationCodeableConcept": TEXT,
        "subject": PATIENT,
        "effectiveDateTime": "2024-01-01T08:00:00Z",
        "dosage": {"dose": {"value": 4, "unit": "U", "system": UCUM, "code": "[iU]"}},
    },
    "Procedure": {
        "status": "completed",
        "code": TEXT,
        "subject": PATIENT,
        "performedPeriod": {"start": "2024-01-01T08:00:00Z", "end": "2024-01-01T09:00:00Z"},
        "performer": [{"actor": {"reference": "Practitioner/1"}, "function": TEXT}],
    },
    "FamilyMemberHistory": {
        "status": "completed",
        "patient": PATIENT,
        "relationship": coded(HL7 + "v3-RoleCode", "FTH"),
        "bornDate": "1950",
        "condition": [{"code": TEXT, "onsetAge": {"value": 61, "system": UCUM, "code": "a"}}],
    },
    "DiagnosticReport": {
        "status": "final",
        "code": TEXT,
        "subject": PATIENT,
        "effectiveDateTime": "2024",
        "result": [{"reference": "Observation/1"}],
        "media": [{"link": {"reference": "Media/1"}, "comment": "a"}],
        "presentedForm": [{"contentType": "text/plain", "data": "YQ=="}],
    },
    "MolecularSequence": {
        "type": "dna",
        "coordinateSystem": 0,
        "patient": PATIENT,
        "referenceSeq": {
            "genomeBuild": "GRCh38",
            "chromosome": coded("http://hl7.org/fhir/chromosome-human", "1"),
            "strand": "watson",
            "windowStart": 1,
            "windowEnd": 9,
        },
        "variant": [{"start": 1, "end": 2, "observedAllele": "A", "referenceAllele": "G"}],
        "repository": [{"type": "login", "url": "https://example.org"}],
    },
    "RiskAssessment": {
        "status": "final",
        "subject": PATIENT,
        "occurrenceDateTime": "2024-01-01",
        "basis": [{"reference": "Observation/1"}],
        "prediction": [{"outcome": TEXT, "probabilityDecimal": 12.5, "whenPeriod": {"start": "2024"}}],
    },
    "Provenance": {
        "target": [{"reference": "RiskAssessment/1"}],
        "recorded": "2024-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Device/1"}, "role": [TEXT]}],
        "entity": [{"role": "source", "what": {"reference": "Observation/1"}}],
    },
    "AuditEvent": {
        "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110100"},
        "action": "R",
        "recorded": "2024-01-01T00:00:00Z",
        "outcome": "0",
        "agent": [{"who": {"reference": "Device/1"}, "requestor": True, "network": {"type": "2"}}],
        "source": {"observer": {"reference": "Device/1"}},
        "entity": [{"what": PATIENT, "query": "YQ==", "detail": [{"type": "a", "valueString": "b"}]}],
    },
    "Consent": {
        "status": "active",
        "scope": coded(HL7 + "consentscope", "patient-privacy"),
        "category": [TEXT],
        "patient": PATIENT,
        "policy": [{"uri": "https://example.org/policy"}],
        "verification": [{"verified": True, "verificationDate": "2024-01-01"}],
        "provision": {
            "type": "permit",
            "period": {"start": "2024-01-01", "end": "2025-01-01"},
            "actor": [{"role": TEXT, "reference": {"reference": "Organization/1"}}],
            "data": [{"meaning": "instance", "reference": {"reference": "Observation/1"}}],
        },
    },
    "Device": {
        "status": "active",
        "deviceName": [{"name": "a model", "type": "model-name"}],
        "version": [{"value": "1.0", "type": TEXT}],
        "patient": PATIENT,
        "udiCarrier": [{"deviceIdentifier": "1", "entryType": "manual"}],
    },
    "DetectedIssue": {
        "status": "final",
        "severity": "high",
        "patient": PATIENT,
        "identifiedDateTime": "2024-01-01",
        "evidence": [{"detail": [{"reference": "Observation/1"}]}],
        "mitigation": [{"action": TEXT, "date": "2024-01-02"}],
    },
    "Communication": {
        "status": "completed",
        "priority": "urgent",
        "subject": PATIENT,
        "sent": "2024-01-01T00:00:00Z",
        "recipient": [{"reference": "Practitioner/1"}],
        "payload": [{"contentString": "a warning"}],
    },
    "CarePlan": {
        "status": "active",
        "intent": "proposal",
        "subject": PATIENT,
        "period": {"start": "2024-01-01"},
        "activity": [{"detail": {"status": "not-started", "scheduledString": "daily"}}],
    },
    "GuidanceResponse": {
        "moduleUri": "https://example.org/module",
        "status": "success",
        "subject": PATIENT,
        "dataRequirement": [{"type": "Observation", "codeFilter": [{"path": "code"}]}],
    },
    "Bundle": {
        "type": "searchset",
        "total": 1,
        "link": [{"relation": "self", "url": "https://example.org/Patient"}],
        "entry": [
            {
                "fullUrl": "https://example.org/Patient/1",
                "resource": {"resourceType": "Patient", "id": "1", "gender": "male"},
                "search": {"mode": "match", "score": 1},
            }
        ],
    },
    "Subscription": {
        "status": "requested",
        "reason": "a twin",
        "criteria": "Observation?code=15074-8",
        "end": "2030-01-01T00:00:00Z",
        "channel": {
            "type": "rest-hook",
            "endpoint": "https://example.org/hook",
            "payload": "application/fhir+json",
        },
    },
    "OperationOutcome": {"issue": [{"severity": "error", "code": "value", "expression": ["Patient.id"]}]},
    "Parameters": {
        "parameter": [
            {"name": "a", "valueInteger": 1},
            {"name": "b", "part": [{"name": "c", "valueDate": "2024-02-29"}]},
            {"name": "d", "resource": {"resourceType": "Patient", "gender": "male"}},
        ]
    },
}


def valid(kind: str) -> dict[str, Any]:
    return {"resourceType": kind, **copy.deepcopy(VALID[kind])}


def changed(kind: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the valid resource with each place (``a.b[0].c``) given another value, or none (``DROP``)."""
    resource = valid(kind)
    for place, value in changes.items():
        _change(resource, place, value)
    return resource


def _change(resource: dict[str, Any], place: str, value: Any) -> None:
    *above, last = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", place)]
    holder: Any = resource
    for step in above:
        holder = holder[step] if isinstance(step, int) else holder.setdefault(step, {})
    if value is DROP:
        del holder[last]
    else:
        holder[last] = copy.deepcopy(value)
