"""Diplotypes have one name whatever the order; what leaves several possible is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping.genomics.alleles import Ambiguous, Named, genotype, haplotype

STARS = st.builds("*{}{}".format, st.integers(1, 150), st.sampled_from(["", "A", ".001", "x2", "xN", "x≥3"]))


@given(STARS, STARS)
def test_a_diplotype_has_one_name_whatever_the_order_and_spacing(first, second):
    read = genotype(f"CYP2D6 {first}/{second}")
    assert read == genotype(f"CYP2D6{second} / CYP2D6 {first}")
    assert read.gene == "CYP2D6"
    assert {*read.variant.split("/")} == {first, second}
    assert read.zygosity == ("homozygous" if first == second else "heterozygous")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("*1/*17", Named("*1/*17", None, "heterozygous")),
        ("CYP2C19*17/*1", Named("*1/*17", "CYP2C19", "heterozygous")),
        ("CYP2D6 *1/*2x2", Named("*1/*2x2", "CYP2D6", "heterozygous")),
        ("CYP2D6 *36+*10/*41", Named("*36+*10/*41", "CYP2D6", "heterozygous")),
        ("HLA-B*57:01+HLA-B*07:02", Named("*07:02/*57:01", "HLA-B", "heterozygous")),
        ("hla#3.33.0#HLA-A*02:01+HLA-A*02:01", Named("*02:01/*02:01", "HLA-A", "homozygous")),
        ("VKORC1 rs9923231 T/C", Named("rs9923231 C/T", "VKORC1", "heterozygous")),
        ("rs9923231 (T;T)", None),
        ("NM_1.1(GJB2):c.[35del];[35del]", Named("NM_1.1:c.[35del];[35del]", "GJB2", "homozygous")),
        ("NM_000350.3:c.[5882G>A];[?]", Named("NM_000350.3:c.[5882G>A];[?]")),
        ("c.[?];[?]", Named("c.[?];[?]", state="indeterminate")),
        ("c.[5882=];[5882=]", Named("c.[5882=];[5882=]", state="absent")),
        ("p.[(Trp24Cys)];[(=)]", Named("p.[(Trp24Cys)];[(=)]", None, "heterozygous")),
        ("poor metabolizer", None),
        ("CYP2C9*2/CYP2C19*2", None),
        ("HLA-B*57:01+HLA-A*02:01", None),
    ],
)
def test_genotypes_are_read_as_laboratories_write_them(text, named):
    assert genotype(text) == named


@pytest.mark.parametrize(
    "text", ["*1/*2 or *1/*3", "hla#3.33.0#HLA-A*02:69+HLA-A*23:30|HLA-A*02:302+HLA-A*23:26/HLA-A*23:39"]
)
def test_more_than_one_possible_genotype_is_ambiguous(text):
    with pytest.raises(Ambiguous):
        genotype(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("*5", Named("*5")),
        ("CYP2D6*1.001", Named("*1.001", "CYP2D6")),
        ("SLCO1B1 *15", Named("*15", "SLCO1B1")),
        ("HLA-B*57:01", Named("*57:01", "HLA-B")),
        ("DRB1*15:01:01G", None),
        ("APOE1", None),
    ],
)
def test_haplotypes_are_read_as_laboratories_write_them(text, named):
    assert haplotype(text) == named


@given(st.text(max_size=60))
def test_any_text_is_a_genotype_or_none_or_ambiguous(text):
    try:
        read = genotype(text)
    except Ambiguous:
        return
    assert read is None or read.variant
