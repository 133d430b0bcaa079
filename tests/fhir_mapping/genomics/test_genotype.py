"""What a genotype Observation tells, and what is refused of it."""

import pytest

from tests.fhir_mapping.genomics.reports import concept, gene, item, observation, part, read, reason


def called(words, *components):
    return observation("84413-4", *components, value={"text": words})


def test_a_diplotype_is_not_given_to_both_of_two_genes():
    assert "more than one gene" in reason(called("*1/*2", gene("CYP2C9"), gene("VKORC1")))
    assert item(called("CYP2C9 *1/*2", gene("CYP2C9"), gene("VKORC1"))).gene == "CYP2C9"


@pytest.mark.parametrize(("words", "copies"), [("*1/*2", "LA6705-3"), ("*2/*2", "LA6706-1")])
def test_an_allelic_state_that_contradicts_the_diplotype_is_refused(words, copies):
    state = part("53034-5", concept(copies))
    assert "both copies" in reason(called(words, gene("CYP2C19"), state))


def test_two_diplotypes_in_one_value_are_refused():
    both = {"text": "*1/*2", **concept("x", "urn:x", "CYP2C19 *2/*2")}
    assert "cannot both hold" in reason(observation("84413-4", gene("CYP2C19"), value=both))


@pytest.mark.parametrize(
    "words",
    ["CYP2C19 *2/*2 not detected", "No *2 or *3 detected", "*2 negative", "c.681G>A not detected"],
)
def test_words_that_deny_a_genotype_are_refused(words):
    assert "deny" in reason(called(words, gene("CYP2C19")))


def test_words_that_are_not_understood_are_kept_as_indeterminate():
    mapped = read(called("carrier of the second allele", gene("CYP2C19")))
    assert [one.state for one in mapped.items] == ["indeterminate"]
    assert ["not written as" in one.text for one in mapped.reasons] == [True]


def test_the_reference_on_both_copies_is_absent_and_an_unknown_copy_leaves_zygosity_open():
    assert item(called("NM_000350.3:c.[5882=];[5882=]", gene("ABCA4"))).state == "absent"
    found = item(called("NM_000350.3:c.[5882G>A];[?]", gene("ABCA4")))
    assert (found.state, found.zygosity, found.phase) == ("present", None, None)


def test_a_value_coded_as_absent_is_not_present():
    value = {"text": "*2/*2", **concept("LA9634-2")}
    assert item(observation("84413-4", gene("CYP2C19"), value=value)).state == "absent"
