"""HL7's constraints, each broken and each kept; and what else only a look at values can tell."""

import orjson
import pytest

from fhir_mapping import guard, validation
from fhir_mapping.validation import invariants, schema
from fhir_mapping.validation.constraints import CONSTRAINTS, RESOURCE
from tests.fhir_mapping.published import examples
from tests.fhir_mapping.validation.specimens import (
    DROP,
    GLUCOSE,
    HL7,
    TEXT,
    UCUM,
    VALID,
    changed,
    coded,
    fhirpath,
    valid,
)

NAMELESS = {"code": "mg"}
PERCENT = {"value": 5, "system": UCUM, "code": "%"}
IN_ERROR = coded(HL7 + "condition-ver-status", "entered-in-error")
ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "a"}
DEVICE = {"resourceType": "Device", "id": "d"}
PERFORMED_WITHIN = {"performer": [{"reference": "#o"}]}
REPEAT = "dosageInstruction[0].timing.repeat"
DOCUMENT = {
    "type": "document",
    "total": DROP,
    "identifier": {"system": "urn:a", "value": "1"},
    "timestamp": "2024-01-01T00:00:00Z",
}
COMPOSITION = {
    "resourceType": "Composition",
    "status": "final",
    "type": TEXT,
    "date": "2024",
    "author": [{"reference": "Practitioner/1"}],
    "title": "a",
}
REPORT = {**DOCUMENT, "entry": [{"fullUrl": "urn:uuid:1", "resource": COMPOSITION}]}
ENTRY = {
    "fullUrl": "https://example.org/Patient/1",
    "resource": {"resourceType": "Patient", "gender": "male"},
}
REQUEST = {"method": "GET", "url": "Patient/1"}


def versioned(version):
    return {**ENTRY, "resource": {**ENTRY["resource"], "meta": {"versionId": version}}}


def narrative(div):
    return {"text": {"status": "generated", "div": div}}


