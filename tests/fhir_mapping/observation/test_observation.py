import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import observation, validation
from fhir_mapping.mapped import IRRELEVANT, Mapped
from tests.fhir_mapping.observation.observations import (
    ABSENT,
    AT,
    DIASTOLIC,
    LOINC,
    ORIGIN,
    PRESSURE,
    SMOKING,
    SYSTOLIC,
    TEMPERATURE,
    WEIGHT,
    concept,
    items,
    observed,
    part,
    problem,
    ucum,
)
from twin_engine.twin import Absence, Finding, Measurement

SOURCE = ORIGIN.source
PAIR = [
    part(SYSTOLIC, valueQuantity=ucum(128, "mm[Hg]")),
    part(DIASTOLIC, valueQuantity=ucum(82, "mm[Hg]")),
]
MODIFIER = {"url": "http://example.org/not", "valueBoolean": True}


def test_a_blood_pressure_gives_two_measurements():
    assert items(observed(PRESSURE, component=PAIR)) == (
        Measurement("systolic-blood-pressure", AT, SOURCE, 128.0),
        Measurement("diastolic-blood-pressure", AT, SOURCE, 82.0),
    )


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_what_is_final_is_used(status):
    assert len(items(observed(WEIGHT, status=status, valueQuantity=ucum(70, "kg")))) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("registered", "status"),
        ("preliminary", "status"),
        ("unknown", "status"),
        ("cancelled", "retracted"),
        ("entered-in-error", "retracted"),
        (None, "status"),
    ],
)
def test_what_is_not_final_waits_and_what_is_retracted_is_said_to_be(status, code):
    extension = [{"url": "http://example.org/status", "valueString": "unsaid"}]
    given = observed(WEIGHT, status=status, _status={"extension": extension}, valueQuantity=ucum(70, "kg"))
    found = problem(given)
    assert (found.code, found.expression) == (code, "Observation.status")


@pytest.mark.parametrize(
    "code", [concept("0000-0"), concept(WEIGHT, "http://example.org"), {"text": "Weight"}]
)
def test_codes_that_no_model_knows_are_irrelevant(code):
    assert observation.read(observed(WEIGHT, code=code, valueQuantity=ucum(70, "kg")), ORIGIN) is IRRELEVANT


def test_a_code_that_is_known_beside_one_that_is_not_is_enough():
    both = {"coding": [{"system": "urn:oid:1.2.3", "code": "W"}, *concept(WEIGHT)["coding"]]}
    assert items(observed(WEIGHT, code=both, valueQuantity=ucum(70, "kg")))[0].signal == "body-weight"


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (TEMPERATURE, "the codes name different things"),
        ("48643-1", "an eGFR with a coefficient for race is not used"),
    ],
)
def test_codes_that_contradict_are_refused(other, text):
    both = {"coding": [*concept(WEIGHT)["coding"], *concept(other)["coding"]]}
    found = problem(observed(WEIGHT, code=both, valueQuantity=ucum(70, "kg")))
    assert (found.code, found.text, found.expression) == ("code", text, "Observation.code")


def test_of_two_codes_for_one_signal_the_stricter_one_says_which_units_are_read():
    # 59261-8 is HbA1c in mmol/mol; a value in % beside it could be on another scale.
    both = [concept(code)["coding"][0] for code in ("4548-4", "59261-8")]
    for codings in (both, both[::-1]):
        assert problem(observed("", code={"coding": codings}, valueQuantity=ucum(6.5, "%"))).code == "unit"
        assert len(items(observed("", code={"coding": codings}, valueQuantity=ucum(48, "mmol/mol")))) == 1


def test_a_panel_beside_a_signal_gives_way_to_it():
    both = {"coding": [*concept(PRESSURE)["coding"], *concept(SYSTOLIC)["coding"]]}
    assert len(items(observed(PRESSURE, code=both, valueQuantity=ucum(120, "mm[Hg]")))) == 1


def test_a_known_component_counts_below_a_code_that_is_not_known():
    assert len(items(observed("0000-0", component=PAIR))) == 2
    assert observation.read(observed("0000-0", component=[part("0000-1")]), ORIGIN) is IRRELEVANT


def test_a_value_of_its_own_comes_before_its_components_and_none_counts_twice():
    pressures = items(observed(SYSTOLIC, valueQuantity=ucum(128, "mm[Hg]"), component=[*PAIR, *PAIR]))
    assert [item.value for item in pressures] == [128, 82]


def test_two_values_of_one_signal_contradict_each_other():
    mapped = observation.read(
        observed(SYSTOLIC, valueQuantity=ucum(120, "mm[Hg]"), component=[*PAIR, *PAIR]), ORIGIN
    )
    assert [(item.signal, item.value) for item in mapped.items] == [("diastolic-blood-pressure", 82)]
    assert [(each.code, each.expression, each.signal) for each in mapped.reasons] == [
        ("value", f"{place}.value", "systolic-blood-pressure")
        for place in ("Observation", "Observation.component[0]", "Observation.component[2]")
    ]


