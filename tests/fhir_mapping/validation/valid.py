"""Resources that are valid FHIR R4, and what validation says of others."""

from fhir_mapping import validation

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
ACTIVE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
}

PRESSURE = {
    "resourceType": "Observation",
    "id": "pressure",
    "meta": {
        "versionId": "2",
        "lastUpdated": "2026-01-10T08:00:00.123Z",
        "profile": ["http://example.org/bp"],
    },
    "identifier": [{"system": "urn:oid:1.2.3", "value": "p-1", "period": {"start": "2026-01"}}],
    "status": "final",
    "category": [
        {"coding": [{"system": "http://example.org/c", "code": "vital-signs"}], "text": "Vital signs"}
    ],
    "code": {"coding": [{"system": LOINC, "code": "85354-9", "display": "Blood pressure"}]},
    "subject": {"reference": "Patient/p", "display": "somebody"},
    "effectiveDateTime": "2026-01-10T08:00:00+01:00",
    "issued": "2026-01-10T08:01:00Z",
    "performer": [{"reference": "Practitioner/d"}],
    "note": [{"text": "sitting"}],
    "component": [
        {
            "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
            "valueQuantity": {"value": 128.5, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        },
        {
            "code": {"coding": [{"system": LOINC, "code": "8462-4"}]},
            "dataAbsentReason": {"text": "not heard"},
        },
    ],
}
PERSON = {
    "resourceType": "Patient",
    "id": "p",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">somebody</div>'},
    "extension": [{"url": "http://example.org/e", "extension": [{"url": "part", "valueCode": "a"}]}],
    "active": True,
    "name": [{"use": "official", "family": "Doe", "given": ["Jo", None], "_given": [None, {"id": "g"}]}],
    "gender": "female",
    "birthDate": "1970-02",
    "_birthDate": {"extension": [{"url": "http://example.org/t", "valueDateTime": "1970-02-03T04:05:06Z"}]},
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "contact": [{"name": {"text": "a friend"}, "telecom": [{"system": "phone", "value": "1", "rank": 1}]}],
}
DIABETES = {
    "resourceType": "Condition",
    "id": "c",
    "clinicalStatus": ACTIVE,
    "code": {"text": "diabetes"},
    "subject": {"reference": "Patient/p"},
    "onsetAge": {"value": 40, "unit": "a", "system": UCUM, "code": "a"},
}
RISK = {
    "resourceType": "RiskAssessment",
    "id": "r",
    "contained": [{"resourceType": "Device", "id": "d", "deviceName": [{"name": "m", "type": "model-name"}]}],
    "status": "final",
    "subject": {"reference": "Patient/p"},
    "performer": {"reference": "#d"},
    "occurrencePeriod": {"start": "2026-01-01", "end": "2026-12-31"},
    "prediction": [{"probabilityDecimal": 0.25, "whenRange": {"high": {"value": 10}}}],
}
COURSE = {
    "resourceType": "MedicationRequest",
    "id": "m",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "a statin"},
    "subject": {"reference": "Patient/p"},
    "dosageInstruction": [
        {
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00"]}},
            "doseAndRate": [{"doseQuantity": {"value": 20, "unit": "mg"}}],
        }
    ],
}
FOLDER = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"fullUrl": "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", "resource": PERSON}],
}
VALID = (PRESSURE, PERSON, DIABETES, RISK, COURSE, FOLDER)
KINDS = [each["resourceType"] for each in VALID]


def found(resource):
    return [(each.code, each.expression) for each in validation.problems(resource)]


def without(resource, *names):
    return {name: each for name, each in resource.items() if name not in names}