# What is wrong: HL7's key, the type, what is changed, and where the refusal points.
BROKEN = {
    "an age of 0": ("age-1", "Condition", {"onsetAge.value": 0}, "onsetAge"),
    "an age without a code": ("age-1", "Condition", {"onsetAge.code": DROP}, "onsetAge"),
    "an age in a unit of another system": ("age-1", "Condition", {"onsetAge.system": "urn:a"}, "onsetAge"),
    "data of no told type": (
        "att-1",
        "DiagnosticReport",
        {"presentedForm[0].contentType": DROP},
        "presentedForm[0]",
    ),
    "a total of a collection": ("bdl-1", "Bundle", {"type": "collection", "entry[0].search": DROP}, "total"),
    "a match in a collection": ("bdl-2", "Bundle", {"type": "collection", "total": DROP}, "entry[0]"),
    "a transaction that asks for nothing": (
        "bdl-3",
        "Bundle",
        {"type": "batch", "total": DROP, "entry[0].search": DROP},
        "entry[0]",
    ),
    "a request in a search": ("bdl-3", "Bundle", {"entry[0].request": REQUEST}, "entry[0]"),
    "a response in a search": ("bdl-4", "Bundle", {"entry[0].response": {"status": "200"}}, "entry[0]"),
    "an entry of nothing": ("bdl-5", "Bundle", {"entry": [ENTRY, {"fullUrl": "urn:a"}]}, "entry[1]"),
    "an entry that comes twice": ("bdl-7", "Bundle", {"entry": [ENTRY, ENTRY]}, "entry[1].fullUrl"),
    "a version that comes twice": (
        "bdl-7",
        "Bundle",
        {"entry": [versioned("1"), versioned("2"), versioned("1")]},
        "entry[2].fullUrl",
    ),
    "a full URL of a version": (
        "bdl-8",
        "Bundle",
        {"entry[0].fullUrl": "https://example.org/Patient/1/_history/2"},
        "entry[0].fullUrl",
    ),
    "a document without identifier": ("bdl-9", "Bundle", {**REPORT, "identifier": {"id": "a"}}, ""),
    "a document whose identifier has no system": (
        "bdl-9",
        "Bundle",
        {**REPORT, "identifier": {"value": "1"}},
        "",
    ),
    "a document without date": (
        "bdl-10",
        "Bundle",
        {name: value for name, value in REPORT.items() if name != "timestamp"},
        "",
    ),
    "a document that begins with a patient": ("bdl-11", "Bundle", {**REPORT, "entry": [ENTRY]}, "entry[0]"),
    "a message that begins with a patient": (
        "bdl-12",
        "Bundle",
        {"type": "message", "total": DROP, "entry": [ENTRY]},
        "entry[0]",
    ),
    "an empty message": ("bdl-12", "Bundle", {"type": "message", "total": DROP, "entry": DROP}, ""),
    "a stage of nothing": ("con-1", "Condition", {"stage[0]": {"type": TEXT}}, "stage[0]"),
    "evidence of nothing": ("con-2", "Condition", {"evidence[0]": {"id": "a"}}, "evidence[0]"),
    "an active condition that has abated": (
        "con-4",
        "Condition",
        {"clinicalStatus": coded(HL7 + "condition-clinical", "active")},
        "clinicalStatus",
    ),
    "an abated condition of no status": ("con-4", "Condition", {"clinicalStatus": DROP}, "clinicalStatus"),
    "an error that has a clinical status": (
        "con-5",
        "Condition",
        {"verificationStatus": IN_ERROR},
        "clinicalStatus",
    ),
    "an activity told twice": (
        "cpl-3",
        "CarePlan",
        {"activity[0].reference": {"reference": "Task/1"}},
        "activity[0]",
    ),
    "a phone number of no system": ("cpt-2", "Patient", {"telecom[0].system": DROP}, "telecom[0]"),
    "a filter of no path": (
        "drq-1",
        "GuidanceResponse",
        {"dataRequirement[0].codeFilter[0]": {"code": [{"code": "a"}]}},
        "dataRequirement[0].codeFilter[0]",
    ),
    "a filter of two paths": (
        "drq-1",
        "GuidanceResponse",
        {"dataRequirement[0].codeFilter[0].searchParam": "a"},
        "dataRequirement[0].codeFilter[0]",
    ),
    "a filter of dates of no path": (
        "drq-2",
        "GuidanceResponse",
        {"dataRequirement[0].dateFilter": [{"valueDateTime": "2024"}]},
        "dataRequirement[0].dateFilter[0]",
    ),
    "a duration in a unit of another system": (
        "drt-1",
        "MedicationRequest",
        {"dispenseRequest.expectedSupplyDuration.system": "urn:a"},
        "dispenseRequest.expectedSupplyDuration",
    ),
    "an extension of nothing": ("ext-1", "Patient", {"extension": [{"url": "urn:a"}]}, "extension[0]"),
    "an extension of value and extensions": (
        "ext-1",
        "Patient",
        {"extension": [{"url": "urn:a", "valueString": "a", "extension": [{"url": "b", "valueCode": "c"}]}]},
        "extension[0]",
    ),
    "an extension of nothing beside a primitive": (
        "ext-1",
        "Patient",
        {"_birthDate": {"extension": [{"url": "urn:a"}]}},
        "birthDate.extension[0]",
    ),
    "a relative with age and birth": ("fhs-1", "FamilyMemberHistory", {"ageString": "old"}, ""),
    "an estimate of no age": ("fhs-2", "FamilyMemberHistory", {"estimatedAge": True}, "estimatedAge"),
    "a parameter of nothing": ("inv-1", "Parameters", {"parameter[0]": {"name": "a"}}, "parameter[0]"),
    "a parameter of value and parts": (
        "inv-1",
        "Parameters",
        {"parameter[1].valueCode": "a"},
        "parameter[1]",
    ),
    "a dosage without dose": ("mad-1", "MedicationAdministration", {"dosage": {"text": "a"}}, "dosage"),
    "a coordinate system of 2": ("msq-3", "MolecularSequence", {"coordinateSystem": 2}, "coordinateSystem"),
    "a build without chromosome": (
        "msq-5",
        "MolecularSequence",
        {"referenceSeq.chromosome": DROP},
        "referenceSeq",
    ),
    "a reference sequence told twice": (
        "msq-6",
        "MolecularSequence",
        {"referenceSeq.referenceSeqString": "A"},
        "referenceSeq",
    ),
    "a reference range of nothing": (
        "obs-3",
        "Observation",
        {"referenceRange[0]": {"type": TEXT}},
        "referenceRange[0]",
    ),
    "a value and the reason of its absence": (
        "obs-6",
        "Observation",
        {"dataAbsentReason": TEXT},
        "dataAbsentReason",
    ),
    "a component that repeats the code": (
        "obs-7",
        "Observation",
        {"component[0].code": GLUCOSE},
        "component[0].code",
    ),
    "a contact of nothing": ("pat-1", "Patient", {"contact[0]": {"gender": "male"}}, "contact[0]"),
    "a period that ends before it starts": (
        "per-1",
        "Patient",
        {"name[0].period": {"start": "2024-02", "end": "2024-01"}},
        "name[0].period",
    ),
    "a consent under no policy": ("ppc-1", "Consent", {"policy": DROP}, ""),
    "a consent of no patient": ("ppc-2 to ppc-5", "Consent", {"patient": DROP}, ""),
    "a code without its system": ("qty-3", "Observation", {"valueQuantity.system": DROP}, "valueQuantity"),
    "a code without its system in a component": (
        "qty-3",
        "Observation",
        {"component[0].valueQuantity": {"value": 1, "code": "mm[Hg]"}},
        "component[0].valueQuantity",
    ),
    "a limit that is no percentage": (
        "ras-1",
        "RiskAssessment",
        {
            "prediction[0].probabilityDecimal": DROP,
            "prediction[0].probabilityRange": {"low": PERCENT, "high": {"value": 7}},
        },
        "prediction[0].probabilityRange.high",
    ),
    "a probability of 101": (
        "ras-2",
        "RiskAssessment",
        {"prediction[0].probabilityDecimal": 101},
        "prediction[0].probabilityDecimal",
    ),
    "a count of parts": (
        "cnt-3",
        "Parameters",
        {"parameter[0]": {"name": "a", "valueCount": {"value": 1.5, "system": UCUM, "code": "1"}}},
        "parameter[0].valueCount",
    ),
    "a distance without a unit": (
        "dis-1",
        "Parameters",
        {"parameter[0]": {"name": "a", "valueDistance": {"value": 1}}},
        "parameter[0].valueDistance",
    ),
    "an expression of nothing": (
        "exp-1",
        "Parameters",
        {"parameter[0]": {"name": "a", "valueExpression": {"language": "text/fhirpath"}}},
        "parameter[0].valueExpression",
    ),
    "a trigger of time and data": (
        "trd-1",
        "Parameters",
        {
            "parameter[0]": {
                "name": "a",
                "valueTriggerDefinition": {
                    "type": "periodic",
                    "timingDate": "2024",
                    "data": [{"type": "Patient"}],
                },
            }
        },
        "parameter[0].valueTriggerDefinition",
    ),
    "a trigger whose condition has no data": (
        "trd-2",
        "Parameters",
        {
            "parameter[0]": {
                "name": "a",
                "valueTriggerDefinition": {
                    "type": "named-event",
                    "name": "b",
                    "condition": {"language": "text/fhirpath", "expression": "c"},
                },
            }
        },
        "parameter[0].valueTriggerDefinition",
    ),
    "an event without a name": (
        "trd-3",
        "Parameters",
        {"parameter[0]": {"name": "a", "valueTriggerDefinition": {"type": "named-event"}}},
        "parameter[0].valueTriggerDefinition",
    ),
    "a ratio of one number": (
        "rat-1",
        "Observation",
        {"valueQuantity": DROP, "valueRatio": {"numerator": {"value": 1}}},
        "valueRatio",
    ),
    "a range whose low is high": (
        "rng-2",
        "Observation",
        {"valueQuantity": DROP, "valueRange": {"low": {"value": 2}, "high": {"value": 1}}},
        "valueRange",
    ),
    "an entity of name and query": ("sev-1", "AuditEvent", {"entity[0].name": "a"}, "entity[0]"),
    "a duration without unit": ("tim-1", "MedicationRequest", {f"{REPEAT}.duration": 1}, REPEAT),
    "a period without unit": ("tim-2", "MedicationRequest", {f"{REPEAT}.periodUnit": DROP}, REPEAT),
    "a negative duration": (
        "tim-4",
        "MedicationRequest",
        {f"{REPEAT}.duration": -1, f"{REPEAT}.durationUnit": "h"},
        f"{REPEAT}.duration",
    ),
    "a negative period": ("tim-5", "MedicationRequest", {f"{REPEAT}.period": -1}, f"{REPEAT}.period"),
    "a longest period alone": ("tim-6", "MedicationRequest", {REPEAT: {"periodMax": 1}}, REPEAT),
    "a longest duration alone": ("tim-7", "MedicationRequest", {REPEAT: {"durationMax": 1}}, REPEAT),
    "a highest count alone": ("tim-8", "MedicationRequest", {REPEAT: {"countMax": 1}}, REPEAT),
    "an offset from nothing": ("tim-9", "MedicationRequest", {REPEAT: {"offset": 1}}, REPEAT),
    "an offset from a meal": ("tim-9", "MedicationRequest", {REPEAT: {"offset": 1, "when": ["C"]}}, REPEAT),
    "a time of day and an event": (
        "tim-10",
        "MedicationRequest",
        {REPEAT: {"when": ["AC"], "timeOfDay": ["08:00:00"]}},
        REPEAT,
    ),
    "a script in the narrative": ("txt-1", "Patient", narrative("<div><script>a</script></div>"), "text.div"),
    "an event in the narrative": ("txt-1", "Patient", narrative('<div onclick="a">b</div>'), "text.div"),
    "a narrative that is not closed": ("txt-1", "Patient", narrative("<div><p>a</div>"), "text.div"),
    "a narrative of two parts": ("txt-1", "Patient", narrative("<div>a</div><div>b</div>"), "text.div"),
    "a narrative that goes on": ("txt-1", "Patient", narrative("<div>a</div> b"), "text.div"),
    "a narrative with entities of its own": (
        "txt-1",
        "Patient",
        narrative("<div><!ENTITY a 'b'>c</div>"),
        "text.div",
    ),
    "a narrative that says nothing": (
        "txt-2",
        "Patient",
        narrative("<div> <p> </p><!-- a --></div>"),
        "text.div",
    ),
    "a resource contained for nothing": (
        "dom-3",
        "Observation",
        {"contained": [ORGANIZATION]},
        "contained[0]",
    ),
    "a contained resource with a version": (
        "dom-4",
        "Observation",
        {**PERFORMED_WITHIN, "contained": [{**ORGANIZATION, "meta": {"versionId": "1"}}]},
        "contained[0]",
    ),
    "a contained resource with a label": (
        "dom-5",
        "Observation",
        {**PERFORMED_WITHIN, "contained": [{**ORGANIZATION, "meta": {"security": [{"code": "R"}]}}]},
        "contained[0]",
    ),
    "a contained resource that contains": (
        "dom-2",
        "Observation",
        {
            **PERFORMED_WITHIN,
            "contained": [
                {**ORGANIZATION, "partOf": {"reference": "#x"}, "contained": [{**ORGANIZATION, "id": "x"}]},
                {**ORGANIZATION, "id": "x", "partOf": {"reference": "#"}},
            ],
        },
        "contained[0]",
    ),
}
KEPT = {
    "an age with its unit": (
        "FamilyMemberHistory",
        {"bornDate": DROP, "estimatedAge": True, "ageAge": {"value": 1, "system": UCUM, "code": "mo"}},
    ),
    "data of a told type": ("DiagnosticReport", {"presentedForm[0].contentType": "text/html"}),
    "a history that asks and answers": (
        "Bundle",
        {
            "type": "history",
            "entry[0].search": DROP,
            "entry[0].request": REQUEST,
            "entry[0].response": {"status": "200"},
        },
    ),
    "a history with one resource twice": (
        "Bundle",
        {"type": "history", "entry": [{**ENTRY, "request": REQUEST, "response": {"status": "200"}}] * 2},
    ),
    "two versions in a search": ("Bundle", {"entry": [versioned("1"), versioned("2")]}),
    "a document": ("Bundle", REPORT),
    "an empty search": ("Bundle", {"entry": DROP, "total": 0}),
    "a condition in remission that has abated": (
        "Condition",
        {"clinicalStatus": coded(HL7 + "condition-clinical", "remission")},
    ),
    "an error without clinical status": (
        "Condition",
        {"clinicalStatus": DROP, "abatementDateTime": DROP, "verificationStatus": IN_ERROR},
    ),
    "a supply in days": ("MedicationRequest", {"dispenseRequest.expectedSupplyDuration.unit": "days"}),
    "an extension of extensions": (
        "Patient",
        {"extension": [{"url": "urn:a", "extension": [{"url": "b", "valueCode": "c"}]}]},
    ),
    "an extension whose value is only extended": (
        "Patient",
        {"extension": [{"url": "urn:a", "_valueDate": {"extension": [{"url": "b", "valueCode": "c"}]}}]},
    ),
    "a rate without a dose": (
        "MedicationAdministration",
        {"dosage": {"rateRatio": {"numerator": {"value": 1}, "denominator": {"value": 1}}}},
    ),
    "a reference sequence by its id": ("MolecularSequence", {"referenceSeq": {"referenceSeqId": TEXT}}),
    "a reference range in words": ("Observation", {"referenceRange[0]": {"text": "low"}}),
    "a reason in the place of a value": ("Observation", {"valueQuantity": DROP, "dataAbsentReason": TEXT}),
    "a panel that repeats its code without value": (
        "Observation",
        {"valueQuantity": DROP, "component[0].code": GLUCOSE},
    ),
    "a code with another display": (
        "Observation",
        {"component[0].code": {"coding": [{**GLUCOSE["coding"][0], "display": "a"}]}},
    ),
    "a period of one moment": ("Patient", {"name[0].period": {"start": "2024", "end": "2024-06-01"}}),
    "a consent to another thing without patient": ("Consent", {"patient": DROP, "scope": TEXT}),
    "a probability of 100": ("RiskAssessment", {"prediction[0].probabilityDecimal": 100}),
    "a range of percentages": (
        "RiskAssessment",
        {
            "prediction[0].probabilityDecimal": DROP,
            "prediction[0].probabilityRange": {"low": PERCENT, "high": PERCENT},
        },
    ),
    "a unit in words only": ("Observation", {"valueQuantity": {"value": 1, "unit": "drops"}}),
    "a range of unlike units": (
        "Observation",
        {
            "valueQuantity": DROP,
            "valueRange": {"low": {"value": 2, "unit": "mg"}, "high": {"value": 1, "unit": "g"}},
        },
    ),
    "a ratio that is only extended": (
        "Observation",
        {"valueQuantity": DROP, "valueRatio": {"extension": [{"url": "urn:a", "valueCode": "b"}]}},
    ),
    "an offset from waking": ("MedicationRequest", {REPEAT: {"offset": 1, "when": ["WAKE"]}}),
    "an entity by name": ("AuditEvent", {"entity[0].query": DROP, "entity[0].name": "a"}),
    "a narrative with a table": (
        "Patient",
        narrative(
            '<div xmlns="http://www.w3.org/1999/xhtml">'
            '<table border="1"><tr><td colspan="2">a &lt; b<br/></td></tr></table></div>'
        ),
    ),
    "a narrative with a comment": ("Patient", narrative("<div>a<!-- <script> --></div>")),
    "a narrative of one image": ("Patient", narrative('<div><img src="#a" alt="a > b"/></div>')),
    "a contained resource that is used": ("Observation", {**PERFORMED_WITHIN, "contained": [ORGANIZATION]}),
    "a contained resource that uses what is around it": (
        "Observation",
        {"contained": [{**DEVICE, "patient": {"reference": "Patient/1"}, "parent": {"reference": "#d"}}]},
    ),
    "a contained resource that an extension names": (
        "Observation",
        {"contained": [ORGANIZATION], "extension": [{"url": "urn:a", "valueUri": "#o"}]},
    ),
    "a contained resource that uses another": (
        "Observation",
        {
            **PERFORMED_WITHIN,
            "contained": [{**ORGANIZATION, "partOf": {"reference": "#x"}}, {**ORGANIZATION, "id": "x"}],
        },
    ),
}


