"""HL7's error-level constraints on the types of FHIR R4, by the keys of the specification.

``CONSTRAINTS`` says of each type, or backbone element by its path, what must hold and how a breach is
told. Source: the StructureDefinitions of FHIR 4.0.1 (``constraint`` with severity ``error``), of the
types that are read or written here. ``ele-1`` and ``sqty-1`` are structure; ``ref-1`` and ``dom-3`` need
the whole resource and stand in ``invariants``. ``ppc-2`` to ``ppc-5`` are published with the system
``something``, so that they never apply; here they are read as meant, with HL7's system of consent scopes.
"""

from __future__ import annotations

from fhir_mapping import definitions
from fhir_mapping.validation import breaches, bundles, xhtml
from fhir_mapping.validation.constraint import (
    Constraint,
    alike,
    among,
    needs,
    not_both,
    some,
    these,
    without,
)

_UNIT = needs("qty-3", "code", "system", "a unit with a code must name the system of the code")
_VALUED = {"minProperties": 2, **without("id", "extension")}
_ABATEMENTS = definitions.type_of("Condition").choices["abatement[x]"]
_OBSERVED = definitions.type_of("Observation").choices["value[x]"]
_PATH = "either a path or a search parameter must be given, and not both"

RESOURCE = (
    among("dom-2", these("contained"), "a contained resource must not contain another", breaches.nested),
    among(
        "dom-4",
        these("contained"),
        "a contained resource must not have a version or a time of update",
        breaches.versioned,
    ),
    among(
        "dom-5", these("contained"), "a contained resource must not have a security label", breaches.labelled
    ),
)
"""Of every resource that may contain others."""

