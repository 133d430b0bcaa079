import re
from pathlib import Path

import pytest

import fhir_mapping
from fhir_mapping import codes, coverage, terms
from fhir_mapping.coverage import Code, find, rows
from fhir_mapping.resource import MAPPINGS

PACKAGE = Path(fhir_mapping.__file__).parent


def of(what):
    return {row.name: row for row in rows() if row.what == what}


def spoken(code):
    """Return system and code as the tables of the mapping have them, for each spelling of the system."""
    keys = [key for key, said in coverage._CALLED.items() if said == code.system]
    return {(codes.SYSTEMS[key], code.code) for key in keys}


def test_every_resource_type_and_release_has_its_row():
    assert MAPPINGS.keys() <= of("resource type read").keys()
    assert of("release").keys() == {"R4", "R4B", "R5"}


def test_every_resource_type_that_is_written_has_its_row():
    written = {
        kind
        for path in PACKAGE.glob("*.py")
        for kind in re.findall(r'"resourceType": "(\w+)"|heading.render\("(\w+)"', path.read_text("utf-8"))
    }
    contained = "Organization"
    assert {one or other for one, other in written} - {contained} == of("resource type written").keys()


def test_every_code_that_is_known_stands_in_the_row_of_what_it_means():
    listed = {
        pair: row
        for row in rows()
        if row.what in ("signal", "finding", "panel", "refused", "genomics")
        for code in row.codes
        for pair in spoken(code)
    }
    spelt_otherwise = {"urn:oid:2.16.840.1.113883.6.24"}
    for (system, code), target in codes.TARGETS.items():
        if system in spelt_otherwise:
            continue
        row = listed[system, code]
        if isinstance(target, codes.Signal | codes.Question):
            assert row.name == target.name
        if isinstance(target, codes.Signal):
            (same,) = [each for each in row.codes if (system, code) in spoken(each)]
            assert (row.unit, row.low, row.high) == (target.unit, target.low, target.high)
            assert set(same.units or row.units) <= target.scales.keys()
            assert set(row.units) - set(same.units or row.units) == set(row.units) - target.scales.keys()
        if isinstance(target, codes.Refused):
            assert row.meaning == target.reason


@pytest.mark.parametrize(
    ("what", "meaning"), [("condition", terms.conditions), ("treatment", terms.treatments)]
)
def test_every_code_of_a_condition_or_treatment_means_it(what, meaning):
    for name, row in of(what).items():
        assert all(name in meaning(system, code) for each in row.codes for system, code in spoken(each))


def test_every_answer_and_dose_has_its_row():
    assert {code.code for code in of("answer")["smoking-status never"].codes} == {
        "266919005",
        "LA18978-9",
        "never",
    }
    assert of("dose").keys() == terms.DOSES.keys()
    assert of("dose")["long-acting-insulin"].units[0] == "U"


def test_no_row_is_there_twice():
    assert len({(row.what, row.name) for row in rows()}) == len(rows())


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("signals", {"signal"}),
        ("Signal", {"signal"}),
        ("resource types", {"resource type read", "resource type written"}),
        ("resource types written", set()),
        ("resource type written", {"resource type written"}),
        ("releases", {"release"}),
        ("genomics", {"genomics"}),
        ("genes", {"gene"}),
        ("doses", {"dose"}),
    ],
)
def test_a_kind_is_found_by_its_name_in_singular_or_plural(words, kinds):
    found = find(words)
    assert {row.what for row in found} == kinds
    assert len(found) == sum(row.what in kinds for row in rows())


@pytest.mark.parametrize("words", ["LOINC 2339-0", "loinc|2339-0", "http://loinc.org|2339-0", "2339-0"])
def test_a_code_tells_its_signal_and_the_units_that_are_taken(words):
    (row,) = find(words)
    assert (row.what, row.name, row.unit) == ("signal", "glucose", "mg/dL")
    assert row.units == ("mg/dL", "mmol/L", "g/L", "mg/L")
    assert row.codes == (Code("LOINC", "2339-0"),)


def test_a_code_that_takes_fewer_units_says_so():
    (row,) = find("59261-8")
    assert (row.name, row.unit, row.units) == ("hba1c", "%", ("mmol/mol",))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ICD-10 E10.9", {"diabetes", "type-1-diabetes"}),
        ("e109", {"diabetes", "type-1-diabetes"}),
        ("SNOMED CT 46635009", {"diabetes", "type-1-diabetes"}),
        ("ATC E10.9", set()),
        ("A10AB04", {"insulin", "fast-acting-insulin"}),
        ("body-w", {"body-weight"}),
        ("BODY-W", {"body-weight"}),
        ("LOINC 266919005", set()),
        ("266919005", {"smoking-status never"}),
        ("nonsense", set()),
        ("", set()),
        ("|", set()),
    ],
)
def test_names_and_codes_are_found_as_people_write_them(words, found):
    assert {row.name for row in find(words)} == found
