"""Files as callers and annotators write them, which declare only the fields they have."""

import pytest

from fhir_mapping.errors import Unusable
from fhir_mapping.genomics.vcf import annotation, calls
from fhir_mapping.genomics.vcf.regions import regions

GENES = ("PKP2",)
BED = regions("chr12\t0\t133275309\tPKP2\nchrM\t0\t16571\tMT-RNR1\n")
GT = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">'
FT = '##FORMAT=<ID=FT,Number=1,Type=String,Description="Filter of the genotype">'
CSQ = '##INFO=<ID=CSQ,Number=.,Type=String,Description="VEP. Format: Allele|Consequence|SYMBOL|HGVSc{}">'
ANN = '##INFO=<ID=ANN,Number=.,Type=String,Description="Functional annotations">'
CLINVAR = (
    '##INFO=<ID=CLNSIG,Number=.,Type=String,Description="Significance">',
    '##INFO=<ID=GENEINFO,Number=1,Type=String,Description="Gene">',
)
SS = '##INFO=<ID=SS,Number=1,Type=String,Description="Somatic status of variant">'
SOMATIC = '##INFO=<ID=SOMATIC,Number=0,Type=Flag,Description="Somatic">'
ANY = ("chr12", "1000", "A", "C", ".", "GT", "0/1")
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
GRCH38 = "##contig=<ID=chr12,length=133275309>"
STRELKA = ("##source=strelka", "##content=strelka germline small-variant calls")


@pytest.fixture
def read(tmp_path):
    def reading(*rows, lines=(), samples=("s1",), sample=None, bed=BED, contigs=(GRCH38,)):
        path = tmp_path / "a.vcf"
        columns = [*COLUMNS, *samples]
        body = [
            (chrom, pos, ".", ref, alt, ".", "PASS", info, form, *calls_)
            for chrom, pos, ref, alt, info, form, *calls_ in rows
        ]
        text = ["##fileformat=VCFv4.3", *contigs, GT, *lines, *("\t".join(one) for one in (columns, *body))]
        path.write_text("\n".join(text) + "\n")
        return calls.read(path, GENES, bed, sample)

    return reading


def consequences(read, ref, alt, *told, genotype="1/1", more="", bed=()):
    row = ("chr12", "1000", ref, alt, f"CSQ={','.join(told)}", "GT", genotype)
    return read(row, lines=(CSQ.format(more),), bed=bed)


def test_a_file_need_not_declare_any_field_but_the_genotype(read):
    found = read(ANY)
    assert [(one.annotation.gene, one.zygosity) for one in found.found] == [("PKP2", "heterozygous")]
    assert not found.left


@pytest.mark.parametrize(
    ("line", "info", "gene"),
    [
        (CSQ.format(""), "CSQ=C|missense_variant|PKP2|NM_1.1:c.1A>C", "PKP2"),
        (ANN, "ANN=C|missense_variant|HIGH|PKP2|E|transcript|NM_1.1||1/2|c.1A>C||", "PKP2"),
        (CLINVAR[1], "GENEINFO=PKP2:5318", "PKP2"),
    ],
)
def test_one_annotator_alone_is_enough(read, line, info, gene):
    (call,) = read((*ANY[:4], info, *ANY[5:]), lines=(line,), bed=()).found
    assert call.annotation.gene == gene


def test_a_field_that_is_used_but_not_declared_is_read(read):
    breakend = ("chr12", "7", "A", "C", "SVTYPE=BND", "GT", "0/1")
    found = read(ANY, breakend)
    assert (len(found.found), found.left) == (1, {calls.BREAKEND: 1})


@pytest.mark.parametrize(
    "lines",
    [
        ("##source=Mutect2",),
        ("##source=MuTect",),
        ("##source=strelka",),
        ("##source=VarScan2", SS),
        ("##source=VarScan somatic",),
        ("##tumor_sample=s1",),
        ("##normal_sample=s1",),
        ("##MutectVersion=2.2",),
    ],
)
def test_a_file_of_a_somatic_caller_with_one_sample_is_refused(read, lines):
    for sample in (None, "s1"):
        with pytest.raises(Unusable, match="tumour"):
            read(ANY, lines=lines, sample=sample)


@pytest.mark.parametrize(("line", "info"), [(SS, "SS=2"), (SOMATIC, "SOMATIC"), (None, "SOMATIC;SS=2")])
def test_a_record_of_a_tumour_has_the_whole_file_refused(read, line, info):
    with pytest.raises(Unusable, match="tumour"):
        read(ANY, (*ANY[:4], info, *ANY[5:]), lines=(line,) if line else ())


@pytest.mark.parametrize(
    ("samples", "lines"),
    [
        (("NORMAL", "TUMOR"), ()),
        (("p7_normal", "p7_tumour"), ("##source=strelka", SS)),
        (("A", "B"), ("##source=Mutect2", "##normal_sample=A", "##tumor_sample=B")),
    ],
)
def test_of_a_pair_only_the_normal_sample_is_read_and_only_where_it_is_named(read, samples, lines):
    row = (*ANY[:6], "1/1", "0/1")
    for sample in (None, samples[1]):
        with pytest.raises(Unusable, match="tumour"):
            read(row, lines=lines, samples=samples, sample=sample)
    somatic = ("chr12", "7", "A", "C", "SOMATIC;SS=2", "GT", "0/0", "0/1")
    found = read(row, somatic, lines=lines, samples=samples, sample=samples[0])
    assert [one.zygosity for one in found.found] == ["homozygous"]
    assert found.left == {calls.SOMATIC: 1}


