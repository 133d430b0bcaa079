"""From R4 to R5 and back: nothing is lost, and what one release cannot say is refused by name."""

import copy
import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.evaluation import evaluate
from fhir_mapping import (
    audit_event,
    communication,
    consent,
    detected_issue,
    directive,
    guidance_response,
    proposal,
    provenance,
    release,
    risk_assessment,
    validation,
)
from fhir_mapping.errors import Unusable
from fhir_mapping.release import from_r4, of, receive, structure, to_r4
from fhir_mapping.release.tables import TABLES
from tests.consent.sample import NOW, request
from tests.fhir_mapping import spoken
from tests.fhir_mapping.published import examples
from tests.fhir_mapping.test_alert import ALERTS
from tests.fhir_mapping.test_audit_event import entries
from tests.fhir_mapping.test_directive import directives
from tests.fhir_mapping.test_guidance_response import GUIDANCE
from tests.fhir_mapping.test_proposal import PROPOSALS
from tests.fhir_mapping.test_provenance import ACTS

WRITTEN = (
    st.builds(risk_assessment.foretold, spoken.HEADINGS, spoken.FORECASTS).map(risk_assessment.render)
    | ACTS.map(provenance.render)
    | entries().map(audit_event.render)
    | ALERTS.map(detected_issue.render)
    | ALERTS.map(communication.render)
    | GUIDANCE.map(guidance_response.render)
    | st.builds(proposal.Proposed, spoken.HEADINGS, PROPOSALS).map(proposal.render)
)
# A reader of R5 would take these otherwise than they are meant.
NOT_IN_R5 = {
    "Consent-consent-example-Emergency": "Consent.provision",
    "Consent-consent-example-Out": "Consent.provision",
    "Consent-consent-example-grantor": "Consent.provision",
    "Consent-consent-example-notOrg": "Consent.provision",
    "Consent-consent-example-pkb": "Consent.provision",
    "Consent-consent-example-signature": "Consent.provision.provision[0].type",
    "Consent-consent-example-smartonfhir": "Consent.provision.provision[0].type",
    "Subscription-example": "Subscription.criteria",
    "Subscription-example-error": "Subscription.criteria",
}
REGROUPED = {"Condition-f201"}  # code and detail of one evidence become two


def published():
    kinds = sorted(set(TABLES) - {"Bundle"})
    named = [path for kind in kinds for path in examples("hl7-r4-examples", f"{kind}-*.json")]
    real = [path for path in named if hasattr(path, "stem")] or named[:1]
    return [*real, *examples("subscriptions-backport", "Subscription-*.json")]


@pytest.mark.parametrize(
    ("version", "known"),
    [("4.0.1", "R4"), ("4.0.0", "R4"), ("4.0", "R4"), ("4.1.0", "R4B"), ("4.3.0", "R4B"), ("5.0.0", "R5")],
)
def test_the_release_is_told_by_the_version(version, known):
    assert of(version) == known


@pytest.mark.parametrize("version", ["", "1.0.2", "3.0.2", "4.6.0", "5.0.0-ballot", "6.0.0", "R4"])
def test_older_newer_and_unfinished_releases_are_refused(version):
    with pytest.raises(Unusable, match="R4, R4B or R5") as refusal:
        of(version)
    assert refusal.value.code == "not-supported"


@pytest.mark.parametrize("same", ["R4", "R4B"])
def test_r4_and_r4b_pass_as_they_are(same):
    resource = {"resourceType": "Observation", "valueAttachment": {}}
    assert to_r4(resource, same) is resource
    assert from_r4(resource, same) is resource


@pytest.mark.parametrize("path", published(), ids=lambda path: path.stem if path else "absent")
def test_a_published_example_goes_to_r5_and_back_or_is_refused_by_name(path):
    resource = json.loads(path.read_bytes())
    before = copy.deepcopy(resource)
    if path.stem in NOT_IN_R5:
        with pytest.raises(Unusable) as refusal:
            from_r4(resource, "R5")
        assert refusal.value.expression == NOT_IN_R5[path.stem]
        return
    there = from_r4(resource, "R5")
    assert resource == before
    assert structure.faults(there) == ()
    assert (receive(there, "R5").resource == resource) == (path.stem not in REGROUPED)


@settings(deadline=None)
@given(WRITTEN)
def test_what_we_write_is_r5_and_comes_back_the_same(resource):
    resource = orjson.loads(orjson.dumps(resource))
    there = from_r4(resource, "R5")
    assert structure.faults(there) == ()
    assert to_r4(there, "R5") == resource


