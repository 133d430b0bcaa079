"""A VCF file is read call by call; what is left is counted with its reason."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping.errors import Unusable
from fhir_mapping.genomics.vcf import annotation, calls
from fhir_mapping.genomics.vcf.calls import called, zygosity
from fhir_mapping.genomics.vcf.regions import regions
from tests.fhir_mapping.genomics.vcf.files import record, write

GENES = ("CYP2C19", "PKP2", "CYP2D6")
ANN = "A|splice|HIGH|CYP2C19|ENSG1|transcript|NM_000769.4|protein_coding|5/9|c.681G>A|p.Pro227=|||||"
STAR2 = record("chr10", 94781859, ("G", "A"), (0, 1), id_="rs4244285", info={"ANN": ANN})


def read(path, *records, mode="w", sample=None, bed=(), **described):
    return calls.read(write(path, *records, mode=mode, **described), GENES, bed, sample)


@pytest.fixture
def vcf(tmp_path):
    return tmp_path / "a.vcf"


def test_an_annotated_call_has_gene_name_place_and_zygosity(vcf):
    found = read(vcf, STAR2)
    (call,) = found.found
    assert (found.build, found.made) == ("GRCh38", date(2026, 1, 5))
    assert (call.annotation.gene, call.annotation.coding) == ("CYP2C19", "NM_000769.4:c.681G>A")
    assert (call.accession, call.start, call.end) == ("NC_000010.11", 94781858, 94781859)
    assert (call.deleted, call.inserted, call.state, call.zygosity) == ("G", "A", "present", "heterozygous")
    assert not found.left


@pytest.mark.parametrize(("name", "mode"), [("a.vcf.gz", "wz"), ("a.bcf", "wb")])
def test_compressed_and_binary_files_are_read_alike(tmp_path, name, mode):
    assert read(tmp_path / name, STAR2, mode=mode).found == read(tmp_path / "a.vcf", STAR2).found


def test_each_alternative_of_a_record_is_a_call_of_its_own(vcf):
    told = (ANN, ANN.replace("A|splice", "T|splice", 1).replace("G>A", "G>T"))
    found = read(vcf, record("chr10", 94781859, ("G", "A", "T"), (1, 2), info={"ANN": told}))
    assert [(one.inserted, one.zygosity) for one in found.found] == [
        ("A", "heterozygous"),
        ("T", "heterozygous"),
    ]
    assert [one.annotation.coding for one in found.found] == ["NM_000769.4:c.681G>A", "NM_000769.4:c.681G>T"]


@pytest.mark.parametrize(
    ("genotype", "state"),
    [((0, 0), "absent"), ((None, None), "no-call"), ((None, 1), "present"), ((None, 0), "no-call")],
)
def test_absent_and_uncalled_alleles_are_told_apart(vcf, genotype, state):
    (call,) = read(vcf, {**STAR2, "call": {"GT": genotype, "phased": False}}).found
    assert (call.state, call.zygosity) == (state, None)


def test_the_transcript_that_vep_prefers_names_the_variant(vcf):
    told = (
        "A|missense|PKP2|ENST2|ENST2.1:c.1A>T||",
        "A|stop_gained|PKP2|ENST1|NM_004572.4:c.235C>T|NP_004563.2:p.Arg79Ter|NM_004572.4",
    )
    (call,) = read(vcf, record("chr12", 32896000, ("G", "A"), (0, 1), info={"CSQ": told})).found
    assert (call.annotation.coding, call.annotation.protein) == (
        "NM_004572.4:c.235C>T",
        "NP_004563.2:p.Arg79Ter",
    )


def test_vep_names_an_insertion_without_the_shared_base(vcf):
    told = "TT|frameshift|PKP2|ENST1|ENST1.1:c.9_10insTT||"
    (call,) = read(vcf, record("chr12", 32896000, ("G", "GTT"), (0, 1), info={"CSQ": told})).found
    assert call.annotation.coding == "ENST1.1:c.9_10insTT"


def test_clinvar_supplies_gene_and_significance_but_only_one_that_does_not_conflict(vcf):
    plain = {"GENEINFO": "OTHER:1|PKP2:5318"}
    for told, expected in (
        (("Pathogenic",), "LA6668-3"),
        (("Pathogenic", "_risk"), None),
        (("Conflicting",), None),
    ):
        (call,) = read(vcf, record("chr12", 9, ("G", "A"), (1, 1), info={**plain, "CLNSIG": told})).found
        assert (call.annotation.gene, call.annotation.significance) == ("PKP2", expected)


def test_regions_name_the_genes_of_a_file_without_annotation(vcf):
    bed = regions("#panel\nchr10\t94781000\t94782000\tCYP2C19\n12\t1\t5\tPKP2\n")
    plain = {**STAR2, "info": {}}
    assert [one.annotation.gene for one in read(vcf, plain, bed=bed).found] == ["CYP2C19"]
    assert read(vcf, plain).left == {annotation.UNANNOTATED: 1}


def test_what_is_left_is_counted_by_reason(vcf):
    found = read(
        vcf,
        {**STAR2, "filter": "LowQual"},
        {**STAR2, "info": {"ANN": ANN.replace("CYP2C19", "TTN")}},
        record("chrUn_1", 7, ("G", "A"), (0, 1), info={"ANN": ANN}),
        record("chr10", 9, ("G", "G]chr12:7]"), (0, 1), info={"SVTYPE": "BND"}),
    )
    assert found.found == ()
    assert found.left == {
        calls.FILTERED: 1,
        annotation.UNASKED: 1,
        calls.ELSEWHERE: 1,
        calls.BREAKEND: 1,
    }


def test_copy_numbers_are_those_called_or_those_of_the_alleles(vcf):
    bed = regions("chr10\t100\t900\tCYP2D6\n")
    shape = {"stop": 500, "info": {"SVTYPE": "DEL"}}
    (called_,) = read(vcf, record("chr10", 200, ("G", "<DEL>"), (0, 1), CN=1, **shape), bed=bed).found
    assert (called_.symbol, called_.copies, called_.start, called_.end) == ("DEL", 1, 200, 500)
    both = read(vcf, record("chr10", 200, ("G", "<CN0>", "<CN2>"), (0, 2), **shape), bed=bed).found
    assert [(one.state, one.copies) for one in both] == [("absent", 3), ("present", 3)]
    (unknown,) = read(vcf, record("chr10", 200, ("G", "<DUP>"), (0, 1), **shape), bed=bed).found
    assert unknown.copies is None


def test_phased_calls_name_their_set_and_strand(vcf):
    phased = {**STAR2, "call": {"GT": (0, 1), "phased": True, "PS": 7}}
    (call,) = read(vcf, phased).found
    assert (call.phase_set, call.strands) == ("chr10:7", (1,))


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ({"lines": ("##tumor_sample=s1",)}, "tumour"),
        ({"contigs": (("chr10", 1000), ("chr12", 7))}, "GRCh37 or on GRCh38"),
    ],
)
def test_a_file_of_a_tumour_or_of_no_known_assembly_is_refused(vcf, described, words):
    write(vcf, **described)
    with pytest.raises(Unusable, match=words):
        calls.read(vcf, GENES)


def test_one_of_several_samples_has_to_be_named(vcf):
    made = vcf
    text = (
        write(made, STAR2)
        .read_text()
        .replace("\ts1\n", "\tmother\tchild\n")
        .replace("\t0/1\n", "\t0/0\t1/1\n")
    )
    made.write_text(text)
    assert [one.zygosity for one in calls.read(made, GENES, sample="child").found] == ["homozygous"]
    for sample in (None, "father"):
        with pytest.raises(Unusable, match="one of the 2 samples"):
            calls.read(made, GENES, sample=sample)


@pytest.mark.parametrize(
    "content", [b"", b"no vcf", b"##fileformat=VCFv4.2\n#CHROM\tPOS\n", b"\x1f\x8b\x08broken"]
)
def test_what_is_no_vcf_is_refused(vcf, content, capfd):
    vcf.write_bytes(content)
    with pytest.raises(Unusable):
        calls.read(vcf, GENES)


@given(st.lists(st.none() | st.integers(0, 3), max_size=4).map(tuple), st.integers(1, 3), st.booleans())
def test_zygosity_says_how_many_copies_carry_the_allele_or_nothing(alleles, index, mitochondrial):
    found = zygosity(alleles, index, mitochondrial=mitochondrial)
    if called(alleles, index) != "present" or None in alleles:
        assert found is None
    elif mitochondrial:
        assert found == ("homoplasmic" if {*alleles} == {index} else "heteroplasmic")
    elif len(alleles) == 1:
        assert found == "hemizygous"
    else:
        assert found == ("homozygous" if {*alleles} == {index} else "heterozygous")


@given(st.lists(st.none() | st.integers(0, 3), max_size=4).map(tuple), st.integers(1, 3))
def test_absence_is_said_only_where_every_copy_was_called(alleles, index):
    assert (called(alleles, index) == "absent") == (
        bool(alleles) and None not in alleles and index not in alleles
    )