def test_the_same_value_in_two_units_contradicts_nothing():
    grams = part(WEIGHT, valueQuantity=ucum(1000, "g"))
    (weight,) = items(observed(WEIGHT, valueQuantity=ucum(1, "kg"), component=[grams]))
    assert weight.value == 1


@pytest.mark.parametrize("systolic", [82, 60])
def test_a_systolic_that_is_not_above_the_diastolic_makes_both_doubtful(systolic):
    low = part(SYSTOLIC, valueQuantity=ucum(systolic, "mm[Hg]"))
    mapped = observation.read(observed(PRESSURE, component=[low, PAIR[1]]), ORIGIN)
    assert mapped.items == ()
    assert [(each.code, each.expression) for each in mapped.reasons] == [
        ("range", "Observation.component[0].value"),
        ("range", "Observation.component[1].value"),
    ]


def test_each_component_is_refused_by_its_place():
    bad = part(SYSTOLIC, valueQuantity=ucum(128, "kg"))
    found = problem(observed(PRESSURE, component=[part("0000-0"), bad]))
    assert found.expression == "Observation.component[1].value.unit"


def test_a_panel_without_any_value_is_refused_unless_its_members_hold_them():
    assert problem(observed(PRESSURE)).code == "absent"
    assert (
        observation.read(observed(PRESSURE, hasMember=[{"reference": "Observation/2"}]), ORIGIN) == Mapped()
    )


def test_an_observation_about_another_than_its_subject_is_refused():
    weight = observed(WEIGHT, valueQuantity=ucum(3, "kg"))
    assert problem({**weight, "focus": [{"reference": "Patient/child"}]}).code == "reference"
    assert problem({**weight, "focus": [{"display": "the child"}]}).code == "reference"
    assert len(items({**weight, "focus": [{"reference": "Patient/p"}]})) == 1


def test_a_modifier_of_a_component_is_refused():
    found = problem(observed(PRESSURE, component=[{**PAIR[0], "modifierExtension": [MODIFIER]}]))
    assert (found.code, found.expression) == ("modifier", "Observation.component[0]")


def test_one_part_that_is_absent_leaves_the_other():
    missing = part(DIASTOLIC, dataAbsentReason=concept("not-performed", ABSENT))
    assert items(observed(PRESSURE, component=[PAIR[0], missing])) == (
        Measurement("systolic-blood-pressure", AT, SOURCE, 128.0),
        Absence("diastolic-blood-pressure", AT, SOURCE, "not-performed"),
    )


def test_a_coded_answer_is_a_finding():
    never = observed(SMOKING, valueCodeableConcept=concept("LA18978-9"))
    assert items(never) == (Finding("smoking-status", AT, SOURCE, "never"),)


def test_a_genomic_code_is_read_without_a_time_and_not_before_it_is_final():
    variant = observed("69548-6", effectiveDateTime=None)
    assert "time" not in {reason.code for reason in observation.read(variant, ORIGIN).reasons}
    assert problem({**variant, "status": "preliminary"}).code == "status"