@settings(deadline=None)
@given(directives())
def test_a_directive_that_r5_can_say_comes_back_the_same(said):
    resource = orjson.loads(orjson.dumps(directive.render(said, "Patient/17")))
    there, refusal = attempted(resource)
    if refusal is not None:
        assert refusal.expression.startswith("Consent.provision")
        return
    assert structure.faults(there) == ()
    assert to_r4(there, "R5") == resource


def attempted(resource):
    """Return the R5 resource, or why there is none."""
    try:
        return from_r4(resource, "R5"), None
    except Unusable as refusal:
        return None, refusal


def plain(value):
    """Return what a reader sees that knows no extension of another release."""
    if isinstance(value, list):
        return [plain(each) for each in value if not _foreign(each)]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if plain(each) not in ([], {})}
    return value


def _foreign(value):
    return isinstance(value, dict) and str(value.get("url")).startswith("http://hl7.org/fhir/4.0/")


REQUESTS = st.builds(
    request,
    act=st.sampled_from(["collect", "use", "disclose"]),
    purpose=st.sampled_from(["TREAT", "HRESCH"]),
    actors=st.frozensets(st.sampled_from(["Practitioner/1", "|8", "Device/didymos"])),
    at=st.datetimes().map(lambda each: each.replace(tzinfo=NOW.tzinfo)) | st.just(NOW),
    classes=st.frozensets(st.sampled_from(["Observation", "RiskAssessment", "Patient"])),
    labels=st.frozensets(st.sampled_from(["R", "PSY", "N"])),
    codes=st.frozensets(st.sampled_from(["http://loinc.org|8480-6", "|local"])),
    data=st.frozensets(st.sampled_from(["Observation/1", "Condition/9"])),
)


