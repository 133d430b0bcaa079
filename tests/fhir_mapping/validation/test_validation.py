import copy
from dataclasses import asdict

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fhir_mapping import definitions, guard, validation
from fhir_mapping.errors import Problem, Unusable
from fhir_mapping.validation import invariants, schema, structure
from tests.fhir_mapping.effort import growth
from tests.fhir_mapping.published import examples
from tests.fhir_mapping.validation.valid import KINDS, PRESSURE, VALID, found, without

# HL7 published these against its own rules: the target types of the references are others.
WRONG_IN_HL7 = {
    "MedicationRequest-medrx0301.json": "MedicationRequest.dispenseRequest.performer.reference",
    "Observation-clinical-gender.json": "Observation.performer[0].reference",
}


@pytest.mark.parametrize("resource", VALID, ids=lambda each: each["resourceType"])
def test_a_valid_resource_has_no_problems(resource):
    assert found(resource) == []


@pytest.mark.parametrize(
    "path", examples("hl7-r4-examples"), ids=lambda each: each.stem if each else "absent"
)
def test_the_examples_of_hl7_are_valid_save_those_that_break_its_rules(path):
    wrong = WRONG_IN_HL7.get(path.name)
    assert found(guard.parse(path.read_bytes())) == ([("structure", wrong)] if wrong else [])


@pytest.mark.parametrize(
    "path", examples("genomics-reporting"), ids=lambda each: each.stem if each else "absent"
)
def test_the_examples_of_genomics_reporting_are_valid(path):
    assert found(guard.parse(path.read_bytes())) == []


@pytest.mark.parametrize("path", examples("synthea"), ids=lambda each: each.stem if each else "absent")
def test_a_synthetic_record_is_valid_in_every_part(path):
    assert found(guard.parse(path.read_bytes(), guard.BUNDLE)) == []


def test_invariants_are_looked_at_where_the_structure_is_right():
    assert found({**PRESSURE, "referenceRange": [{"age": {"low": {"value": 1}}}]}) == [
        ("invariant", "Observation.referenceRange[0]")
    ]


def test_a_refusal_names_the_first_fault_and_holds_all():
    with pytest.raises(Unusable) as refused:
        validation.check({**without(PRESSURE, "status"), "issued": "today"})
    assert (refused.value.code, refused.value.status) == ("required", 422)
    assert refused.value.expression == "Observation.status"
    assert [each.expression for each in refused.value.problems] == [
        "Observation.status",
        "Observation.issued",
    ]


def test_a_valid_resource_is_not_refused():
    validation.check(PRESSURE)


# Changes that make most resources wrong somewhere.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(0, 2)
    | st.sampled_from(
        [
            "",
            " ",
            "a",
            "a b",
            "final",
            "2026",
            "2026-02-30",
            "2024-02-29",
            "Patient/p",
            "Location/p",
            "#x",
            "urn:x",
            "1",
            "YQ==",
        ]
    )
)
NAMES = st.sampled_from(
    sorted(
        {"resourceType", "nonsense", "_", "@"}.union(
            *(
                definitions.type_of(each).fields
                for each in (
                    "Observation",
                    "Observation.component",
                    "Patient",
                    "Quantity",
                    "Extension",
                    "HumanName",
                    "Condition",
                    "CodeableConcept",
                    "Coding",
                    "Reference",
                    "Period",
                    "RiskAssessment",
                )
            )
        )
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=4,
)


def holders(value):
    """Yield every object and list within ``value``."""
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from holders(each)


@st.composite
def altered(draw):
    """Draw one of the valid resources with one or two places changed."""
    resource = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 2))):
        holder = draw(st.sampled_from(list(holders(resource))))
        if isinstance(holder, dict):
            name = draw(st.sampled_from(sorted(holder)) | NAMES if holder else NAMES)
            act = draw(st.sampled_from(("set", "drop", "wrap")))
            if act == "drop":
                holder.pop(name, None)
            else:
                holder[name] = [holder.get(name)] if act == "wrap" else draw(VALUES)
        else:
            holder[draw(st.integers(0, len(holder))) :] = draw(st.lists(VALUES, max_size=2))
    return resource


@given(altered())
@settings(max_examples=400, deadline=None)
def test_what_the_schemas_accept_the_full_reading_accepts(resource):
    name = resource.get("resourceType")
    known = isinstance(name, str) and name in definitions.resource_types()
    if known and schema.plain(name).is_valid(resource):
        assert list(structure.faults(resource)) == []
        assert list(invariants.faults(resource)) == []
    told = list(structure.faults(resource))
    assert validation.problems(resource) == tuple(told[:50]) or not told


def typed(resource):
    """Return whether fhir.resources takes it."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(orjson.dumps(resource))
    except (ValidationError, AttributeError, LookupError, TypeError):  # it also fails in its own code
        return False
    return True


def seen_otherwise(resource):
    """Return whether this is one of the named places where fhir.resources is wrong."""
    return b'"_value' in orjson.dumps(resource)  # its Extension knows no parts of primitive values


@given(altered().filter(lambda each: each.get("resourceType") in KINDS))
@settings(max_examples=250, deadline=None)
def test_what_fhir_resources_rejects_is_rejected(resource):
    if not typed(resource) and not seen_otherwise(resource):
        assert validation.problems(resource)


MARK = "Zebra7Quagga"


def marked(value):
    if isinstance(value, dict):
        return {name: marked(each) for name, each in value.items()}
    return [marked(each) for each in value] if isinstance(value, list) else MARK


@given(altered(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_problem_holds_a_piece_of_the_input(resource, keys):
    planted = {
        **{name: marked(each) for name, each in resource.items()},
        "resourceType": resource.get("resourceType"),
    }
    for holder in list(holders(planted)) if keys else ():
        if isinstance(holder, dict):
            holder[MARK] = {MARK: MARK}
    told = validation.problems(planted, limit=1000)
    assert told
    assert all(MARK not in str(part) for each in told for part in asdict(each).values())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text() | NAMES, JSON, max_size=6),
    st.sampled_from(sorted(definitions.resource_types())) | JSON,
)
@settings(max_examples=200, deadline=None)
def test_nothing_comes_out_but_problems(elements, name):
    told = validation.problems({**elements, "resourceType": name})
    assert all(isinstance(each, Problem) for each in told)


def test_a_hostile_resource_costs_no_more_than_its_first_faults():
    def hostile(count):
        return PRESSURE | {f"x{index}": 1 for index in range(count)}

    assert len(validation.problems(hostile(100))) == 50
    assert growth(validation.problems, hostile(100), hostile(10_000)) < 2
