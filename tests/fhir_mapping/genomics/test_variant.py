"""What a variant Observation tells, and what is refused of it."""

import pytest

from tests.fhir_mapping.genomics.reports import (
    ABSENT,
    INDETERMINATE,
    NO_CALL,
    PRESENT,
    coding,
    concept,
    gene,
    item,
    observation,
    part,
    read,
    reason,
    source_class,
    text,
    variant,
)

PKP2 = (gene("PKP2", 9024), coding("NM_004572.4:c.235C>T"))


def placed(system, low, high, deleted, inserted):
    counted = [part("92822-6", concept(system))] if system else []
    return variant(
        gene("CYP2C19", 2621),
        part("48013-7", concept("NC_000010.11", "http://www.ncbi.nlm.nih.gov/refseq")),
        {"code": concept("81254-5"), "valueRange": {"low": {"value": low}, "high": {"value": high}}},
        text("69547-8", deleted),
        text("69551-0", inserted),
        *counted,
    )


@pytest.mark.parametrize("code", ["LA6684-0", "LA18195-0", "LA10429-1", "LA18196-8"])
def test_nothing_somatic_and_nothing_fetal_becomes_evidence(code):
    assert "variant" in reason(variant(*PKP2, source_class(code)))
    called = observation("84413-4", gene("CYP2C19"), source_class(code), value={"text": "*1/*2"})
    assert "variant" in reason(called)


@pytest.mark.parametrize(
    ("code", "origin"),
    [
        ("LA6683-2", "germline"),
        ("LA18194-3", "likely-germline"),
        ("LA26807-0", "de-novo"),
    ],
)
def test_the_origin_in_the_germline_is_kept(code, origin):
    assert item(variant(*PKP2, source_class(code))).origin == origin


@pytest.mark.parametrize(
    ("code", "state"),
    [(PRESENT, "present"), (ABSENT, "absent"), (NO_CALL, "no-call"), (INDETERMINATE, "indeterminate")],
)
def test_what_was_looked_for_and_not_found_is_knowledge_too(code, state):
    found = item(variant(*PKP2, part("53034-5", concept("LA6706-1")), state=code))
    assert found.state == state
    assert found.zygosity == ("heterozygous" if state == "present" else None)


def test_a_gene_without_any_variant_is_absent_as_a_whole():
    found = item(variant(gene("CYP2C19", 2621), state=ABSENT))
    assert (found.gene, found.variant, found.state) == ("CYP2C19", "any", "absent")


def test_a_present_variant_without_name_or_place_is_refused():
    assert "neither a name nor a place" in reason(variant(gene("PKP2")))


def test_a_fusion_is_known_under_both_genes():
    fusion = variant(gene("BCR"), gene("ABL1"), part("81252-9", {"text": "BCR::ABL1"}))
    assert [(one.gene, one.variant) for one in read(fusion).items] == [
        ("BCR", "BCR::ABL1"),
        ("ABL1", "BCR::ABL1"),
    ]


def test_an_hgnc_id_alone_names_a_gene_that_is_known():
    assert item(variant(gene(None, 9024), PKP2[1])).gene == "PKP2"
    assert item(variant(gene(None, 1100), PKP2[1])).gene == "HGNC:1100"


@pytest.mark.parametrize(("symbol", "number"), [("CYP2C19", 262), ("CYP2C9", 2621)])
def test_an_id_and_a_symbol_of_different_genes_are_refused(symbol, number):
    assert "different genes" in reason(variant(gene(symbol, number), PKP2[1]))


def test_a_name_by_hgvs_supplies_the_gene_where_none_is_named():
    assert item(variant(coding("NM_004572.4(PKP2):c.235C>T"))).gene == "PKP2"


def test_a_transcript_beside_a_short_name_completes_it():
    transcript = part("51958-7", concept("NM_004572.4", "http://www.ncbi.nlm.nih.gov/refseq"))
    assert item(variant(gene("PKP2"), coding("c.235C>T"), transcript)).variant == "NM_004572.4:c.235C>T"


