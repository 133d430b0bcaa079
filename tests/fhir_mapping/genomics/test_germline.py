"""Only what is plainly of the germline, or says nothing of its origin, is used."""

import pytest

from tests.fhir_mapping.genomics.reports import (
    TBD,
    coding,
    concept,
    gene,
    item,
    observation,
    part,
    reason,
    source_class,
    text,
    variant,
)

PKP2 = (gene("PKP2", 9024), coding("NM_004572.4:c.235C>T"))
SOMATIC = {"text": "Somatic"}
EXTENSION = "http://hl7.org/fhir/StructureDefinition/observation-genetics"


def uncoded(code):
    return {"coding": [{"code": code}]}


@pytest.mark.parametrize(
    "components",
    [
        (part("48002-0", SOMATIC),),
        (part("48002-0", uncoded("LA6684-0")),),
        (text("48002-0", "Somatic"),),
        (source_class("LA6683-2"), source_class("LA6684-0")),
        (source_class("LA6683-2"), text("48002-0", "of the tumour")),
        (part("48002-0", concept("LA6683-2") | SOMATIC),),
        ({"code": uncoded("48002-0"), "valueCodeableConcept": SOMATIC},),
    ],
)
def test_what_is_somatic_in_any_words_is_refused(components):
    assert "somatic" in reason(variant(*PKP2, *components))
    called = observation("84413-4", gene("CYP2C19"), *components, value={"text": "*1/*2"})
    assert "somatic" in reason(called)


@pytest.mark.parametrize(
    "component",
    [
        source_class("LA18197-6"),
        part("48002-0", concept("1234567", "http://snomed.info/sct")),
        part("48002-0", uncoded("LA6683-2")),
        text("48002-0", "not germline"),
        {"code": concept("48002-0"), "dataAbsentReason": {"text": "unknown"}},
    ],
)
def test_a_source_class_that_is_not_plainly_germline_is_refused(component):
    assert "not understood" in reason(variant(*PKP2, component))


def test_a_source_class_that_says_germline_in_words_is_germline():
    assert item(variant(*PKP2, text("48002-0", "Germline"))).origin == "germline"


@pytest.mark.parametrize("display", ["Tumor tissue", "tumour block", "Skin biopsy", "Neoplasm"])
def test_a_specimen_of_a_tumour_is_refused_unless_the_variant_is_of_the_germline(display):
    specimen = {"reference": "Specimen/s", "display": display}
    assert "specimen" in reason(variant(*PKP2, specimen=specimen))
    assert item(variant(*PKP2, source_class("LA6683-2"), specimen=specimen)).origin == "germline"
    assert item(variant(*PKP2, specimen=specimen | {"display": "Blood"})).origin is None


def test_a_conclusion_is_refused_where_it_is_somatic_and_says_whether_it_is_of_the_germline():
    about = part("81259-4", {"text": "Lynch syndrome"})
    more = {"system": TBD, "derivedFrom": [{"reference": "Observation/v"}]}
    assert "somatic" in reason(observation("diagnostic-implication", about, source_class("LA6684-0"), **more))
    stated = observation("diagnostic-implication", about, source_class("LA6683-2"), **more)
    assert item(stated).origin == "germline"
    assert item(observation("diagnostic-implication", about, **more)).origin is None


def test_the_older_profile_states_it_in_an_extension():
    named = [
        {"url": f"{EXTENSION}Gene", "valueCodeableConcept": concept(None, "urn:x", "PKP2")},
        {
            "url": f"{EXTENSION}Variant",
            "extension": [{"url": "Name", "valueCodeableConcept": concept("NM_004572.4:c.235C>T", "urn:x")}],
        },
    ]
    origin = {"url": f"{EXTENSION}GenomicSourceClass", "valueCodeableConcept": SOMATIC}
    older = observation("69548-6", value=concept("LA9633-4"), extension=[*named, origin])
    older["code"] = concept("55233-1")
    assert "somatic" in reason(older)