@settings(deadline=None)
@given(directives(), REQUESTS)
def test_who_reads_our_consent_without_its_marks_permits_no_more(said, asked):
    resource = orjson.loads(orjson.dumps(directive.render(said, "Patient/17")))
    there, _ = attempted(resource)
    if there is None:
        return
    shown = plain(there)
    shown["category"] = [concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IDSCL")]
    read = consent.read(to_r4(shown, "R5"))
    if evaluate(read, asked) == "permit":
        assert evaluate(consent.read(resource), asked) == "permit"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["permit", "recorded", "x", "1"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["coding", "code", "system", "concept", "reference", "extension", "url", "type", "provision"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
NAMES = sorted(
    {
        *(
            "status",
            "code",
            "category",
            "decision",
            "provision",
            "grantee",
            "reason",
            "medication",
            "relative",
        ),
        *(
            "participant",
            "evidence",
            "agent",
            "entity",
            "outcome",
            "filterBy",
            "parameter",
            "contained",
            "size",
        ),
        *("occurrenceTiming", "valueSampledData", "adherence", "authorization", "name", "property", "topic"),
        *("extension", "modifierExtension", "reported", "informationSource", "criteria", "channel", "scope"),
    }
)


@settings(deadline=None)
@given(st.sampled_from(sorted(TABLES)), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
def test_no_input_makes_anything_but_a_shape_or_a_named_refusal(kind, elements):
    resource = {"resourceType": kind, **elements}
    received = receive(resource, "R5")
    assert received.resource["resourceType"] == kind
    if received.fault is not None:
        assert all(each.expression.startswith(kind) for each in received.fault.problems)
    _, refusal = attempted(resource)
    assert refusal is None or refusal.expression.startswith(kind)


def concept(system, code):
    return {"coding": [{"system": system, "code": code}]}


def observation(**elements):
    told = {"status": "final", "code": concept("http://loinc.org", "8867-4"), "subject": PATIENT}
    return {"resourceType": "Observation", "id": "o1", **told, **elements}


PATIENT = {"reference": "Patient/p1"}


def refused(resource):
    with pytest.raises(Unusable) as refusal:
        to_r4(resource, "R5")
    return refusal.value.expression


def understood(resource):
    """Return the R4 shape, which R4's own validation has nothing against."""
    shape = to_r4(resource, "R5")
    assert validation.problems(shape) == ()
    return shape


@pytest.mark.parametrize(
    ("elements", "place"),
    [
        ({"valueAttachment": {"title": "a"}}, "Observation.value"),
        ({"valueReference": PATIENT}, "Observation.value"),
        (
            {"component": [{"code": concept("s", "c"), "valueReference": PATIENT}]},
            "Observation.component[0].value",
        ),
    ],
)
def test_a_value_that_r4_does_not_know_is_refused_by_name(elements, place):
    assert refused(observation(**elements)) == place


def test_what_only_r5_has_and_changes_nothing_is_carried_along():
    resource = observation(bodyStructure={"reference": "BodyStructure/1"}, instantiatesCanonical="urn:x")
    resource["triggeredBy"] = [{"observation": {"reference": "Observation/2"}, "type": "reflex"}]
    assert from_r4(understood(resource), "R5") == resource


@pytest.mark.parametrize(("unit", "interval", "period"), [("ms", 20, 20), ("s", 0.5, 500), ("us", 250, 0.25)])
def test_samples_keep_their_times(unit, interval, period):
    data = {
        "origin": {"value": 0},
        "interval": interval,
        "intervalUnit": unit,
        "dimensions": 1,
        "data": "1 2",
    }
    assert understood(observation(valueSampledData=data))["valueSampledData"]["period"] == period


@pytest.mark.parametrize(
    "irregular", [{"offsets": "0 5"}, {"interval": 1, "intervalUnit": "mm"}, {"intervalUnit": "ms"}]
)
def test_samples_without_regular_times_are_refused(irregular):
    data = {"origin": {"value": 0}, "dimensions": 1, "data": "1 2", "intervalUnit": "ms", **irregular}
    assert refused(observation(valueSampledData=data)).startswith("Observation.value.")


def test_an_extension_with_a_new_kind_of_value_is_left_out_and_a_modifier_refused():
    new = [{"url": "urn:x", "valueInteger64": "5"}]
    assert "extension" not in understood(observation(extension=new))
    assert refused(observation(modifierExtension=new)) == "Observation.modifierExtension[0].value"


def test_a_fault_of_structure_is_named_without_the_value():
    with pytest.raises(Unusable) as refusal:
        to_r4(observation(valueQuantity={"value": "Jane Doe"}, reasonCode="Jane Doe"), "R5")
    places = {each.expression for each in refusal.value.problems}
    assert places == {"Observation.value.value", "Observation"}
    assert "Jane" not in repr([(each.code, each.text) for each in refusal.value.problems])


def test_what_is_contained_is_turned_with_it():
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "code": concept("http://www.nlm.nih.gov/research/umls/rxnorm", "617314"),
        "doseForm": {"text": "tablet"},
        "ingredient": [{"item": {"concept": {"text": "atorvastatin"}}}],
    }
    order = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "contained": [medication],
        "status": "ended",
        "intent": "order",
        "medication": {"reference": {"reference": "#m"}},
        "subject": PATIENT,
        "dosageInstruction": [{"asNeeded": True, "asNeededFor": [{"text": "pain"}]}],
    }
    shape = understood(order)
    assert shape["medicationReference"] == {"reference": "#m"}
    assert shape["contained"][0]["ingredient"] == [{"itemCodeableConcept": {"text": "atorvastatin"}}]
    assert shape["status"] == "completed"
    assert shape["dosageInstruction"][0]["asNeededCodeableConcept"] == {"text": "pain"}
    assert from_r4(shape, "R5") == order


ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"


@pytest.mark.parametrize(
    ("status", "adherence", "known"),
    [
        ("recorded", "taking", "active"),
        ("recorded", "taking-as-directed", "active"),
        ("recorded", "on-hold", "on-hold"),
        ("recorded", "stopped-not-as-directed", "stopped"),
        ("recorded", "not-taking", "not-taken"),
        ("recorded", None, "unknown"),
        ("recorded", "of-a-later-version", "unknown"),
        ("draft", "taking", "unknown"),
        ("entered-in-error", "taking", "entered-in-error"),
    ],
)
def test_whether_a_medication_is_taken_follows_from_adherence(status, adherence, known):
    statement = {
        "resourceType": "MedicationStatement",
        "id": "s1",
        "status": status,
        "medication": {"concept": {"text": "a statin"}},
        "subject": PATIENT,
    }
    if adherence:
        statement["adherence"] = {"code": concept(ADHERENCE, adherence)}
    assert understood(statement)["status"] == known


R4_STATUSES = (
    "active",
    "completed",
    "entered-in-error",
    "intended",
    "stopped",
    "on-hold",
    "unknown",
    "not-taken",
)


@pytest.mark.parametrize("status", R4_STATUSES)
def test_every_status_of_a_statement_survives_r5(status):
    statement = {
        "resourceType": "MedicationStatement",
        "status": status,
        "statusReason": [{"text": "told so"}],
        "medicationCodeableConcept": {"text": "a statin"},
        "subject": PATIENT,
        "context": {"reference": "Encounter/1"},
        "effectiveDateTime": "2026-01-01",
    }
    there = from_r4(statement, "R5")
    assert structure.faults(there) == ()
    assert to_r4(there, "R5") == statement


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ({"resourceType": "Procedure", "status": "completed", "occurrenceTiming": {"event": ["2026-01-01"]}},
         "Procedure.occurrence"),
        ({"resourceType": "Procedure", "status": "completed", "focus": PATIENT}, "Procedure.focus"),
        ({"resourceType": "MolecularSequence", "focus": [PATIENT]}, "MolecularSequence.focus"),
        ({"resourceType": "MolecularSequence", "formatted": [{"title": "a"}]}, "MolecularSequence.formatted"),
    ],
)  # fmt: skip
def test_what_would_be_misunderstood_without_it_is_refused(resource, place):
    resource = {**resource, "subject": PATIENT}
    assert refused(resource) == place


