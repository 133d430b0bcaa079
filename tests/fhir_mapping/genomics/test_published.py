"""HL7's published genomics examples: each is read, or left with a reason that a person can judge."""

import json
from datetime import UTC, datetime

import pytest

from fhir_mapping import bundle, genomics, resource
from fhir_mapping.errors import Unusable
from tests.fhir_mapping.published import examples
from twin_engine.twin import Genotype

NOW = datetime(2026, 11, 22, tzinfo=UTC)
# Said of other things than genes, and read or passed over as such.
OTHERS = {"Patient", "MedicationStatement"}


def unpacked(document):
    """Yield every resource in a Bundle or in the answer of an operation."""
    match document["resourceType"]:
        case "Bundle":
            yield from bundle.resources(document)
        case "Parameters":
            yield document
            yield from answered(document.get("parameter", []))
        case _:
            yield document


def answered(parameters):
    for one in parameters:
        if "resource" in one:
            yield from unpacked(one["resource"])
        yield from answered(one.get("part", []))


def told(one):
    """Return what is read of a resource, and every reason."""
    try:
        reading = resource.read(one, NOW)
    except Unusable as fault:
        return (), [str(fault)]
    explained = genomics.explain(one)
    return reading.items, [
        *(problem.text for problem in reading.reasons),
        *([explained] if explained else []),
    ]


@pytest.mark.parametrize(
    "path", examples("genomics-reporting"), ids=lambda path: path.stem if path else "absent"
)
def test_every_example_is_read_or_left_with_a_reason(path):
    for one in unpacked(json.loads(path.read_bytes())):
        items, reasons = told(one)
        assert items or reasons or one["resourceType"] in OTHERS
        assert all(len(reason.split()) > 3 for reason in reasons)
        if any("somatic" in reason for reason in reasons):
            assert not items


def test_of_all_examples_more_is_read_than_is_left():
    everything = [
        told(one)
        for path in examples("genomics-reporting")
        if hasattr(path, "read_bytes")
        for one in unpacked(json.loads(path.read_bytes()))
        if one["resourceType"] == "Observation"
    ]
    if not everything:
        pytest.skip("the examples genomics-reporting are absent")
    assert len(everything) > 130
    assert sum(bool(items) for items, _ in everything) > 85
    assert {one.origin for items, _ in everything for one in items if isinstance(one, Genotype)} <= {
        None,
        "germline",
    }


@pytest.mark.parametrize(
    "path",
    examples("hl7-r4-examples", "MolecularSequence-*.json"),
    ids=lambda path: path.stem if path else "absent",
)
def test_every_published_sequence_is_read_or_left_with_a_reason(path):
    items, reasons = told(json.loads(path.read_bytes()))
    assert items or reasons
    assert all(item.gene is None and item.variant.count(":") == 3 for item in items)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example-TPMT-diplotype", ("TPMT", "*1/*4")),
        ("example-phenotype", ("CYP2C9", "normal-metabolizer")),
        ("example-genetics-1", "somatic"),
        ("example-diplotype1", "no result"),
        ("example-haplotype1", "not yet final"),
        ("example-genetics-2", ("Lung cancer", "pathogenic")),
    ],
)
def test_the_older_genetics_examples_tell_what_they_say(name, expected):
    for path in examples("hl7-r4-examples", f"Observation-{name}.json"):
        if not hasattr(path, "read_bytes"):
            pytest.skip("the examples hl7-r4-examples are absent")
        items, reasons = told(json.loads(path.read_bytes()))
        if isinstance(expected, str):
            assert [expected in reason for reason in reasons] == [True]
        else:
            (item,) = items
            said = (
                (item.gene, item.variant)
                if isinstance(item, Genotype)
                else (*item.genes, *item.about, *item.effect)
            )
            assert {*expected} <= {*said}