CONSTRAINTS: dict[str, tuple[Constraint, ...]] = {
    "Age": (
        _UNIT,
        Constraint("age-1", "an age must be positive and its unit a code of UCUM", breaches.age),
    ),
    "Attachment": (needs("att-1", "data", "contentType", "data must come with the type of its content"),),
    "AuditEvent.entity": (not_both("sev-1", "name", "query", "an entity must not have a name and a query"),),
    "Bundle": (
        Constraint("bdl-1", "only a search or a history has a total", bundles.total),
        Constraint("bdl-2", "only an entry of a search says how it was found", bundles.search),
        Constraint(
            "bdl-3",
            "a request stands in each entry of a batch, transaction or history, and in no other",
            bundles.request,
        ),
        Constraint(
            "bdl-4",
            "a response stands in each entry of a response or history, and in no other",
            bundles.response,
        ),
        Constraint("bdl-5", "an entry must have a resource, a request or a response", bundles.hollow),
        Constraint("bdl-7", "two entries have the same full URL and version", bundles.repeated),
        Constraint("bdl-8", "a full URL must not name a version", bundles.versioned),
        Constraint(
            "bdl-9", "a document must have an identifier with a system and a value", bundles.identifier
        ),
        Constraint("bdl-10", "a document must have a date", bundles.date),
        Constraint("bdl-11", "the first resource of a document must be a Composition", bundles.composition),
        Constraint(
            "bdl-12", "the first resource of a message must be a MessageHeader", bundles.message_header
        ),
    ),
    "CarePlan.activity": (
        not_both("cpl-3", "detail", "reference", "an activity must not have both a detail and a reference"),
    ),
    "Condition": (
        Constraint(
            "con-4",
            "a condition that has abated must be inactive, in remission or resolved",
            breaches.abatement,
            proof=without(*_ABATEMENTS),
        ),
        among(
            "con-5",
            these("verificationStatus", "clinicalStatus"),
            "a condition entered in error must not have a clinical status",
            breaches.entered_in_error,
        ),
    ),
    "Condition.evidence": (some("con-2", ("code", "detail"), "evidence must have a code or a detail"),),
    "Condition.stage": (
        some("con-1", ("summary", "assessment"), "a stage must have a summary or an assessment"),
    ),
    "Consent": (
        some("ppc-1", ("policy", "policyRule"), "a consent must have a policy or a policy rule"),
        Constraint(
            "ppc-2 to ppc-5",
            "a consent of this scope must name the patient",
            breaches.scope,
            proof={"required": ["patient"]},
        ),
    ),
    "ContactPoint": (needs("cpt-2", "value", "system", "a contact with a value must name its system"),),
    "Count": (
        _UNIT,
        Constraint("cnt-3", "a count must be a whole number with the unit 1", breaches.count),
    ),
    "DataRequirement.codeFilter": (alike("drq-1", "path", "searchParam", _PATH, wanted=False),),
    "DataRequirement.dateFilter": (alike("drq-2", "path", "searchParam", _PATH, wanted=False),),
    "Distance": (
        _UNIT,
        Constraint("dis-1", "the unit of a distance must be a code of UCUM", breaches.distance),
    ),
    "Duration": (
        _UNIT,
        Constraint(
            "drt-1",
            "a duration with a unit must have a value, and UCUM as system",
            breaches.duration,
            proof={
                "dependentRequired": {"code": ["value"]},
                "properties": {"system": {"enum": [breaches.UCUM]}},
                "required": ["system"],
            },
        ),
    ),
    "Expression": (
        some("exp-1", ("expression", "reference"), "there must be an expression or a reference to one"),
    ),
    "Extension": (
        Constraint(
            "ext-1",
            "an extension must have either a value or extensions, and not both",
            breaches.extension,
            formal=True,
            proof=_VALUED,
        ),
    ),
    "FamilyMemberHistory": (
        Constraint(
            "fhs-1", "a relative must not have both an age and a birth", breaches.age_and_birth, formal=True
        ),
        Constraint(
            "fhs-2", "an age can be estimated only where there is one", breaches.estimated_age, formal=True
        ),
    ),
    "MedicationAdministration.dosage": (
        Constraint("mad-1", "a dosage must have a dose or a rate", breaches.dose, formal=True),
    ),
    "MolecularSequence": (Constraint("msq-3", "a coordinate system is 0 or 1", breaches.coordinates),),
    "MolecularSequence.referenceSeq": (
        alike(
            "msq-5",
            "genomeBuild",
            "chromosome",
            "a genome build and a chromosome must both be given, or neither",
            wanted=True,
        ),
        Constraint(
            "msq-6",
            "a reference sequence must have exactly one of build, id, pointer and string",
            breaches.sequence_source,
            formal=True,
        ),
    ),
    "MoneyQuantity": (_UNIT,),
    "Narrative": (
        Constraint("txt-1", "the narrative holds more than basic formatting", xhtml.forbidden),
        Constraint("txt-2", "the narrative says nothing", xhtml.blank),
    ),
    "Observation": (
        Constraint(
            "obs-6",
            "a value and a reason for its absence must not both be given",
            breaches.absent_and_valued,
            formal=True,
            proof=without("dataAbsentReason"),
        ),
        Constraint(
            "obs-7",
            "a component must not repeat the code of an observation that has a value",
            breaches.component_repeats_code,
            these("component"),
            proof={"dependentSchemas": {"component": without(*_OBSERVED)}},
        ),
    ),
    "Observation.referenceRange": (
        some("obs-3", ("low", "high", "text"), "a reference range must have a low, a high or a text"),
    ),
    "Parameters.parameter": (
        Constraint(
            "inv-1",
            "a parameter must have exactly one of value, resource and parts",
            breaches.parameter,
            formal=True,
        ),
    ),
    "Patient.contact": (
        some(
            "pat-1",
            ("name", "telecom", "address", "organization"),
            "a contact must have a name, a telecom, an address or an organization",
        ),
    ),
    "Period": (
        among("per-1", these("start", "end"), "the period ends before it starts", breaches.period_order),
    ),
    "Quantity": (_UNIT,),
    "Range": (
        among("rng-2", these("low", "high"), "the low of the range is above its high", breaches.range_order),
    ),
    "Ratio": (
        Constraint(
            "rat-1",
            "a ratio must have both a numerator and a denominator",
            breaches.ratio,
            formal=True,
            proof={"required": ["numerator", "denominator"]},
        ),
    ),
    "RiskAssessment.prediction": (
        among(
            "ras-1",
            these("probabilityRange"),
            "the limits of a probability must be percentages of UCUM",
            breaches.percentages,
        ),
        Constraint(
            "ras-2",
            "a probability must be at most 100",
            breaches.probability,
            proof={"properties": {"probabilityDecimal": {"maximum": 100}}},
        ),
    ),
    "SampledData": (
        Constraint(
            "",
            "the data must be decimals, E, L or U, each parted by one space, for whole points in time",
            breaches.samples,
        ),
    ),
    "SimpleQuantity": (_UNIT,),
    "Timing.repeat": (
        needs("tim-1", "duration", "durationUnit", "a duration must have a unit"),
        needs("tim-2", "period", "periodUnit", "a period must have a unit"),
        Constraint(
            "tim-4",
            "a duration must not be negative",
            breaches.negative("duration"),
            proof={"properties": {"duration": {"minimum": 0}}},
        ),
        Constraint(
            "tim-5",
            "a period must not be negative",
            breaches.negative("period"),
            proof={"properties": {"period": {"minimum": 0}}},
        ),
        needs("tim-6", "periodMax", "period", "a longest period needs a period"),
        needs("tim-7", "durationMax", "duration", "a longest duration needs a duration"),
        needs("tim-8", "countMax", "count", "a highest count needs a count"),
        Constraint(
            "tim-9",
            "an offset needs a time of day that is not a meal",
            breaches.offset,
            proof=without("offset"),
        ),
        not_both("tim-10", "timeOfDay", "when", "a time of day and an event must not both be given"),
    ),
    "TriggerDefinition": (
        Constraint(
            "trd-1", "a trigger must not have both a timing and data", breaches.timed_data, these("data")
        ),
        needs("trd-2", "condition", "data", "a condition needs data"),
        Constraint("trd-3", "a trigger must have what its type needs", breaches.trigger),
    ),
}
