"""What laboratories conclude is kept with what it rests on."""

from tests.fhir_mapping.genomics.reports import TBD, concept, item, observation, part, reason

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
RESTS = [{"reference": "Observation/g", "display": "CYP2C19 *2/*2"}]


def therapeutic(*components, **more):
    return observation("therapeutic-implication", *components, system=TBD, **more)


def test_a_medication_is_known_by_name_and_code_and_the_gene_by_what_it_rests_on():
    found = item(
        therapeutic(
            part("51963-7", concept("32968", RXNORM, "clopidogrel")),
            part("therapeutic-implication", concept("LA9657-3"), TBD),
            derivedFrom=RESTS,
        )
    )
    assert (found.kind, found.genes, found.effect) == ("therapeutic", ("CYP2C19",), ("poor-metabolizer",))
    assert found.about == ("clopidogrel", "rxnorm|32968")
    assert found.derived_from == ("Observation/g",)


def test_an_effect_without_a_known_code_is_kept_in_words():
    effect = part("therapeutic-implication", {"text": "Increased risk of bleeding"}, TBD)
    assert item(therapeutic(effect)).effect == ("increased-risk-of-bleeding",)


def test_free_text_alone_is_refused():
    said = {"code": concept("conclusion-string", TBD), "valueString": "Give less of it."}
    assert "free text" in reason(therapeutic(said))


def test_a_phase_needs_both_variants_and_an_answer():
    both = [{"reference": "Observation/a"}, {"reference": "Observation/b"}]
    trans = concept("Trans", "http://terminology.hl7.org/CodeSystem/sequence-phase-relationship-cs")
    assert item(observation("82120-7", value=trans, derivedFrom=both)).effect == ("trans",)
    assert "not both named" in reason(observation("82120-7", value=trans, derivedFrom=both[:1]))
    assert "not known" in reason(observation("82120-7", value=concept("Unknown"), derivedFrom=both))


def test_the_phenotype_of_one_gene_is_an_implication_of_it():
    found = item(observation("79715-9", value=concept("LA10315-2")))
    assert (found.genes, found.effect) == (("CYP2D6",), ("ultrarapid-metabolizer",))
