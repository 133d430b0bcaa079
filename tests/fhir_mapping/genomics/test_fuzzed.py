"""No genomics Observation makes anything but values or reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping.codes import TARGETS, Genomic
from fhir_mapping.genomics import OUT_OF_SCOPE, explain, molecular_sequence
from fhir_mapping.mapped import Mapped
from tests.fhir_mapping.genomics.reports import ORIGIN, concept, read
from twin_engine.twin import Genotype, Implication

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "coding",
                    "text",
                    "system",
                    "code",
                    "display",
                    "low",
                    "high",
                    "value",
                    "reference",
                    "url",
                    "extension",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
VALUES = ["valueCodeableConcept", "valueString", "valueRange", "valueQuantity", "extension"]
CODES = [
    "48018-6",
    "48004-6",
    "81254-5",
    "69547-8",
    "69551-0",
    "48013-7",
    "82155-3",
    "53034-5",
    "51963-7",
    "81259-4",
]
COMPONENTS = st.builds(
    lambda code, values: {"code": concept(code), **values},
    st.sampled_from(CODES),
    st.dictionaries(st.sampled_from(VALUES), JSON, max_size=2),
)
GENOMIC = sorted(code for code, target in TARGETS.items() if isinstance(target, Genomic))
ELEMENTS = [
    "valueCodeableConcept",
    "valueString",
    "derivedFrom",
    "hasMember",
    "extension",
    "effectiveDateTime",
]


def is_told(mapped):
    assert isinstance(mapped, Mapped)
    assert all(isinstance(one, Genotype | Implication) for one in mapped.items)
    assert all(one.text and one.expression for one in mapped.reasons)
    assert mapped.items or mapped.reasons or not mapped.relevant


@given(
    st.sampled_from(GENOMIC),
    st.lists(COMPONENTS, max_size=5),
    st.dictionaries(st.sampled_from(ELEMENTS), JSON, max_size=4),
)
def test_any_genomics_observation_tells_something_or_why_not(code, components, elements):
    system, value = code
    resource = {
        "resourceType": "Observation",
        "code": concept(value, system),
        "component": components,
        **elements,
    }
    is_told(read(resource))


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["start", "end", "referenceAllele", "observedAllele"]),
            st.integers(0, 30) | st.text("ACGT-", max_size=3),
        ),
        max_size=3,
    ),
    st.integers(0, 1),
    JSON,
)
def test_any_sequence_tells_something_or_why_not(variants, system, reference):
    resource = {
        "resourceType": "MolecularSequence",
        "coordinateSystem": system,
        "patient": {"reference": "Patient/p"},
        "referenceSeq": {"referenceSeqId": reference},
        "variant": variants,
    }
    is_told(molecular_sequence.read(resource, ORIGIN))


@pytest.mark.parametrize("kind", sorted(OUT_OF_SCOPE))
def test_what_holds_no_result_is_explained(kind):
    assert explain({"resourceType": kind}) == OUT_OF_SCOPE[kind]


def test_what_may_hold_a_result_is_not_explained_away():
    assert explain({"resourceType": "Observation"}) is None
    assert explain({"resourceType": "MolecularSequence"}) is None