def problems(resource):
    return validation.problems(guard.parse(orjson.dumps(resource)))


@pytest.mark.parametrize(("key", "kind", "changes", "place"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_a_constraint_is_refused_under_its_key(key, kind, changes, place):
    resource = changed(kind, changes)
    found = [
        (problem.code, problem.expression) for problem in problems(resource) if f"({key})" in problem.text
    ]
    assert found == [("invariant", fhirpath(f"{kind}.{place}") if place else kind)]


@pytest.mark.parametrize(("kind", "changes"), KEPT.values(), ids=KEPT)
def test_what_keeps_the_constraints_is_taken(kind, changes):
    assert problems(changed(kind, changes)) == ()


def test_every_constraint_is_broken_above():
    keys = {each.key for constraints in (*CONSTRAINTS.values(), RESOURCE) for each in constraints if each.key}
    assert keys | {"dom-3"} == {key for key, *_ in BROKEN.values()}


def test_data_of_an_ecg_are_decimals_parted_by_one_space():
    def sampled(data, dimensions=1):
        series = {"origin": {"value": 0}, "period": 10, "dimensions": dimensions, "data": data}
        return [
            (problem.code, problem.expression)
            for problem in problems(
                changed("Observation", {"valueQuantity": DROP, "valueSampledData": series})
            )
        ]

    place = "Observation.value.data"
    assert sampled("1 -2.5 E L U 0 1e3 -0.1E-2") == []
    assert sampled("1 2 3 4", dimensions=2) == []
    assert sampled("1 2 3", dimensions=2) == [("invariant", place)]
    for wrong in ("1  2", " 1", "1 ", "1,2", "01", "e", "1 NaN", "+1", "1.", ".5"):
        assert sampled(wrong) == [("invariant", place)]


def test_a_local_reference_leads_to_what_is_contained():
    found = problems(
        changed("Observation", {"subject": {"reference": "#p"}, "contained": [{**ORGANIZATION, "id": "p"}]})
    )
    assert [(problem.code, problem.expression) for problem in found] == [
        ("structure", "Observation.subject.reference")
    ]
    contained = [{"resourceType": "Patient", "id": "p", "gender": "male"}]
    assert problems(changed("Observation", {"subject": {"reference": "#p"}, "contained": contained})) == ()


def test_a_fault_of_a_contained_resource_is_told_at_its_place():
    contained = [{**DEVICE, "patient": {"reference": "Group/1"}, "expirationDate": "2024-02-30"}]
    found = problems(changed("Observation", {"device": {"reference": "#d"}, "contained": contained}))
    assert {(problem.code, problem.expression) for problem in found} == {
        ("structure", "Observation.contained[0].patient.reference"),
        ("value", "Observation.contained[0].expirationDate"),
    }


def test_a_fault_within_a_bundle_is_told_at_its_entry():
    broken = changed("Observation", {"issued": "2023-02-29T00:00:00Z", "valueQuantity.system": DROP})
    bundle = changed("Bundle", {"total": 2, "entry": [ENTRY, {"resource": broken}]})
    assert {problem.expression for problem in problems(bundle)} == {
        "Bundle.entry[1].resource.issued",
        "Bundle.entry[1].resource.value",
    }


def test_what_one_entry_contains_is_not_there_for_another():
    holder = {**changed("Observation", PERFORMED_WITHIN), "contained": [ORGANIZATION]}
    bundle = changed(
        "Bundle", {"entry": [{"resource": holder}, {"resource": changed("Observation", PERFORMED_WITHIN)}]}
    )
    assert [problem.expression for problem in problems(bundle)] == [
        "Bundle.entry[1].resource.performer[0].reference"
    ]


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Patient/1"},
        {"reference": "https://example.org/a/fhir/Patient/1/_history/3"},
        {"reference": "urn:uuid:43b6ae50-2cca-4934-ad38-282f8934b770"},
        {"reference": "Patient?identifier=urn:oid:1.2|3"},
        {"reference": "https://example.org/whatever/1"},
        {"reference": "Group/1", "type": "Group"},
        {"type": "Patient", "identifier": {"value": "1"}},
        {"type": "http://hl7.org/fhir/StructureDefinition/Patient", "display": "a"},
        {"type": "https://example.org/StructureDefinition/Thing", "display": "a"},
        {"display": "a"},
    ],
)
def test_a_reference_that_may_be_right_is_taken(reference):
    assert problems(changed("Observation", {"subject": reference})) == ()


