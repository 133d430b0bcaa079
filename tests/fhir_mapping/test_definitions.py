import importlib
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

from fhir_mapping import definitions
from fhir_mapping.definitions import generate

R4B_RESOURCES = {"SubscriptionStatus"}
R4B_TYPES = {"CodeableReference", "RatioRange"}
# What Quantity has and the profile on it does not; the models know no profile.
NOT_IN_THE_PROFILE = {("SimpleQuantity", "comparator")}


FETCHED = Path(__file__).parents[2] / "build" / "definitions.tgz"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Return the package of HL7's definitions: what ``make definitions`` fetched, else fetched now."""
    kept = FETCHED if FETCHED.exists() else tmp_path_factory.mktemp("definitions") / "package.tgz"
    if not kept.exists():
        try:
            with urllib.request.urlopen(generate.PACKAGE, timeout=20) as answer:
                kept.write_bytes(answer.read())
        except (URLError, TimeoutError) as gone:
            pytest.skip(f"the package of HL7's definitions cannot be fetched: {gone}")
    return kept.read_bytes()


def test_the_definitions_are_what_the_package_gives(package):
    assert generate.generate(package) == generate.DESTINATION.read_bytes()


def test_another_package_is_refused():
    with pytest.raises(ValueError, match="the package is not"):
        generate.generate(b"another")


def model(name):
    """Return fhirclient's model of a type; it was made from HL7's 4.0.1 by another program."""
    return getattr(importlib.import_module(f"fhirclient.models.{name.lower()}"), name)


def listed(kind):
    """Return JSON name -> (repeats, required) as fhirclient knows it."""
    return {each[1]: (each[3], each[5]) for each in kind.elementProperties(kind.__new__(kind))}


def known(name):
    found = definitions.type_of(name)
    return {
        each: (field.repeats, field.element in found.required)
        for each, field in found.fields.items()
        if not each.startswith("_") and (name, each) not in NOT_IN_THE_PROFILE
    }


def within(kind, name):
    """Yield a type with its model, and so on for every type within it."""
    yield name, kind
    inner = {each[1]: each[2] for each in kind.elementProperties(kind.__new__(kind))}
    for each, field in definitions.type_of(name).fields.items():
        if field.type.startswith(f"{name}.") and not each.startswith("_"):
            yield from within(inner[each], field.type)


TYPES = sorted(
    name
    for name in definitions.elements()
    if "." not in name and name not in R4B_RESOURCES | R4B_TYPES | {definitions.ELEMENT, "SimpleQuantity"}
)


def test_every_type_has_the_elements_that_an_independent_reading_of_hl7_finds():
    for top in TYPES:
        for name, kind in within(model(top), top):
            expected = listed(kind)
            if name == "Extension":
                expected |= {"valueCodeableReference": (False, False), "valueRatioRange": (False, False)}
            assert known(name) == expected, name


def test_the_resource_types_are_those_of_r4_and_the_status_of_r4b():
    assert len(definitions.resource_types()) == 146 + len(R4B_RESOURCES)
    assert {"Observation", "MolecularSequence"} | R4B_RESOURCES <= definitions.resource_types()


def test_a_choice_has_a_name_for_each_type_and_what_stands_beside_it():
    observation = definitions.type_of("Observation")
    assert observation.fields["valueQuantity"].element == "value[x]"
    assert {"valueString", "_valueString"} <= set(observation.choices["value[x]"])
    assert "_valueQuantity" not in observation.fields


def test_a_simple_quantity_stands_under_the_name_of_a_quantity():
    dosage = definitions.type_of("Dosage.doseAndRate")
    assert dosage.fields["doseQuantity"].type == "SimpleQuantity"
    assert "comparator" not in definitions.type_of("SimpleQuantity").fields


@pytest.mark.parametrize(
    ("type_name", "name"),
    [("Patient", "_id"), ("Extension", "_url"), ("Narrative", "_div"), ("HumanName", "_id")],
)
def test_nothing_stands_beside_an_id_a_url_of_an_extension_or_a_narrative(type_name, name):
    assert name not in definitions.type_of(type_name).fields


def test_the_required_codes_are_listed():
    bound = [
        told["codes"]
        for found in definitions.elements().values()
        for told in found.values()
        if "codes" in told
    ]
    assert len(bound) == 350
    assert all(definitions.codes(name) for name in bound)
    assert definitions.codes("observation-status") == {
        "http://hl7.org/fhir/observation-status": frozenset(
            [
                "registered",
                "preliminary",
                "final",
                "amended",
                "corrected",
                "cancelled",
                "entered-in-error",
                "unknown",
            ]
        )
    }
