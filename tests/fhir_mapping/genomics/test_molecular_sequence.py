"""A sequence of the other strand is not taken for one of the strand that the reference gives."""

import pytest

from fhir_mapping.genomics import molecular_sequence
from tests.fhir_mapping.genomics.reports import ORIGIN


def sequence(**more):
    return {
        "resourceType": "MolecularSequence",
        "coordinateSystem": 0,
        "patient": {"reference": "Patient/p"},
        "referenceSeq": {"referenceSeqId": {"coding": [{"code": "NC_000010.11"}]}, **more},
        "variant": [{"start": 10, "end": 11, "referenceAllele": "G", "observedAllele": "A"}],
    }


@pytest.mark.parametrize("given", [{"strand": "crick"}, {"orientation": "antisense"}])
def test_alleles_of_the_other_strand_are_refused(given):
    mapped = molecular_sequence.read(sequence(**given), ORIGIN)
    assert not mapped.items
    assert ["complemented" in one.text for one in mapped.reasons] == [True]


@pytest.mark.parametrize("given", [{}, {"strand": "watson"}, {"orientation": "sense"}])
def test_alleles_of_the_same_strand_are_read(given):
    (item,) = molecular_sequence.read(sequence(**given), ORIGIN).items
    assert item.variant == "NC_000010.11:10:G:A"