def test_a_diagnosis_of_unknown_status_says_nothing_of_it_in_r4():
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    condition = {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": concept(clinical, "unknown"),
        "code": concept("http://snomed.info/sct", "44054006"),
        "subject": PATIENT,
        "participant": [{"function": {"text": "cousin"}, "actor": {"reference": "RelatedPerson/1"}}],
    }
    shape = understood(condition)
    assert "clinicalStatus" not in shape
    assert from_r4(shape, "R5") == condition


def test_a_sequence_is_turned_into_variants():
    edit = {"start": 10, "end": 11, "replacementSequence": "A", "replacedSequence": "G"}
    start = {"sequenceCodeableConcept": concept("http://www.ncbi.nlm.nih.gov/nuccore", "NM_000492.4")}
    start |= {"windowStart": 1, "windowEnd": 100, "strand": "watson"}
    counted = concept("http://loinc.org", "LA30102-0")
    relative = {"coordinateSystem": counted, "startingSequence": start, "edit": [edit]}
    sequence = {"resourceType": "MolecularSequence", "id": "q", "type": "dna", "subject": PATIENT}
    shape = understood({**sequence, "relative": [relative]})
    assert shape["coordinateSystem"] == 1
    assert shape["variant"] == [{"start": 10, "end": 11, "observedAllele": "A", "referenceAllele": "G"}]
    assert shape["referenceSeq"]["referenceSeqId"] == start["sequenceCodeableConcept"]
    assert refused({**sequence, "relative": [relative, relative]}) == "MolecularSequence.relative"
    uncounted = {**sequence, "relative": [{**relative, "coordinateSystem": {"text": "from the start"}}]}
    assert refused(uncounted) == "MolecularSequence.relative[0].coordinateSystem"


ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"


def directive_of(decision, *provisions, **elements):
    told = {"status": "active", "category": [concept(ACT_CODE, "IDSCL")], "subject": PATIENT}
    told |= {"decision": decision} if decision else {}
    told |= {"provision": list(provisions)} if provisions else {}
    return {"resourceType": "Consent", "id": "c1", **told, **elements}


def to(*recipients):
    return {"actor": [{"role": RECIPIENT, "reference": {"reference": each}} for each in recipients]}


RECIPIENT = concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")


def test_the_rules_of_r5_are_exceptions_to_what_they_stand_in():
    inner = {"purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]}
    shape = to_r4(directive_of("deny", {**to("Device/didymos"), "provision": [inner]}), "R5")
    root = shape["provision"]
    assert (root["type"], root["provision"][0]["type"]) == ("deny", "permit")
    assert root["provision"][0]["provision"][0]["type"] == "deny"


def decided(resource, **asked):
    return evaluate(consent.read(to_r4(resource, "R5")), request(**asked))


def test_a_decision_and_its_exceptions_are_decided_as_r5_means_them():
    ours, theirs = frozenset({"Device/didymos"}), frozenset({"Device/other"})
    assert decided(directive_of("permit"), actors=ours) == "permit"
    assert decided(directive_of("deny"), actors=ours) == "deny"
    assert decided(directive_of("permit", to("Device/didymos")), actors=ours) == "deny"
    assert decided(directive_of("permit", to("Device/didymos")), actors=theirs) == "permit"
    assert decided(directive_of("deny", to("Device/didymos")), actors=ours) == "permit"
    assert decided(directive_of("deny", to("Device/didymos")), actors=theirs) == "deny"


def test_a_permission_holds_only_for_its_grantees_and_within_its_period():
    granted = directive_of("permit", grantee=[{"reference": "Device/didymos"}])
    assert decided(granted, actors=frozenset({"Device/didymos"})) == "permit"
    assert decided(granted, actors=frozenset({"Device/other"})) == "silent"
    assert decided(directive_of("permit", period={"end": "2020-01-01"})) == "silent"


def test_types_of_resources_are_classes_and_documents_beside_them_are_refused():
    types = {"resourceType": [{"system": "http://hl7.org/fhir/fhir-types", "code": "Observation"}]}
    only = directive_of("deny", types)
    assert decided(only, classes=frozenset({"Observation"})) == "permit"
    assert decided(only, classes=frozenset({"Condition"})) == "deny"
    both = directive_of("deny", {**types, "documentType": [{"code": "application/hl7-cda+xml"}]})
    assert refused(both) == "Consent.provision[0].documentType"


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        (directive_of("permit", {"expression": {"language": "text/cql"}}), "Consent.provision[0].expression"),
        (directive_of(None, to("Device/didymos")), "Consent.decision"),
        (directive_of("permit", category=[concept("http://loinc.org", "59284-0")]), "Consent.category"),
        (directive_of("permit", category=[]), "Consent.category"),
        (directive_of("permit", status="unknown"), "Consent.status"),
    ],
)
def test_a_consent_whose_meaning_r4_cannot_say_is_refused(resource, place):
    assert place in {each.expression for each in receive(resource, "R5").fault.problems}


