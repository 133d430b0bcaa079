import pytest

from tests.fhir_mapping.observation.observations import (
    AT,
    DIASTOLIC,
    PRESSURE,
    SYSTOLIC,
    TEMPERATURE,
    concept,
    items,
    observed,
    part,
    ucum,
)
from twin_engine.twin import Context

SNOMED = "http://snomed.info/sct"
MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
FEVER = ucum(38.5, "Cel")


def context(**elements):
    (item,) = items(observed(TEMPERATURE, valueQuantity=FEVER, **elements))
    return item.context


def test_a_bare_value_has_no_context():
    assert context() is None


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"method": concept("89003005", SNOMED)}, Context(method=f"{SNOMED}|89003005")),
        ({"method": {"coding": [{"display": "by mouth"}, {"code": "oral"}]}}, Context(method="|oral")),
        ({"bodySite": concept("74262004", SNOMED)}, Context(body_site=f"{SNOMED}|74262004")),
        ({"device": {"reference": "Device/1"}}, Context(device="Device/1")),
        ({"device": {"identifier": {"system": "urn:s", "value": "7"}}}, Context(device="urn:s|7")),
        (
            {"derivedFrom": [{"reference": "Observation/2"}, {"display": "x"}]},
            Context(derived_from=("Observation/2",)),
        ),
        ({"hasMember": [{"reference": "Observation/3"}]}, Context(members=("Observation/3",))),
    ],
)
def test_what_the_record_says_of_how_a_value_was_obtained_is_kept(elements, expected):
    assert context(**elements) == expected


@pytest.mark.parametrize(
    "elements",
    [
        {"method": {"text": "by mouth"}},
        {"device": {"reference": "#inside"}},
        {"device": {"display": "the thermometer"}},
        {"derivedFrom": [{"reference": "#inside"}]},
        {"interpretation": [{"text": "high"}]},
        {"referenceRange": [{"text": "36 to 37"}]},
        {"referenceRange": [{"low": {"value": 36}}]},
        {"referenceRange": [{"low": ucum(36, "mm[Hg]")}]},
    ],
)
def test_what_names_nothing_outside_of_the_resource_gives_no_context(elements):
    assert context(**elements) is None


def test_a_reference_range_comes_in_the_unit_of_the_signal():
    found = context(referenceRange=[{"low": ucum(97.7, "[degF]"), "high": ucum(37.2, "Cel")}])
    assert (found.low, found.high) == (pytest.approx(36.5), 37.2)


@pytest.mark.parametrize(
    ("ranges", "low"),
    [
        ([{"low": ucum(36, "Cel")}, {"low": ucum(35, "Cel"), "type": concept("treatment", MEANING)}], 36),
        ([{"low": ucum(36, "Cel"), "type": concept("normal", MEANING)}], 36),
        (
            [{"low": ucum(36, "Cel")}, {"low": ucum(35, "Cel"), "appliesTo": [concept("77386006", SNOMED)]}],
            36,
        ),
        ([{"low": ucum(36, "Cel"), "age": {"low": ucum(18, "a")}}], 36),
        ([{"low": ucum(36, "Cel")}, {"low": ucum(35, "Cel")}], None),
        ([{"low": ucum(35, "Cel"), "type": concept("treatment", MEANING)}], None),
        (
            [
                {"low": ucum(36, "Cel"), "age": {"low": ucum(18, "a")}},
                {"low": ucum(35, "Cel"), "age": {"high": ucum(18, "a")}},
            ],
            None,
        ),
    ],
)
def test_of_several_ranges_the_one_for_the_healthy_is_taken_and_none_where_it_depends(ranges, low):
    found = context(referenceRange=ranges)
    assert (found.low if found else None) == low


def test_the_components_share_what_the_observation_says_and_have_their_own_ranges():
    upper = part(
        SYSTOLIC,
        valueQuantity=ucum(120, "mm[Hg]"),
        referenceRange=[{"low": ucum(90, "mm[Hg]"), "high": ucum(140, "mm[Hg]")}],
    )
    lower = part(DIASTOLIC, valueQuantity=ucum(80, "mm[Hg]"))
    arm = concept("368208006", SNOMED)
    one, other = items(observed(PRESSURE, bodySite=arm, component=[upper, lower]))
    assert one.context == Context(body_site=f"{SNOMED}|368208006", low=90, high=140)
    assert other.context == Context(body_site=f"{SNOMED}|368208006")
    assert one.time == AT