@pytest.mark.parametrize("sample", ["TUMOR", "p7-Tumour"])
def test_a_tumour_alone_is_refused(read, sample):
    with pytest.raises(Unusable, match="tumour"):
        read(ANY, samples=(sample,), sample=sample)


@pytest.mark.parametrize(
    ("lines", "samples"), [(STRELKA, ("s1",)), (("##source=HaplotypeCaller",), ("NORMAL",))]
)
def test_a_germline_file_is_not_taken_for_one_of_a_tumour(read, lines, samples):
    assert len(read(ANY, lines=lines, samples=samples).found) == 1


def test_a_genotype_that_failed_its_own_filter_is_not_used(read):
    rows = [
        ("chr12", str(at), "A", "C", ".", "GT:FT", f"0/1:{ft}")
        for at, ft in enumerate(("PASS", ".", "LowGQ", "LowGQ;LowDP"), 100)
    ]
    for lines in ((FT,), ()):
        found = read(*rows, lines=lines)
        assert ([one.start for one in found.found], found.left) == ([99, 100], {calls.FILTERED: 2})


@pytest.mark.parametrize(
    ("ref", "alt", "named"),
    [
        ("CA", "C,CT", ("-", "T")),
        ("CA", "C,GA", ("C", "GA")),
        ("A", "AA,AAA", ("A", "AA")),
        ("A", "G,T", ("G", "T")),
        ("CA", "CT,CG", ("CT", "CG")),
        ("C", "<DEL>,<DUP>", ("deletion", "duplication")),
        ("C", "CTT", ("TT",)),
        ("C", "<DEL>", ("deletion",)),
    ],
)
def test_alleles_are_matched_as_vep_names_them(read, ref, alt, named):
    told = [f"{name}|coding_sequence_variant|PKP2|T:{number}" for number, name in enumerate(named, 1)]
    found = consequences(read, ref, alt, *reversed(told))
    assert [one.annotation.coding for one in found.found] == [f"T:{n}" for n in range(1, len(named) + 1)]
    assert not found.left


def test_a_star_is_no_base_to_vep(read):
    found = consequences(read, "CA", "C,*", "-|frameshift_variant|PKP2|T:1", genotype="0/1")
    assert [one.annotation.coding for one in found.found] == ["T:1"]


def test_the_number_of_an_allele_tells_names_apart_that_are_alike(read):
    told = ("-|frameshift_variant|PKP2|T:1|1", "-|frameshift_variant|PKP2|T:2|2")
    found = consequences(read, "CAA", "CA,C", *told, more="|ALLELE_NUM")
    assert [one.annotation.coding for one in found.found] == ["T:2"]
    assert found.left == {annotation.UNMATCHED: 1}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("TTT|missense_variant|PKP2|T:1", annotation.UNMATCHED),
        ("C|missense_variant|TTN|T:1", annotation.UNASKED),
        ("C|upstream_gene_variant|PKP2|", annotation.BESIDE),
        ("C|downstream_gene_variant|PKP2|", annotation.BESIDE),
        ("C|intergenic_variant|PKP2|", annotation.BESIDE),
    ],
)
def test_an_annotation_that_is_not_used_says_why(read, told, reason):
    found = consequences(read, "A", "C", told)
    assert (found.found, found.left) == ((), {reason: 1})


def test_an_allele_beside_one_gene_and_in_another_is_of_the_other(read):
    told = ("C|upstream_gene_variant|PKP2|T:1", "C|intron_variant&NMD_transcript_variant|PKP2|T:2")
    (call,) = consequences(read, "A", "C", *told).found
    assert call.annotation.coding == "T:2"


@pytest.mark.parametrize(("alt", "expected"), [("C", ["LA6668-3"]), ("C,T", [None, None])])
def test_a_significance_is_of_an_allele_only_where_there_is_one(read, alt, expected):
    row = ("chr12", "1000", "A", alt, "CLNSIG=Pathogenic;GENEINFO=PKP2:5318", "GT", "0/1")
    found = read(row, lines=CLINVAR, bed=())
    assert [one.annotation.significance for one in found.found] == expected
    assert found.left == ({annotation.SIGNIFICANCE: 2} if len(expected) > 1 else {})


@pytest.mark.parametrize(
    ("length", "accessions", "left"),
    [(16571, [], {calls.MITOCHONDRION: 1}), (16569, ["NC_012920.1"], {})],
)
def test_variants_on_the_older_mitochondrion_are_left(read, length, accessions, left):
    contigs = ("##contig=<ID=chr12,length=133851895>", f"##contig=<ID=chrM,length={length}>")
    found = read(("chrM", "1555", "A", "G", ".", "GT", "1"), contigs=contigs)
    assert ([one.accession for one in found.found], found.left) == (accessions, left)


def test_an_allele_beside_an_overlapping_deletion_is_not_called_heterozygous(read):
    found = read(
        ("chr12", "1000", "A", "C,*", ".", "GT", "1/2"), ("chr12", "2000", "A", "C,*", ".", "GT", "0/1")
    )
    assert [(one.start, one.zygosity) for one in found.found] == [(1999, "heterozygous")]
    assert found.left == {calls.OVERLAPPED: 1}
