"""Names by HGVS are split, whatever change they name; free text is not taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping.genomics.names import Hgvs, Place, allele, hgvs, is_normal_karyotype

BASES = st.text("ACGT", min_size=1, max_size=6)
OFFSETS = st.one_of(st.just(""), st.integers(1, 99).map("+{}".format), st.integers(1, 99).map("-{}".format))
POSITIONS = st.builds("{}{}{}".format, st.sampled_from(["", "-", "*"]), st.integers(1, 99999), OFFSETS)
RANGES = st.one_of(POSITIONS, st.builds("{}_{}".format, POSITIONS, POSITIONS))
EDITS = st.one_of(
    st.builds("{}>{}".format, st.sampled_from("ACGT"), st.sampled_from("ACGT")),
    st.sampled_from(["del", "dup", "inv", "="]),
    BASES.map("ins{}".format),
    BASES.map("delins{}".format),
    st.builds("{}[{}]".format, BASES, st.integers(1, 999)),
)
CHANGES = st.builds("{}{}".format, RANGES, EDITS)
REFERENCES = st.builds(
    "{}_{}.{}".format, st.sampled_from(["NM", "NC", "NG", "NR"]), st.integers(1, 999999), st.integers(1, 30)
)
GENES = st.from_regex(r"[A-Z][A-Z0-9]{2,7}", fullmatch=True)


@given(REFERENCES, st.one_of(st.none(), GENES), st.sampled_from("cgmn"), CHANGES)
def test_every_name_made_by_the_rules_is_split_into_its_parts(reference, gene, kind, change):
    written = f"{reference}{f'({gene})' if gene else ''}:{kind}.{change}"
    assert hgvs(written) == Hgvs(reference, gene, kind, change)
    assert hgvs(written).name == f"{reference}:{kind}.{change}"


@given(REFERENCES, CHANGES, CHANGES)
def test_two_changes_on_two_copies_are_in_trans_and_on_one_copy_in_cis(reference, first, second):
    apart = hgvs(f"{reference}:c.[{first}];[{second}]")
    unchanged = first.endswith("=") + second.endswith("=")
    two = "homozygous" if first == second else "compound-heterozygous"
    assert apart.zygosity == {0: two, 1: "heterozygous", 2: None}[unchanged]
    assert apart.phase == ("trans" if apart.zygosity == "compound-heterozygous" else None)
    assert hgvs(f"{reference}:c.[{first};{second}]").phase == "cis"
    assert hgvs(f"{reference}:c.{first}(;){second}").phase is None


@given(st.text(max_size=60))
def test_any_text_is_read_or_not_and_nothing_else(text):
    read = hgvs(text)
    assert read is None or read.change in text


@pytest.mark.parametrize(
    ("written", "gene", "kind", "change"),
    [
        ("NM_000106.5(CYP2D6):c.886C>T (p.Arg296Cys)", "CYP2D6", "c", "886C>T"),
        ("PKP2:c.1643delG", "PKP2", "c", "1643delG"),
        ("c.681G>A", None, "c", "681G>A"),
        ("NP_000035.2:p.Val3Met", None, "p", "Val3Met"),
        ("NP_001175.2:p.R960fs*2", None, "p", "R960fs*2"),
        ("NP_000242.1:p.(Trp24Ter)", None, "p", "(Trp24Ter)"),
        ("NM_024301.4:c.[826C>A];[=]", None, "c", "[826C>A];[=]"),
        ("NM_002024.5:c.-128_-69GGC[10]GGA[1]GGC[9]", None, "c", "-128_-69GGC[10]GGA[1]GGC[9]"),
        ("NC_000012.12:g.(?_32796000)_(32896000_?)del", None, "g", "(?_32796000)_(32896000_?)del"),
        ("NC_012920.1:m.1555A>G", None, "m", "1555A>G"),
        ("LRG_199t1:c.357+1G>A", None, "c", "357+1G>A"),
    ],
)
def test_names_as_laboratories_write_them_are_read(written, gene, kind, change):
    read = hgvs(written)
    assert (read.gene, read.kind, read.change) == (gene, kind, change)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rs4244285",
        "46,XX,t(9;22)(q34;q11)",
        "NM_000106.5",
        "c.",
        "BCR::ABL1",
        "NM_1.1:c.hello",
        "p.",
        "*1/*2",
    ],
)
def test_what_is_no_name_by_hgvs_is_not_taken_for_one(text):
    assert hgvs(text) is None


def test_a_name_counts_on_the_sequence_that_stands_beside_it_only_where_it_names_none():
    assert hgvs("c.681G>A", "NM_000769.4").name == "NM_000769.4:c.681G>A"
    assert hgvs("NM_000769.2:c.681G>A", "NM_000769.4").name == "NM_000769.2:c.681G>A"


def test_a_very_long_text_is_refused_at_once():
    assert hgvs("NM_1.1:c.1_2ins" + "A" * 1_000_000) is None


def test_a_place_is_named_by_spdi():
    place = Place("NC_000010.11", 94781858, "G", "A")
    assert place.name == "NC_000010.11:94781858:G:A"
    assert not place.is_reference


@pytest.mark.parametrize(
    ("text", "bases"), [("acg", "ACG"), ("-", ""), (".", ""), (None, None), ("<DEL>", None)]
)
def test_alleles_are_bases_or_nothing(text, bases):
    assert allele(text) == bases


def test_a_karyotype_is_normal_only_without_any_change():
    assert is_normal_karyotype("46,XX")
    assert is_normal_karyotype("46, XY[20]")
    assert not is_normal_karyotype("47,XX,+21")
    assert not is_normal_karyotype("46,XX,t(9;22)(q34;q11)")