GOLDEN = sorted((Path(__file__).parents[2] / "golden" / "Observation").glob("*.out.json"))
RESOURCES = [
    json.loads(path.with_name(path.name.replace(".out.", ".in.")).read_text("utf-8")) for path in GOLDEN
]
QUANTITIES = st.fixed_dictionaries(
    {},
    optional={
        "value": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63),
        "unit": st.sampled_from(["kg", "mm[Hg]", "mmHg", "%", "1", "{score}", "stone"]),
        "code": st.sampled_from(["kg", "mm[Hg]", "%", "1", "{score}", "[lb_av]"]),
        "comparator": st.sampled_from(["<", ">="]),
    },
)
CODINGS = st.fixed_dictionaries(
    {},
    optional={
        "system": st.sampled_from([LOINC, ABSENT, "http://snomed.info/sct"]),
        "code": st.sampled_from([WEIGHT, PRESSURE, SYSTOLIC, SMOKING, "LA18978-9", "unknown", "69548-6"]),
    },
).filter(bool)
CONCEPTS = st.fixed_dictionaries(
    {}, optional={"coding": st.lists(CODINGS, min_size=1, max_size=3), "text": st.just("text")}
)
TIMES = st.sampled_from(
    ["2026", "2026-01", "2025-12-31", "2026-01-10T08:00:00Z", "2030-01-01T00:00:00+01:00"]
)
PERIODS = st.fixed_dictionaries({}, optional={"start": TIMES, "end": TIMES})
TIMINGS = st.fixed_dictionaries(
    {},
    optional={
        "event": st.lists(TIMES | st.none(), max_size=3),
        "repeat": st.fixed_dictionaries({}, optional={"boundsPeriod": PERIODS}),
    },
)
REFERENCES = st.fixed_dictionaries(
    {},
    optional={
        "reference": st.sampled_from(["Patient/p", "#a", "Observation/2"]),
        "identifier": st.fixed_dictionaries({}, optional={"value": st.just("v"), "system": st.just("urn:s")}),
    },
)
RANGES = st.fixed_dictionaries(
    {},
    optional={
        "low": QUANTITIES,
        "high": QUANTITIES,
        "type": CONCEPTS,
        "appliesTo": st.lists(CONCEPTS, min_size=1),
    },
)
SAMPLES = st.fixed_dictionaries(
    {"origin": QUANTITIES},
    optional={
        "period": st.floats(allow_nan=False, allow_infinity=False),
        "factor": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63),
        "dimensions": st.integers(1, 3),
        "data": st.lists(st.sampled_from(["0", "-1.5", "1e300", "12", "E", "L", "U"]), min_size=1).map(
            " ".join
        ),
    },
)
VALUES = {
    "valueQuantity": QUANTITIES,
    "valueCodeableConcept": CONCEPTS,
    "valueString": st.text(max_size=3),
    "valueBoolean": st.booleans(),
    "valueInteger": st.integers(-(2**31), 2**31 - 1),
    "valueRange": st.just({"low": {"value": 1}}),
    "valueRatio": st.just({"numerator": {"value": 1}, "denominator": {"value": 128}}),
    "valueSampledData": SAMPLES,
    "valueTime": st.just("08:00:00"),
    "valueDateTime": TIMES,
    "valuePeriod": PERIODS,
}
ONE_VALUE = st.one_of(
    st.just({}), *(st.fixed_dictionaries({name: values}) for name, values in VALUES.items())
)
ONE_TIME = st.one_of(
    st.just({}),
    *(
        st.fixed_dictionaries({name: times})
        for name, times in {
            "effectiveDateTime": TIMES,
            "effectiveInstant": TIMES,
            "effectivePeriod": PERIODS,
            "effectiveTiming": TIMINGS,
        }.items()
    ),
)
REST = {
    "dataAbsentReason": CONCEPTS,
    "referenceRange": st.lists(RANGES, min_size=1, max_size=3),
    "modifierExtension": st.just([MODIFIER]),
}
PARTS = st.builds(
    lambda code, value, rest: {"code": code, **value, **rest},
    CONCEPTS,
    ONE_VALUE,
    st.fixed_dictionaries({}, optional=REST),
)
WHOLE = st.builds(
    lambda code, value, time, rest: {"resourceType": "Observation", "code": code, **value, **time, **rest},
    CONCEPTS,
    ONE_VALUE,
    ONE_TIME,
    st.fixed_dictionaries(
        {},
        optional={
            **REST,
            "status": st.sampled_from(["final", "amended", "preliminary", "cancelled"]),
            "subject": REFERENCES,
            "focus": st.lists(REFERENCES, min_size=1, max_size=2),
            "component": st.lists(PARTS, min_size=1, max_size=3),
            "method": CONCEPTS,
            "bodySite": CONCEPTS,
            "device": REFERENCES,
            "derivedFrom": st.lists(REFERENCES, min_size=1, max_size=2),
            "hasMember": st.lists(REFERENCES, min_size=1, max_size=2),
        },
    ),
)


@given(WHOLE)
def test_any_observation_is_mapped_twice_alike_and_left_as_it_was(resource):
    before = copy.deepcopy(resource)
    mapped = observation.read(resource, ORIGIN)
    assert isinstance(mapped, Mapped)
    assert observation.read(resource, ORIGIN) == mapped
    assert resource == before
    assert all(reason.text and reason.expression.startswith("Observation") for reason in mapped.reasons)
    assert all(item.source == SOURCE for item in mapped.items)
    assert mapped == IRRELEVANT or mapped.items or mapped.reasons or "hasMember" in resource


LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "2026-01-10", "final"])
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["code", "coding", "value", "system", "data"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value, path=()):
    """Yield the path of every element below ``value``."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


@given(st.sampled_from(RESOURCES), st.data())
def test_whatever_is_valid_is_mapped(resource, data):
    changed = copy.deepcopy(resource)
    *path, last = data.draw(st.sampled_from(sorted(places(resource), key=str)))
    holder = changed
    for key in path:
        holder = holder[key]
    if data.draw(st.booleans()):
        del holder[last]
    else:
        holder[last] = data.draw(JSON)
    if not validation.problems(changed):
        assert isinstance(observation.read(changed, ORIGIN), Mapped)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: None)
def test_an_element_that_says_nothing_to_us_changes_nothing(resource):
    more = {
        **resource,
        "issued": "2026-01-11T00:00:00Z",
        "note": [{"text": "n"}],
        "interpretation": [{"text": "H"}],
    }
    assert observation.read(more, ORIGIN) == observation.read(resource, ORIGIN)