def test_what_a_consent_is_about_follows_from_its_actions():
    action = {"action": [concept(ACTION, "disclose")]}
    told = directive_of("permit", action, category=[concept("http://loinc.org", "59284-0")])
    assert consent.read(to_r4(told, "R5")).scope == "patient-privacy"


def test_a_contained_care_team_of_r5_is_one_of_r4():
    member = {"role": {"text": "nurse"}, "member": {"reference": "Practitioner/1"}}
    team = {"resourceType": "CareTeam", "id": "t", "reason": [{"concept": {"text": "falls"}}]}
    team["participant"] = [{**member, "coveragePeriod": {"start": "2024"}}, member]
    plan = {"resourceType": "CarePlan", "id": "c", "status": "active", "intent": "plan", "subject": PATIENT}
    sent = {**plan, "careTeam": [{"reference": "#t"}], "contained": [team]}
    shape = understood(sent)
    assert shape["contained"][0]["reasonCode"] == [{"text": "falls"}]
    assert shape["contained"][0]["participant"][0] == {
        "role": [{"text": "nurse"}],
        "member": {"reference": "Practitioner/1"},
        "period": {"start": "2024"},
    }
    assert from_r4(shape, "R5") == sent


def test_a_bundle_is_turned_entry_by_entry():
    told = {"reason": [{"concept": {"text": "why"}}], "status": "final", "subject": PATIENT}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"resourceType": "RiskAssessment", **told}}],
    }
    shape = to_r4(bundle, "R5")
    assert shape["entry"][0]["resource"]["reasonCode"] == [{"text": "why"}]
    assert from_r4(shape, "R5") == bundle
    bundle["entry"][0]["resource"]["status"] = []
    assert refused(bundle).startswith("Bundle.entry[0].resource.status")


def test_a_type_that_r5_does_not_have_is_refused():
    assert refused({"resourceType": "Media", "id": "1"}) == "Media"


def test_a_code_that_was_changed_since_is_not_overruled_by_what_it_was():
    issue = {"resourceType": "DetectedIssue", "status": "amended", "patient": PATIENT}
    there = from_r4(issue, "R5")
    assert there["status"] == "final"
    assert to_r4({**there, "status": "entered-in-error"}, "R5")["status"] == "entered-in-error"


def test_no_status_stands_for_one_that_r5_lacks():
    issue = {"resourceType": "DetectedIssue", "status": "cancelled", "patient": PATIENT}
    with pytest.raises(Unusable) as refusal:
        from_r4(issue, "R5")
    assert refusal.value.expression == "DetectedIssue.status"


def test_the_tables_name_only_types_that_both_releases_have():
    for kind in TABLES:
        assert "not-supported" not in {each.code for each in structure.faults({"resourceType": kind})}
    assert release.__all__ == sorted(release.__all__)


GIVEN = {
    "resourceType": "MedicationAdministration",
    "status": "completed",
    "medication": {"concept": {"text": "a statin"}},
    "subject": PATIENT,
    "occurenceDateTime": "2026-01-01",
}


def test_an_administration_of_full_potency_is_turned_and_comes_back_the_same():
    full = GIVEN | {"isSubPotent": False}
    shape = understood(full)
    assert "isSubPotent" not in shape
    assert from_r4(shape, "R5") == full


@pytest.mark.parametrize("element", ["isSubPotent", "_isSubPotent"])
def test_an_administration_of_lesser_or_unknown_potency_is_refused(element):
    value = {"extension": [{"url": "urn:x", "valueBoolean": True}]} if element[0] == "_" else True
    assert refused(GIVEN | {element: value}) == "MedicationAdministration.isSubPotent"