def test_a_conditional_reference_to_a_wrong_type_is_refused():
    found = problems(changed("Observation", {"subject": {"reference": "Practitioner?identifier=1"}}))
    assert [problem.code for problem in found] == ["structure"]


def test_an_invariant_names_no_piece_of_the_resource():
    found = problems(
        changed("Patient", {"text": {"status": "generated", "div": "<div><script>Marked</script></div>"}})
    )
    assert found
    assert "Marked" not in "".join(problem.text + problem.expression for problem in found)


@pytest.mark.parametrize(("key", "kind", "changes", "place"), BROKEN.values(), ids=BROKEN)
def test_no_schema_takes_what_breaks_a_constraint_for_plain(key, kind, changes, place):
    assert not schema.plain(kind).is_valid(changed(kind, changes))


@pytest.mark.parametrize("kind", VALID)
def test_a_valid_resource_is_walked_without_a_fault(kind):
    assert list(invariants.faults(valid(kind))) == []


# HL7's own mistakes: a dispenser that is a Practitioner, and a performer that is an Encounter.
WRONG_EXAMPLES = {
    "MedicationRequest-medrx0301": ["MedicationRequest.dispenseRequest.performer.reference"],
    "Observation-clinical-gender": ["Observation.performer[0].reference"],
}


@pytest.mark.parametrize(
    "path", examples("hl7-r4-examples"), ids=lambda path: path.stem if path else "absent"
)
def test_the_examples_of_hl7_keep_hl7s_constraints(path):
    found = [problem.expression for problem in invariants.faults(orjson.loads(path.read_bytes()))]
    assert found == WRONG_EXAMPLES.get(path.stem, [])


@pytest.mark.parametrize("path", examples("synthea"), ids=lambda path: path.stem if path else "absent")
def test_synthetic_records_keep_hl7s_constraints(path):
    assert list(invariants.faults(orjson.loads(path.read_bytes()))) == []
