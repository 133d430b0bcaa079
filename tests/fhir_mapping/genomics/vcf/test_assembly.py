"""The assembly is known by the lengths of its chromosomes, else by its name."""

import pytest

from fhir_mapping.errors import Unusable
from fhir_mapping.genomics.vcf.assembly import Contig, accession, build
from fhir_mapping.genomics.vcf.regions import Region, at, regions


@pytest.mark.parametrize(
    ("contigs", "header", "expected"),
    [
        ([Contig("1", 249250621)], "", "GRCh37"),
        ([Contig("chr1", 248956422), Contig("chrM", 16569)], "", "GRCh38"),
        ([Contig("chr1", 248956422), Contig("chr2", 243199373)], "", None),
        ([Contig("chr1")], "##reference=file:///ref/hg38.fa", "GRCh38"),
        ([], "##reference=GRCh37 lifted from hg38", None),
        ([Contig("chr1", 5)], "##reference=hg38", None),
        ([], "", None),
    ],
)
def test_an_assembly_is_told_only_where_nothing_contradicts(contigs, header, expected):
    assert build(contigs, header) == expected


@pytest.mark.parametrize(
    ("contig", "of", "expected"),
    [
        ("chr10", "GRCh38", "NC_000010.11"),
        ("10", "GRCh37", "NC_000010.10"),
        ("chrX", "GRCh38", "NC_000023.11"),
        ("Y", "GRCh37", "NC_000024.9"),
        ("chrM", "GRCh38", "NC_012920.1"),
        ("chrUn_gl000220", "GRCh37", None),
    ],
)
def test_chromosomes_are_named_as_refseq_names_them(contig, of, expected):
    assert accession(contig, of) == expected


@pytest.mark.parametrize(
    ("contig", "of", "length", "expected"),
    [
        ("chrM", "GRCh37", 16571, None),
        ("chrM", "GRCh37", None, None),
        ("MT", "GRCh37", None, "NC_012920.1"),
        ("chrM", "GRCh37", 16569, "NC_012920.1"),
        ("chrM", "GRCh38", 16571, None),
    ],
)
def test_the_older_mitochondrion_is_not_taken_for_the_reference(contig, of, length, expected):
    assert accession(contig, of, length) == expected


def test_a_stretch_that_touches_two_genes_is_of_neither():
    known = regions("track name=x\nchr1\t10\t20\tA\n1\t15\t30\tB\n")
    assert known[0] == Region("1", 10, 20, "A")
    assert [at(known, "chr1", start, start + 1) for start in (9, 10, 15, 20, 30)] == [
        None,
        "A",
        None,
        "B",
        None,
    ]


@pytest.mark.parametrize("line", ["chr1\t1\t2", "chr1\tx\t2\tA", "chr1\t2\t2\tA", "chr1 1 2 A"])
def test_a_line_that_is_no_region_is_refused(line):
    with pytest.raises(Unusable):
        regions(line)