def test_a_name_that_is_not_hgvs_is_kept_and_listed():
    mapped = read(variant(gene("PKP2"), coding("exon 4 stop")))
    assert [one.variant for one in mapped.items] == ["exon 4 stop"]
    assert ["HGVS" in one.text for one in mapped.reasons] == [True]


@pytest.mark.parametrize(
    ("system", "low", "high", "deleted", "inserted", "name"),
    [
        ("LA30102-0", 94781859, 94781859, "G", "A", "94781858:G:A"),
        ("LA30101-2", 94781858, 94781858, "G", "A", "94781858:G:A"),
        ("LA30100-4", 94781858, 94781859, "G", "A", "94781858:G:A"),
        (None, 94781858, 94781859, "G", "A", "94781858:G:A"),
        ("LA30102-0", 100, 102, "GAT", "-", "99:GAT:"),
        ("LA30100-4", 100, 100, "-", "TT", "100::TT"),
        ("LA30102-0", 100, 100, "G", "GTT", "99:G:GTT"),
    ],
)
def test_a_place_and_both_alleles_make_a_name(system, low, high, deleted, inserted, name):
    assert item(placed(system, low, high, deleted, inserted)).variant == f"NC_000010.11:{name}"


@pytest.mark.parametrize(
    ("system", "low", "high"), [(None, 100, 100), ("LA30100-4", 100, 100), ("LA30102-0", 100, 101)]
)
def test_a_place_that_does_not_fit_its_alleles_makes_no_name(system, low, high):
    assert read(placed(system, low, high, "G", "A")).items == ()


def test_a_wild_type_that_is_called_present_is_absent():
    assert item(placed("LA30102-0", 100, 100, "G", "G")).state == "absent"
    wild = part("48019-4", concept("SO:0002073", "http://www.sequenceontology.org"))
    assert item(variant(*PKP2, wild)).state == "absent"


@pytest.mark.parametrize("name", ["NM_000769.4:c.681=", "NM_000769.4:c.[681=];[681=]"])
def test_a_name_that_says_unchanged_is_absent(name):
    found = item(variant(gene("CYP2C19"), coding(name), part("53034-5", concept("LA6705-3"))))
    assert (found.state, found.zygosity) == ("absent", None)


def test_a_silent_change_of_the_protein_is_present():
    assert item(variant(gene("PKP2"), part("48005-3", concept("NP_004563.2:p.Gly2=")))).state == "present"


@pytest.mark.parametrize(
    "components",
    [
        (gene("PKP2"), coding("NM_000038.6(APC):c.3927_3931del")),
        (*PKP2, part("53034-5", concept("LA6705-3")), part("53034-5", concept("LA6706-1"))),
        (*PKP2, part("53037-8", concept("LA6668-3")), part("53037-8", concept("LA6675-8"))),
        (gene("GJB2"), coding("NM_004004.6:c.[35del];[35del]"), part("53034-5", concept("LA6706-1"))),
        (gene("PKP2"), coding("NM_004572.4:c.235C>T not detected")),
    ],
)
def test_two_statements_that_cannot_both_hold_are_refused(components):
    assert len(reason(variant(*components)).split()) > 5


def test_a_variant_that_is_said_to_be_present_and_absent_is_refused():
    both = {"coding": [*concept(PRESENT)["coding"], *concept(ABSENT)["coding"]]}
    assert "cannot both hold" in reason(observation("69548-6", *PKP2, value=both))


def test_a_modifier_in_a_component_is_not_passed_over():
    doubtful = coding("NM_004572.4:c.235C>T") | {
        "modifierExtension": [{"url": "urn:x", "valueBoolean": True}]
    }
    assert "modifier" in reason(variant(gene("PKP2"), doubtful))


def test_a_result_of_tomorrow_is_refused_and_one_without_a_time_is_not():
    assert "future" in reason(variant(*PKP2, effectiveDateTime="2026-03-01"))
    assert item(variant(*PKP2)).gene == "PKP2"
